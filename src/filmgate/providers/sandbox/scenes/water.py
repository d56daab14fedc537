"""A lake or the sea to the horizon: mirrored sky, ripples, a path of sunlight, mist, a boat."""

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
from filmgate.providers.sandbox.scenes.sky import Sky

_SOFT = 2  # the mirror is drawn at half size
_TILE = 512


class Water:
    """Water under a `Sky`."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._horizon = round(height * 0.53) & ~1
        self._palette = PALETTES[plan.palette]
        self._sky = Sky(plan, width, self._horizon)
        rng = plan.rng("water")
        self._shore = None if "sailboat" in plan.subjects else self._islands(rng)
        self._boat = _sailboat(plan, round(height * 0.15)) if "sailboat" in plan.subjects else None
        away = -1 if self._sky.sun_x > width / 2 else 1
        self._boat_x = width * (0.5 + away * rng.uniform(0.08, 0.16))
        self._boat_way = away
        self._mist = self._mist_tile(plan) if "mist" in plan.subjects else None
        self._prepare_waves(rng)

    def frame(self, t: float) -> Picture:
        """See `Scene.frame`."""
        picture = np.empty((self._height, self._width, 3), np.uint8)
        above = self._sky.frame(t)
        if self._shore is not None:
            self._shore.over(above[-self._shore.colour.shape[0] :])
        boat_x = self._boat_x + self._boat_way * self._width * 0.2 * np.tanh(t / 40)
        if self._boat is not None:
            self._sail(above, boat_x, t)
        picture[self._horizon :] = self._mirror(above, t)
        self._sky.draw_sun(above)
        if self._shore is not None:
            self._shore.over(above[-self._shore.colour.shape[0] :])
        picture[: self._horizon] = above
        if self._mist is not None:
            self._lay_mist(picture, t)
        return picture

    def _prepare_waves(self, rng: np.random.Generator) -> None:
        """Where each pixel of the water lies, and how much of each wave reaches the eye there."""
        rows, columns = (self._height - self._horizon) // _SOFT, self._width // _SOFT
        below = (np.arange(rows, dtype=np.float32) + 1.0)[:, None] / rows
        far = 1 / below
        across = (np.arange(columns, dtype=np.float32) - columns / 2)[None] / rows
        self._place_x, self._place_z = across * far, np.broadcast_to(far, (rows, columns))
        # Ripples too far away to be told apart blur to a mirror, the short ones first.
        self._slow_seen = np.exp(-((far / 6.5) ** 2)).astype(np.float32)
        self._fast_seen = np.exp(-((far / 3.5) ** 2)).astype(np.float32)
        self._below = below
        field = noise(rng, _TILE, _TILE, (40, 12), octaves=3) - 0.5
        ripples = np.asarray(cv2.GaussianBlur(field, (0, 0), 1.5))
        self._ripples = ripples / ripples.std()
        self._columns = np.arange(columns, dtype=np.float32)[None]
        self._mirror_row = (rows - 1) - np.arange(rows, dtype=np.float32)[:, None]
        sun = self._sky.sun_x / _SOFT
        self._sun_offset = (self._columns - sun) / (columns * (0.012 + 0.075 * below))
        deep = mix(rgb(self._palette.ground), rgb(self._palette.sky[0][1]), 0.45)
        share = (0.12 + 0.5 * below**1.5)[..., None] * np.ones((1, columns, 1), np.float32)
        self._deep = Layer.of(np.broadcast_to(deep, (rows, columns, 3)), share[..., 0])
        self._sunlight = rgb(self._palette.sun)

    def _mirror(self, above: Picture, t: float) -> Picture:
        rows, columns = self._sun_offset.shape
        small = cv2.resize(
            above[-min(self._horizon, rows * _SOFT) :],
            (columns, min(self._horizon // _SOFT, rows)),
            interpolation=cv2.INTER_AREA,
        )
        slow = self._look_up(60.0, 90.0, 6.0 * t, -13.0 * t) * self._slow_seen
        fast = self._look_up(150.0, 230.0, -15.0 * t, -34.0 * t) * self._fast_seen
        wave = 0.65 * slow + 0.45 * fast
        bend_y = wave * (1.5 + 0.055 * rows * self._below)
        bend_x = slow * (0.5 + 0.02 * rows * self._below)
        top = small.shape[0] - rows
        map_y = np.clip(self._mirror_row + top - np.abs(bend_y), 0, small.shape[0] - 1)
        water = cv2.remap(
            small,
            (self._columns + bend_x).astype(np.float32),
            map_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        self._deep.over(water)
        facing = np.exp(-((self._sun_offset + 0.55 * wave) ** 2))
        crest = smoothstep(0.1, 1.2, 0.75 * fast + 0.6 * slow) + 0.5 * (1 - self._slow_seen)
        light = np.clip(facing * crest * (1.05 - 0.45 * self._below), 0, 1) * 0.92
        sheen = to_bytes(light[..., None] * self._sunlight)
        shade = cv2.convertScaleAbs(wave * self._below, alpha=9)
        water = cv2.subtract(water, cv2.cvtColor(shade, cv2.COLOR_GRAY2RGB))
        water = cv2.add(water, sheen)
        size = (self._width, self._height - self._horizon)
        return cv2.resize(water, size, interpolation=cv2.INTER_CUBIC)

    def _look_up(self, scale_x: float, scale_z: float, dx: float, dz: float) -> Floats:
        return cv2.remap(
            self._ripples,
            ((self._place_x * scale_x + dx) % _TILE).astype(np.float32),
            ((self._place_z * scale_z + dz) % _TILE).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )

    def _islands(self, rng: np.random.Generator) -> Layer:
        rows = round(self._height * 0.13)
        colour = np.zeros((rows, self._width, 3), np.float32)
        alpha = np.zeros((rows, self._width), np.float32)
        y = np.arange(rows, dtype=np.float32)[:, None]
        for tall, near in ((0.85, 0.30), (0.45, 0.72)):
            line = ridge(rng, self._width, bumps(self._height, self._width, 5))
            reach = smoothstep(0.42, 0.9, ridge(rng, self._width, 2.2))
            top = rows - line * reach * tall * rows
            cover = np.clip(y - top[None] + 0.5, 0, 1)
            tint = mix(rgb(self._palette.haze), rgb(self._palette.ground), near)
            colour = mix(colour, tint, cover[..., None])
            alpha = np.maximum(alpha, cover)
        return Layer.of(colour, alpha)

    def _sail(self, above: Picture, x: float, t: float) -> None:
        assert self._boat is not None
        rows, columns = self._boat.colour.shape[:2]
        rock = 1.6 * np.sin(1.1 * t)
        turn = cv2.getRotationMatrix2D((columns / 2, rows - 1), rock, 1)
        parts = (
            cv2.warpAffine(part, turn, (columns, rows), borderValue=edge)
            for part, edge in (
                (self._boat.colour, (0, 0, 0)),
                (self._boat.behind, (255, 255, 255)),
            )
        )
        bob = self._height * 0.003 * np.sin(1.7 * t)
        Layer(*parts).at(above, x - columns / 2, self._horizon - rows + bob + 2)

    def _mist_tile(self, plan: Plan) -> Layer:
        rng = plan.rng("mist")
        rows, columns = round(self._height * 0.36) // 4, self._width // 2
        field = noise(rng, rows, columns, (3, 5), octaves=5)
        y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
        band = smoothstep(0, 0.34, y) * smoothstep(1, 0.45, y)
        alpha = np.clip(smoothstep(0.25, 0.85, field) * 1.05 + 0.12, 0, 1) * band * 0.85
        tint = mix(rgb(self._palette.haze), rgb("#ffffff"), 0.35)
        layer = Layer.of(np.broadcast_to(tint, (rows, columns, 3)), alpha.astype(np.float32))
        return Layer(np.tile(layer.colour, (1, 2, 1)), np.tile(layer.behind, (1, 2, 1)))

    def _lay_mist(self, picture: Picture, t: float) -> None:
        assert self._mist is not None
        rows, columns = self._mist.colour.shape[:2]
        size = (self._width, rows * 4)
        top = self._horizon - round(size[1] * 0.42)
        for speed, share in ((5.0, 1.0), (-8.0, 0.6)):
            shift = np.array([[1, 0, -((speed * t) % (columns // 2))], [0, 1, 0]], np.float32)
            colour, behind = (
                cv2.resize(cv2.warpAffine(part, shift, (self._width // 4, rows)), size)
                for part in (self._mist.colour, self._mist.behind)
            )
            if share < 1:
                colour = cv2.convertScaleAbs(colour, alpha=share)
                behind = cv2.convertScaleAbs(behind, alpha=share, beta=255 * (1 - share))
            Layer(colour, behind).over(picture[top : top + size[1]])


def _sailboat(plan: Plan, tall: int) -> Layer:
    """A silhouette against the light, hull at the bottom edge."""
    palette = PALETTES[plan.palette]
    fine = 4
    canvas = np.zeros((tall * fine, tall * fine), np.uint8)
    sails = canvas.copy()

    def shape(target: Picture, *points: tuple[float, float]) -> None:
        cv2.fillPoly(target, [np.round(np.array(points) * tall * fine).astype(np.int32)], 255)

    shape(canvas, (0.18, 0.83), (0.86, 0.81), (0.76, 0.96), (0.28, 0.96))
    shape(canvas, (0.515, 0.03), (0.535, 0.03), (0.535, 0.84), (0.515, 0.84))
    shape(sails, (0.545, 0.06), (0.545, 0.76), (0.84, 0.75), (0.70, 0.42))
    shape(sails, (0.50, 0.10), (0.50, 0.77), (0.20, 0.78), (0.36, 0.46))
    hull, cloth = (
        cv2.resize(part, (tall, tall), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for part in (canvas, sails)
    )
    ink = rgb(palette.ground)
    lit = (
        rgb(plan.colour) if plan.colour not in {"", "#f2bf2a"} else mix(ink, rgb(palette.haze), 0.3)
    )
    colour = mix(np.broadcast_to(lit, (tall, tall, 3)), ink, hull[..., None])
    return Layer.of(colour, np.maximum(hull, cloth))
