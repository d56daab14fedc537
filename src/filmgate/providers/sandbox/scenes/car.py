"""A sports car seen from behind, for the city's street."""

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Floats, Picture
from filmgate.providers.sandbox.painting import Layer, glow, lighten, mix, rgb, to_bytes

_FINE = 3  # drawn this much larger, then reduced, for smooth edges
_RED = "#d8182a"


class Car:
    """The car ahead of the camera: it sways a little in its lane."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._wide = round(min(0.34 * width, 0.5 * height) if width > height else 0.5 * width)
        self._x, self._y = width * 0.5, height * (0.83 if width > height else 0.80)
        code = plan.colour or _RED
        self._body = _body(self._wide, code)
        self._lamp = glow(round(self._wide * 0.22), "#ff2a20", 2.0, 0.9)
        self._shadow = _shadow(self._wide)
        self._gleam = _gleam(self._wide, code)

    def draw(self, picture: Picture, t: float) -> None:
        """Draw on the street, in place."""
        wide = self._wide
        x = self._x + wide * (0.10 * np.sin(0.55 * t) + 0.02 * np.sin(1.9 * t))
        y = self._y + wide * 0.004 * np.sin(11 * t)
        lighten(picture, self._gleam, x, y + wide * 0.26)
        self._shadow.at(picture, x - self._shadow.colour.shape[1] / 2, y + wide * 0.10)
        rows = self._body.colour.shape[0]
        self._body.at(picture, x - wide / 2, y - rows / 2)
        for side in (-0.36, 0.36):
            lighten(picture, self._lamp, x + side * wide, y - wide * 0.015)


def _body(wide: int, code: str) -> Layer:
    """The back of a low, wide coupe."""
    tall = round(wide * 0.46)
    columns, rows = wide * _FINE, tall * _FINE
    colour = np.zeros((rows, columns, 3), np.float32)
    cover = np.zeros((rows, columns), np.float32)
    paint = rgb(code)
    dark, light = paint * 0.22, mix(paint, rgb("#ffffff"), 0.45)
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]

    def part(points: list[tuple[float, float]], fill: Floats) -> None:
        mirrored = points + [(1 - x, y) for x, y in reversed(points)]
        place = np.round(np.array(mirrored) * (columns, rows)).astype(np.int32)
        mask = np.zeros((rows, columns), np.uint8)
        cv2.fillPoly(mask, [place], 255)
        share = mask.astype(np.float32) / 255
        colour[:] = mix(colour, np.broadcast_to(fill, colour.shape), share[..., None])
        np.maximum(cover, share, out=cover)

    part([(0.10, 0.72), (0.10, 0.99), (0.235, 0.99), (0.235, 0.72)], rgb("#08080a"))
    part([(0.02, 0.60), (0.05, 0.42), (0.12, 0.345), (0.30, 0.30)], mix(light, paint, 0.5))
    part([(0.225, 0.32), (0.31, 0.06), (0.40, 0.02)], mix(light, dark, down * 1.6))
    part(
        [(0.265, 0.305), (0.335, 0.095), (0.42, 0.065)],
        mix(rgb("#4a3a66"), rgb("#0b0a14"), down * 3),
    )
    part(
        [(0.02, 0.60), (0.045, 0.43), (0.13, 0.365), (0.5, 0.345)],
        mix(light, dark, down * 1.35 - 0.28),
    )
    part(
        [(0.0, 0.50), (0.02, 0.44), (0.08, 0.44), (0.06, 0.66), (0.10, 0.86), (0.03, 0.84)],
        mix(paint, dark, down),
    )
    part(
        [(0.02, 0.56), (0.10, 0.84), (0.14, 0.86), (0.5, 0.86), (0.5, 0.56)],
        mix(paint, dark, down * 1.5 - 0.5),
    )
    part([(0.055, 0.435), (0.10, 0.545), (0.5, 0.56), (0.5, 0.435)], rgb("#12060a"))
    part([(0.075, 0.455), (0.11, 0.515), (0.5, 0.527), (0.5, 0.455)], rgb("#ff3326"))
    part([(0.10, 0.47), (0.12, 0.495), (0.5, 0.502), (0.5, 0.47)], rgb("#ffc0a8"))
    part([(0.20, 0.72), (0.24, 0.92), (0.5, 0.92), (0.5, 0.72)], rgb("#0a0a0e"))
    part([(0.40, 0.60), (0.40, 0.69), (0.5, 0.69), (0.5, 0.60)], rgb("#c9ccd4"))
    part([(0.05, 0.335), (0.05, 0.30), (0.5, 0.275), (0.5, 0.305)], dark)
    for x in (0.29, 0.71):
        centre = round(x * columns), round(0.85 * rows)
        cv2.circle(colour, centre, round(0.04 * rows), (150, 152, 160), -1, cv2.LINE_AA)
        cv2.circle(colour, centre, round(0.028 * rows), (16, 14, 18), -1, cv2.LINE_AA)
    size = (wide, tall)
    return Layer.of(
        cv2.resize(colour, size, interpolation=cv2.INTER_AREA),
        cv2.resize(cover, size, interpolation=cv2.INTER_AREA),
    )


def _shadow(wide: int) -> Layer:
    columns, rows = round(wide * 1.2), round(wide * 0.22)
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    alpha = np.clip(1.25 - np.hypot(x, y) * 1.25, 0, 1) ** 0.8 * 0.9
    return Layer.of(np.zeros((rows, columns, 3), np.float32), alpha)


def _gleam(wide: int, code: str) -> Picture:
    """The lamps' red light on the wet street."""
    columns, rows = round(wide * 1.3), round(wide * 0.62)
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    level = np.zeros((rows, columns), np.float32)
    for side in (-0.5, 0.5):
        level += np.exp(-(((x - side) / 0.22) ** 2)) * np.exp(-np.abs(y) * 2.6)
    level *= np.clip(1.15 - np.hypot(x, y), 0, 1)
    return to_bytes(level[..., None] * mix(rgb("#ff3020"), rgb(code), 0.3) * 0.8)
