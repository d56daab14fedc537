"""Range behind range of hills fading into haze, mist between them, a forest in front."""

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Floats, Picture
from filmgate.providers.sandbox.painting import (
    Layer,
    bumps,
    mix,
    noise,
    rgb,
    ridge,
    smoothstep,
    to_bytes,
)
from filmgate.providers.sandbox.palettes import PALETTES
from filmgate.providers.sandbox.scenes.land import OVERHANG, Stretch
from filmgate.providers.sandbox.scenes.sky import Sky

_RANGES = 4
_SNOW = "#f2f6fb"


class Hills:
    """Ranges that slide past each other under a `Sky`."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._size = width, height
        self._horizon = round(height * 0.66)
        self._sky = Sky(plan, width, self._horizon)
        self._ranges = [_range(plan, number, width, height) for number in range(_RANGES)]
        self._forest = _forest(plan, width, height)
        self._mist = _mist(plan, width, height)

    def frame(self, t: float) -> Picture:
        """See `Scene.frame`."""
        width, height = self._size
        picture = np.empty((height, width, 3), np.uint8)
        sky = self._sky.frame(t)
        self._sky.draw_sun(sky)
        picture[: self._horizon] = sky
        picture[self._horizon :] = sky[-1]
        for number, stretch in enumerate(self._ranges):
            stretch.draw(picture, t)
            if number == 1:
                self._lay_mist(picture, t)
        self._forest.draw(picture, t)
        return picture

    def _lay_mist(self, picture: Picture, t: float) -> None:
        width, height = self._size
        rows, columns = self._mist.colour.shape[:2]
        shift = np.array([[1, 0, -(4.0 * t % (columns // 2))], [0, 1, 0]], np.float32)
        tall = rows * 4
        colour, behind = (
            cv2.resize(cv2.warpAffine(part, shift, (width // 4, rows)), (width, tall))
            for part in (self._mist.colour, self._mist.behind)
        )
        top = round(height * 0.52)
        Layer(colour, behind).over(picture[top : top + tall])


def _range(plan: Plan, number: int, width: int, height: int) -> Stretch:
    rng = plan.rng(f"range {number}")
    palette = PALETTES[plan.palette]
    near = (number + 0.6) / _RANGES
    columns = round(width * (1 + OVERHANG))
    top = 0.36 + 0.12 * number
    tall = (0.30 - 0.035 * number) * height
    rows = round(height * (0.30 if number < _RANGES - 1 else 0.44))
    line = (
        1 - ridge(rng, columns, bumps(height, width, 3.0 + number), roughness=0.46 - 0.03 * number)
    ) * tall
    y = np.arange(rows, dtype=np.float32)[:, None]
    depth = y - line[None]
    ink = mix(rgb(palette.haze), rgb(palette.ground), 0.10 + 0.72 * near)
    colour: Floats = np.broadcast_to(ink, (rows, columns, 3))
    # Light from the side picks out the slopes; haze gathers at their feet.
    slope = cv2.GaussianBlur(np.gradient(line)[None].astype(np.float32), (0, 0), 2.5)
    grain = noise(rng, rows, columns, (12, 24), octaves=4) - 0.5
    facing = np.clip(-slope * 0.35 + grain * 0.8, -0.6, 0.6) * np.exp(
        -np.clip(depth, 0, None) / (0.5 * tall)
    )
    colour = colour * (1 + 0.30 * facing[..., None])
    if "snow" in plan.particles and number < 3:
        cap = smoothstep(0.45 * tall, 0.05 * tall, line[None] + depth * 0.8 + grain * 0.4 * tall)
        colour = mix(colour, mix(ink, rgb(_SNOW), 0.5), cap[..., None])
    foot = smoothstep(0.15 * tall, 1.5 * tall, depth)
    colour = mix(colour, rgb(palette.haze), (0.75 - 0.45 * near) * foot[..., None])
    alpha = np.clip(depth + 0.5, 0, 1)
    if number < _RANGES - 1:
        alpha = alpha * smoothstep(0, 0.2, 1 - y / rows)
    return Stretch(Layer.of(colour, alpha.astype(np.float32)), top * height, 0.15 + 0.6 * near)


def _forest(plan: Plan, width: int, height: int) -> Stretch:
    """A line of conifers along the bottom."""
    rng = plan.rng("forest")
    palette = PALETTES[plan.palette]
    columns, rows = round(width * (1 + OVERHANG)), round(height * 0.34)
    cover = np.zeros((rows, columns), np.uint8)
    ground = rows * (0.80 - 0.22 * ridge(rng, columns, bumps(height, width, 2.5), 0.35))
    for x in np.arange(0, columns, max(5, width // 150)):
        centre = x + rng.uniform(-6, 6)
        tall = rows * rng.uniform(0.16, 0.44) * (1.25 if "forest" in plan.subjects else 0.9)
        _conifer(cover, centre, float(ground[min(int(x), columns - 1)]) + 4, tall, rng)
    cover = np.maximum(cover, to_bytes(np.where(np.arange(rows)[:, None] > ground[None], 255, 0)))
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    deep = rgb(palette.ground) * 0.8
    colour = mix(mix(rgb(palette.ground), rgb(palette.haze), 0.16), deep, np.clip(y * 1.4, 0, 1))
    return Stretch(
        Layer.of(np.broadcast_to(colour, (rows, columns, 3)), _share(cover)), height - rows, 1.0
    )


def _conifer(cover: Picture, x: float, foot: float, tall: float, rng: np.random.Generator) -> None:
    tiers = 6
    points: list[tuple[float, float]] = [(x, foot - tall)]
    right: list[tuple[float, float]] = []
    for tier in range(1, tiers + 1):
        y = foot - tall * (1 - tier / tiers)
        half = tall * 0.19 * tier / tiers
        right += [(x + half * rng.uniform(0.85, 1.15), y), (x + half * 0.55, y - tall * 0.02)]
    left = [(2 * x - px, py) for px, py in reversed(right)]
    place = np.round(np.array(points + right + left) * 16).astype(np.int32)
    cv2.fillPoly(cover, [place], 255, cv2.LINE_AA, 4)


def _share(cover: Picture) -> Floats:
    return cover.astype(np.float32) / 255


def _mist(plan: Plan, width: int, height: int) -> Layer:
    """Two widths of mist, at a quarter of the size."""
    rng = plan.rng("hill mist")
    palette = PALETTES[plan.palette]
    rows, columns = round(height * 0.30) // 4, width // 2
    field = noise(rng, rows, columns, (3, 6), octaves=5)
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    strength = 0.95 if "mist" in plan.subjects else 0.55
    alpha = smoothstep(0.15, 0.8, field) * smoothstep(0, 0.4, y) * smoothstep(1, 0.5, y) * strength
    tint = mix(rgb(palette.haze), rgb("#ffffff"), 0.25)
    layer = Layer.of(np.broadcast_to(tint, (rows, columns, 3)), alpha.astype(np.float32))
    return Layer(np.tile(layer.colour, (1, 2, 1)), np.tile(layer.behind, (1, 2, 1)))
