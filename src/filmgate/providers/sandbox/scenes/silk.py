"""Folds of flowing colour, for prompts that name nothing we can draw."""

import math

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Floats, Picture
from filmgate.providers.sandbox.painting import gradient, noise, to_bytes
from filmgate.providers.sandbox.palettes import PALETTES

_DETAIL = 3  # folds are smooth: draw them at a third of the size
_TILE = 512


class Silk:
    """Waves bent by noise into folds of cloth, lit from one side, coloured by the palette."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._size = width, height
        rows, columns = height // _DETAIL, width // _DETAIL
        rng = plan.rng("silk")
        self._bend = noise(rng, _TILE, _TILE, (3, 3), octaves=3) - 0.5
        unit = min(rows, columns)
        x, y = np.meshgrid(
            np.arange(columns, dtype=np.float32) / unit, np.arange(rows, dtype=np.float32) / unit
        )
        lean = float(rng.uniform(0.5, 1.1))
        self._across = (x * math.cos(lean) + y * math.sin(lean)) * 1.15
        self._x, self._y = x * 210, y * 210
        self._slope_scale = unit / 13
        stops = PALETTES[plan.palette].folds
        if plan.colour:
            stops = ((0.0, "#07080c"), (0.55, plan.colour), (1.0, "#fff4ea"))
        self._colours = to_bytes(gradient(stops, 256))[None]

    def frame(self, t: float) -> Picture:
        """See `Scene.frame`."""
        slow = self._look_up(self._x + 5 * t, self._y - 3 * t)
        quick = self._look_up(self._x * 1.7 - 6 * t + 170, self._y * 1.7 + 7 * t + 60)
        phase = self._across + 1.9 * slow + 0.05 * t
        folds = 0.62 * np.sin(2 * np.pi * phase)
        folds += 0.25 * np.sin(2 * np.pi * (2.6 * phase + 0.9 * quick) - 0.5 * t)
        slope = cv2.Sobel(folds, cv2.CV_32F, 1, 0, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
        tone = 0.44 + 0.30 * folds + 0.30 * slope * self._slope_scale
        level = cv2.resize(to_bytes(tone * 255), self._size, interpolation=cv2.INTER_CUBIC)
        return cv2.LUT(cv2.cvtColor(level, cv2.COLOR_GRAY2RGB), self._colours)

    def _look_up(self, x: Floats, y: Floats) -> Floats:
        """The noise at points that may lie beyond its tile: the tile repeats."""
        return cv2.remap(
            self._bend, x % _TILE, y % _TILE, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )
