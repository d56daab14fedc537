"""A table in a photographer's studio: a ball that bounces on it, or a gem that turns above it."""

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Floats, Picture
from filmgate.providers.sandbox.painting import (
    Layer,
    disc,
    falloff,
    mix,
    rgb,
    smoothstep,
    to_picture,
)
from filmgate.providers.sandbox.scenes.gem import Gem

_RED = "#d8182a"
_MIRROR = 0.16
"""How much the table mirrors."""


class Studio:
    """The empty studio with its subject."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._table = round(height * 0.56)
        ball = "ball" in plan.subjects
        bright = ball or "white" in plan.prompt.casefold() or "白" in plan.prompt
        self._backdrop = _backdrop(plan, width, height, self._table, bright)
        self._subject = Ball(plan, width, height) if ball else Gem(plan, width, height)

    def frame(self, t: float) -> Picture:
        """See `Scene.frame`."""
        picture = self._backdrop.copy()
        self._subject.draw(picture, t)
        return picture


class Ball:
    """A glossy ball, its shadow and its reflection in the table."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        short = min(width, height)
        self._radius = round(short * (0.085 if "small" in plan.prompt.casefold() else 0.11))
        self._x, self._floor = width * 0.5, height * 0.76
        self._drop = height * 0.50
        self._ball = _ball(self._radius, rgb(plan.colour or _RED))
        self._shadow = _shadow(self._radius)
        # "Once" bounces high a single time and settles; otherwise it keeps bouncing.
        self._bounces = _bounce_times(0.42 if "once" in plan.subjects else 0.80)
        self._colour = rgb(plan.colour or _RED)

    def draw(self, picture: Picture, t: float) -> None:
        """Draw in place at time `t`."""
        up, press = self._height_at(t)
        radius, x = self._radius, self._x
        lift = up * self._drop
        spread = 1 + 1.1 * up
        dark = 0.62 / spread**1.6
        self._draw_scaled(
            picture, self._shadow, x, self._floor + radius * 0.04, spread, spread * 0.9, dark
        )
        wide, tall = 1 + 0.16 * press, 1 - 0.16 * press
        middle = self._floor - radius * tall - lift
        mirrored = Layer(cv2.flip(self._ball.colour, 0), cv2.flip(self._ball.behind, 0))
        self._draw_scaled(
            picture,
            mirrored,
            x,
            self._floor + radius * tall + lift * 0.9,
            wide,
            tall,
            _MIRROR * (1 - 0.7 * up),
        )
        self._draw_scaled(picture, self._ball, x, middle, wide, tall, 1.0)

    def _height_at(self, t: float) -> tuple[float, float]:
        """Height (1 is where it was let go) and how flat it is pressed, both 0 to 1."""
        total = self._bounces[-1][0] + self._bounces[-1][1] + 0.9
        t = t % total
        for begin, length, top in self._bounces:
            if t < begin + length:
                share = (t - begin) / length
                up = top * 4 * share * (1 - share)
                near_floor = min(share, 1 - share) * length
                hit = begin > 0 or share > 0.5
                return up, max(0.0, 1 - near_floor / 0.05) * top**0.5 * hit
        return 0.0, 0.0

    @staticmethod
    def _draw_scaled(
        picture: Picture, layer: Layer, x: float, y: float, wide: float, tall: float, opacity: float
    ) -> None:
        size = (
            max(2, round(layer.colour.shape[1] * wide)),
            max(2, round(layer.colour.shape[0] * tall)),
        )
        colour, behind = (
            cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (layer.colour, layer.behind)
        )
        if opacity < 1:
            colour = cv2.convertScaleAbs(colour, alpha=opacity)
            behind = cv2.convertScaleAbs(behind, alpha=opacity, beta=255 * (1 - opacity))
        Layer(colour, behind).at(picture, x - size[0] / 2, y - size[1] / 2)


def _bounce_times(kept: float) -> list[tuple[float, float, float]]:
    """Begin, length and top of each arc; the first is the second half of one, the fall."""
    fall = 0.85
    arcs = [(-fall, 2 * fall, 1.0)]
    begin, top = fall, kept
    while top > 0.02 and len(arcs) < 14:
        length = 2 * fall * top**0.5
        arcs.append((begin, length, top))
        begin, top = begin + length, top * kept
    return arcs


def _ball(radius: int, paint: Floats) -> Layer:
    side = 2 * radius + 4
    axis = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / radius
    x, y = np.meshgrid(axis, axis)
    flat = np.clip(x * x + y * y, 0, 1)
    z = np.sqrt(1 - flat)
    light = np.clip(-0.45 * x - 0.62 * y + 0.64 * z, 0, 1)
    bounce = np.clip(0.9 * y + 0.1 * z, 0, 1) * 0.30
    spot = np.exp(-(((x + 0.36) / 0.20) ** 2) - ((y + 0.44) / 0.14) ** 2)
    edge = flat**4 * 0.25
    colour = (
        paint * (0.20 + 0.86 * light[..., None])
        + 255 * (0.9 * spot + 0.35 * bounce * 0.5 + edge * 0.5 * np.clip(-y + 0.4, 0, 1))[..., None]
    )
    colour = colour + paint * (0.5 * bounce)[..., None]
    return Layer.of(np.minimum(colour, 255).astype(np.float32), disc(side, radius))


def _shadow(radius: int) -> Layer:
    wide, tall = round(radius * 3.0), max(4, round(radius * 0.85))
    y, x = np.mgrid[-1 : 1 : tall * 1j, -1 : 1 : wide * 1j].astype(np.float32)
    alpha = smoothstep(1.0, 0.0, np.hypot(x, y))
    return Layer.of(np.full((tall, wide, 3), 18, np.float32), alpha)


def _backdrop(plan: Plan, width: int, height: int, table: int, bright: bool) -> Picture:
    """Wall and table meet in a soft line; a lamp lights the middle."""
    wall, board, lamp = (
        ("#c9ccd2", "#e6e7e9", "#ffffff") if bright else ("#15151c", "#1e1c22", "#5c5260")
    )
    y = np.arange(height, dtype=np.float32)[:, None]
    share = smoothstep(table - height * 0.05, table + height * 0.05, y)[..., None]
    light = mix(rgb(wall), rgb(board), share)
    pool = falloff(height, width, width * 0.5, height * 0.40, height * (0.55 if bright else 0.36))
    light = mix(np.broadcast_to(light, (height, width, 3)), rgb(lamp), 0.85 * pool[..., None])
    front = smoothstep(0.80, 1.1, y / height)[..., None]
    light = light * (1 - 0.14 * front)
    return to_picture(light, plan.rng("studio"))
