"""Brushes that the scenes share: colours, noise, gradients, layers, glows and ridges."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.providers.sandbox.movie import Floats, Picture

_DITHER_SIGMA = 1.1  # hides the bands of an 8-bit gradient


def rgb(code: str) -> Floats:
    """``#rrggbb`` as three floats, 0 to 255."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32)


def mix(a: Floats, b: Floats, share: float | Floats) -> Floats:
    """`a` and `share` of the way to `b`."""
    return (a + (b - a) * share).astype(np.float32)


def smoothstep(low: float, high: float, x: Floats) -> Floats:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def gradient(stops: Sequence[tuple[float, str]], length: int) -> Floats:
    """`length` colours along the stops (position 0 to 1, colour): length x 3."""
    at = np.linspace(0, 1, length)
    places = [place for place, _ in stops]
    colours = np.array([rgb(code) for _, code in stops])
    return np.stack([np.interp(at, places, colours[:, c]) for c in range(3)], 1).astype(np.float32)


def to_bytes(values: Floats) -> Picture:
    """Cut to whole numbers from 0 to 255."""
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def to_picture(values: Floats, rng: np.random.Generator) -> Picture:
    """Round to 8 bits, dithered."""
    noise = rng.normal(0, _DITHER_SIGMA, values.shape[:2]).astype(np.float32)
    return to_bytes(values + noise[..., None] + 0.5)


def noise(
    rng: np.random.Generator, height: int, width: int, grid: tuple[int, int], octaves: int = 4
) -> Floats:
    """Fractal noise, 0 to 1, that tiles both ways; `grid` is its coarsest rows and columns."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        rows, columns = (
            min(n << octave, size) for n, size in zip(grid, (height, width), strict=True)
        )
        points = rng.random((rows, columns), dtype=np.float32)
        # Interpolate with a margin on each side that wraps around, then cut the margin off.
        padded = np.pad(points, 3, mode="wrap")
        y = (np.arange(height, dtype=np.float32) + 0.5) * rows / height + 2.5
        x = (np.arange(width, dtype=np.float32) + 0.5) * columns / width + 2.5
        map_x, map_y = np.meshgrid(x, y)
        total += cv2.remap(padded, map_x, map_y, cv2.INTER_CUBIC) * 0.5**octave
    total -= total.min()
    return np.asarray(total / total.max(), np.float32)


def cells(height: int, width: int, across: float) -> tuple[int, int]:
    """A grid for `noise` with square cells, `across` of them along the shorter side."""
    short = min(height, width)
    return max(2, round(across * height / short)), max(2, round(across * width / short))


def bumps(height: int, width: int, count: float) -> float:
    """How many hills a skyline has: `count` on a 16:9 picture, fewer on a narrower one."""
    return max(1.2, count * width / height * 9 / 16)


def ridge(rng: np.random.Generator, width: int, peaks: float, roughness: float = 0.5) -> Floats:
    """The height of a skyline for each of `width` columns, 0 to 1."""
    x = np.linspace(0, peaks, width)
    total = np.zeros(width)
    for octave in range(7):
        points = rng.random(int(peaks * 2**octave) + 4)
        place = x * 2**octave
        left = place.astype(int)
        share = place - left
        share = share * share * (3 - 2 * share)
        total += (points[left] * (1 - share) + points[left + 1] * share) * roughness**octave
    total -= total.min()
    return np.asarray(total / total.max(), np.float32)


def disc(size: int, radius: float, softness: float = 1.0) -> Floats:
    """A soft-edged disc in the middle of a size x size square, 0 to 1."""
    axis = np.arange(size, dtype=np.float32) - (size - 1) / 2
    distance = np.hypot(*np.meshgrid(axis, axis))
    return np.asarray(np.clip((radius - distance) / softness + 0.5, 0, 1), np.float32)


def falloff(height: int, width: int, x: float, y: float, radius: float) -> Floats:
    """Light around a point: 1 there, half of it `radius` away."""
    yy = (np.arange(height, dtype=np.float32) - y)[:, None]
    xx = (np.arange(width, dtype=np.float32) - x)[None]
    return (1 / (1 + (xx * xx + yy * yy) / (radius * radius))).astype(np.float32)


@dataclass(frozen=True)
class Layer:
    """A picture with holes: premultiplied colour, and how much of what is behind shows."""

    colour: Picture
    behind: Picture

    @classmethod
    def of(cls, colour: Floats, alpha: Floats) -> "Layer":
        """From colours (0 to 255) and opacity (0 to 1)."""
        cover = alpha[..., None]
        return cls(
            to_bytes(colour * cover + 0.5),
            to_bytes(np.repeat((1 - cover) * 255 + 0.5, 3, axis=2)),
        )

    def over(self, picture: Picture) -> None:
        """Lay over a picture of the same size, in place."""
        cv2.multiply(picture, self.behind, dst=picture, scale=1 / 255)
        cv2.add(picture, self.colour, dst=picture)

    def at(self, picture: Picture, x: float, y: float) -> None:
        """Lay over `picture` in place, with the top left corner at a (fractional) point."""
        left, top = int(np.floor(x)), int(np.floor(y))
        colour = _shifted(self.colour, x - left, y - top, 0)
        behind = _shifted(self.behind, x - left, y - top, 255)
        view = _overlap(picture, left, top, colour.shape[1], colour.shape[0])
        if view is None:
            return
        target, rows, columns = view
        Layer(colour[rows, columns], behind[rows, columns]).over(target)


def shine(picture: Picture, glow: Picture, x: float, y: float) -> None:
    """Lay a light, centred on a point, over `picture` in place: the brighter of both stays."""
    height, width = glow.shape[:2]
    view = _overlap(picture, round(x - width / 2), round(y - height / 2), width, height)
    if view is not None:
        target, rows, columns = view
        cv2.max(target, np.ascontiguousarray(glow[rows, columns]), dst=target)


def lighten(picture: Picture, glow: Picture, x: float, y: float) -> None:
    """Add a light, centred on a point, to `picture` in place."""
    height, width = glow.shape[:2]
    view = _overlap(picture, round(x - width / 2), round(y - height / 2), width, height)
    if view is not None:
        target, rows, columns = view
        cv2.add(target, np.ascontiguousarray(glow[rows, columns]), dst=target)


def glow(radius: int, code: str, power: float = 2.2, strength: float = 1.0) -> Picture:
    """A round light of one colour that fades to nothing at `radius`."""
    axis = np.linspace(-1, 1, 2 * radius + 1, dtype=np.float32)
    distance = np.hypot(*np.meshgrid(axis, axis))
    light = np.clip(1 - distance, 0, 1) ** power * strength
    return to_bytes(light[..., None] * rgb(code))


def _shifted(part: Picture, right: float, down: float, edge: int) -> Picture:
    """A picture moved by a fraction of a pixel, one pixel larger each way (faster than a warp)."""
    padded = cv2.copyMakeBorder(part, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(edge, edge, edge))
    across = cv2.addWeighted(padded[:, 1:], 1 - right, padded[:, :-1], right, 0)
    return cv2.addWeighted(across[1:], 1 - down, across[:-1], down, 0)


def _overlap(
    picture: Picture, left: int, top: int, width: int, height: int
) -> tuple[Picture, slice, slice] | None:
    """The part of `picture` under a rectangle, and which part of the rectangle that is."""
    y0, y1 = max(top, 0), min(top + height, picture.shape[0])
    x0, x1 = max(left, 0), min(left + width, picture.shape[1])
    if y0 >= y1 or x0 >= x1:
        return None
    return picture[y0:y1, x0:x1], slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
