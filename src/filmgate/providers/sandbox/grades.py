"""The styles of an edit: how one frame of a video is restyled."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.providers.sandbox.movie import Picture

_RAMP = np.linspace(0, 1, 256)


class Look:
    """One style, prepared for one picture size."""

    def __init__(self, name: str, width: int, height: int) -> None:
        self._style = STYLES[name]
        self._edge_light = _vignette(width, height)

    def apply(self, picture: Picture) -> Picture:
        """The restyled picture; the input is left alone."""
        return cv2.multiply(self._style(picture), self._edge_light, scale=1 / 255)


def _film(picture: Picture) -> Picture:
    return _saturate(_curves(picture, _FILM), 1.08)


def _warm(picture: Picture) -> Picture:
    return _saturate(_curves(picture, _WARM), 1.12)


def _cool(picture: Picture) -> Picture:
    return _saturate(_curves(picture, _COOL), 0.88)


def _noir(picture: Picture) -> Picture:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.cvtColor(cv2.LUT(grey, _NOIR), cv2.COLOR_GRAY2RGB)


def _sketch(picture: Picture) -> Picture:
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 0.8)
    soft = cv2.GaussianBlur(grey, (0, 0), max(3.0, picture.shape[0] / 120))
    lines = cv2.divide(grey, soft, scale=248)
    shaded = cv2.addWeighted(cv2.LUT(lines, _PENCIL), 0.88, grey, 0.12, 0)
    return cv2.LUT(cv2.cvtColor(shaded, cv2.COLOR_GRAY2RGB), _PAPER)


def _cartoon(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    for _ in range(2):
        small = cv2.bilateralFilter(small, 5, 38, 5)
    flat = cv2.LUT(cv2.resize(small, (width, height)), _POSTER)
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.6)
    block = max(9, height // 60 | 1)
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, block, 5)
    ink = cv2.GaussianBlur(ink, (0, 0), 0.7)
    return cv2.multiply(_saturate(flat, 1.35), cv2.cvtColor(ink, cv2.COLOR_GRAY2RGB), scale=1 / 255)


def _neon(picture: Picture) -> Picture:
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.2)
    edges = cv2.convertScaleAbs(cv2.Laplacian(grey, cv2.CV_16S, ksize=5), alpha=0.6)
    night = cv2.LUT(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), _NIGHT)
    tint = cv2.LUT(cv2.cvtColor(cv2.GaussianBlur(grey, (0, 0), 6), cv2.COLOR_GRAY2RGB), _TUBES)
    lines = cv2.multiply(tint, cv2.cvtColor(edges, cv2.COLOR_GRAY2RGB), scale=1 / 255)
    return cv2.add(cv2.add(night, lines), _bloom(lines, 1.3))


def _dream(picture: Picture) -> Picture:
    soft = cv2.addWeighted(picture, 0.62, _bloom(picture, 1.0), 0.48, 6)
    return _saturate(_curves(soft, _DREAM), 1.1)


STYLES: dict[str, Callable[[Picture], Picture]] = {
    "film": _film,
    "warm": _warm,
    "cool": _cool,
    "noir": _noir,
    "sketch": _sketch,
    "cartoon": _cartoon,
    "neon": _neon,
    "dream": _dream,
}
"""A look's name in the vocabulary, and what draws it."""


def _table(*channels: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A lookup table from one curve (0 to 1) per channel, or one for all."""
    table = np.stack(channels, 1) if len(channels) > 1 else channels[0]
    return np.clip(table * 255 + 0.5, 0, 255).astype(np.uint8)[None]


def _contrast(amount: float) -> NDArray[np.float64]:
    return _RAMP + amount * np.sin(2 * np.pi * _RAMP) / (-2 * np.pi)


def _between(*colours: str) -> NDArray[np.uint8]:
    codes = [[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours]
    places = np.linspace(0, 1, len(codes))
    return _table(*(np.interp(_RAMP, places, [code[c] for code in codes]) for c in range(3)))


_S = _contrast(0.6)
_FILM = _table(_S**0.94, _S, 0.03 + 0.95 * _S**1.05)
_WARM = _table(_S**0.82, 0.01 + 0.99 * _S**0.97, _S**1.28)
_COOL = _table(_S**1.22, _S**1.02, 0.03 + 0.97 * _S**0.84)
_DREAM = _table(0.05 + 0.95 * _RAMP**0.9, 0.02 + 0.96 * _RAMP, 0.07 + 0.93 * _RAMP**0.9)
_NOIR = _table(np.clip(_contrast(0.95) * 1.12 - 0.05, 0, 1))[0]
_PENCIL = _table(np.clip((_RAMP - 0.45) / 0.52, 0, 1) ** 1.5)[0]
_PAPER = _table(0.10 + 0.88 * _RAMP, 0.10 + 0.87 * _RAMP, 0.12 + 0.80 * _RAMP)
_POSTER = _table((np.floor(_RAMP * 8.99) / 9 * 0.55 + _RAMP * 0.5).clip(0, 1))
_NIGHT = _between("#05030f", "#140a30", "#2a1250", "#5a2a86")
_TUBES = _between("#ff2ab0", "#b03aff", "#2a8cff", "#2afff0")


def _curves(picture: Picture, table: NDArray[np.uint8]) -> Picture:
    return cv2.LUT(picture, table)


def _saturate(picture: Picture, amount: float) -> Picture:
    grey = np.array([0.299, 0.587, 0.114])
    matrix = amount * np.eye(3) + (1 - amount) * np.tile(grey, (3, 1))
    return cv2.transform(picture, matrix.astype(np.float32))


def _bloom(picture: Picture, strength: float) -> Picture:
    """The picture's light spread wide, computed small."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
    small = cv2.convertScaleAbs(cv2.GaussianBlur(small, (0, 0), 2.5), alpha=strength)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _vignette(width: int, height: int) -> Picture:
    x = np.linspace(-1, 1, width)[None]
    y = np.linspace(-1, 1, height)[:, None]
    light = 255 * (1 - 0.16 * np.clip(x * x + y * y - 0.5, 0, None))
    return np.repeat(light[..., None], 3, axis=2).astype(np.uint8)
