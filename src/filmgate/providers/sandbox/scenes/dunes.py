"""Dunes of a desert or of Mars under a dusty sky, and a rocket that takes off from them."""

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Picture
from filmgate.providers.sandbox.painting import (
    Layer,
    bumps,
    disc,
    mix,
    noise,
    rgb,
    ridge,
    smoothstep,
)
from filmgate.providers.sandbox.palettes import PALETTES
from filmgate.providers.sandbox.scenes.land import OVERHANG, Stretch
from filmgate.providers.sandbox.scenes.rocket import Rocket
from filmgate.providers.sandbox.scenes.sky import Sky

_SINK = 0.13
"""How far (share of the height) the land sinks while the camera follows the rocket up."""


class Dunes:
    """Three rows of dunes; the camera slides along them, or follows the rocket."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._size = width, height
        horizon = round(height * 0.80)
        self._horizon = horizon
        self._sky = Sky(plan, width, horizon, clouds=0.55)
        rows = ((0.60, 0.24, 0.30), (0.68, 0.30, 0.6), (0.78, 0.36, 1.0))
        self._land = [
            _dune_row(plan, number, width, height, *row) for number, row in enumerate(rows)
        ]
        self._moons = _moons(plan, width, height) if plan.palette == "mars" else []
        self._rocket = Rocket(plan, width, height) if "rocket" in plan.subjects else None

    def frame(self, t: float) -> Picture:
        """See `Scene.frame`."""
        width, height = self._size
        picture = np.zeros((height, width, 3), np.uint8)
        sky = self._sky.frame(t)
        self._sky.draw_sun(sky)
        for layer, x, y in self._moons:
            layer.at(sky, x, y)
        picture[: self._horizon] = sky
        picture[self._horizon :] = sky[-1]
        sink = 0.0
        if self._rocket is not None:
            sink = _SINK * height * self._rocket.climbed(t)
        for number, stretch in enumerate(self._land):
            if number == len(self._land) - 1 and self._rocket is not None:
                self._rocket.draw(picture, t, sink)
            stretch.draw(picture, t, sink * (0.5 + 0.5 * stretch.nearness))
        return picture


def _dune_row(
    plan: Plan, number: int, width: int, height: int, top: float, tall: float, near: float
) -> Stretch:
    rng = plan.rng(f"dunes {number}")
    palette = PALETTES[plan.palette]
    columns, rows = round(width * (1 + OVERHANG)), round(height * (1 - top + 0.08))
    swell = ridge(rng, columns, bumps(height, width, 2.2 + 1.2 * (1 - near)), roughness=0.28)
    crest = 1 - np.abs(2 * swell - 1)  # folded, so that it has edges like wind-blown sand
    crest = cv2.GaussianBlur(crest[None], (0, 0), columns / 400)[0]
    line = (1 - crest) * tall * height * 0.45
    y = np.arange(rows, dtype=np.float32)[:, None]
    depth = np.clip(y - line[None], 0, None)
    # The shadow side of a crest leans away from it the further down the slope one looks.
    lean = np.arange(columns, dtype=np.float32)[None] + 0.55 * depth
    slope = cv2.GaussianBlur(np.gradient(line)[None].astype(np.float32), (0, 0), columns / 260)
    seen = cv2.remap(
        slope, lean, np.zeros_like(lean), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    lit = smoothstep(-0.10, 0.16, seen) * np.exp(-depth / (0.30 * height))
    grain = noise(rng, rows, columns, (max(3, rows // 6), 14), octaves=3) - 0.5
    sand = mix(rgb(palette.ground), rgb(palette.sky[1][1]), 0.45)
    light = mix(sand, rgb(palette.sky[2][1]), 0.62)
    colour = mix(np.broadcast_to(sand * 0.82, (rows, columns, 3)), light, lit[..., None])
    colour = (
        colour * (1 + (0.10 + 0.12 * near) * grain[..., None]) * (1 - 0.35 * y / rows)[..., None]
    )
    colour = mix(colour, rgb(palette.haze), 0.62 * (1 - near))
    alpha = np.clip(y - line[None] + 0.5, 0, 1).astype(np.float32)
    return Stretch(Layer.of(colour, alpha), top * height - 0.02 * height, near)


def _moons(plan: Plan, width: int, height: int) -> list[tuple[Layer, float, float]]:
    """Two small moons, lit from the side."""
    rng = plan.rng("moons")
    palette = PALETTES[plan.palette]
    moons = []
    for size, x, y in ((0.030, 0.12, 0.30), (0.018, rng.uniform(0.3, 0.42), 0.14)):
        radius = max(5, round(min(width, height) * size))
        side = 2 * radius + 4
        ball = disc(side, radius)
        lit = np.clip(ball - np.roll(disc(side, radius * 0.98, radius * 0.5), radius // 2, 1), 0, 1)
        tint = mix(rgb(palette.haze), rgb("#ffffff"), 0.35)
        colour = mix(np.broadcast_to(rgb(palette.sky[1][1]), (side, side, 3)), tint, lit[..., None])
        moons.append((Layer.of(colour, ball * (0.25 + 0.65 * lit)), x * width, y * height))
    return moons
