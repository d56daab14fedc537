"""A planet turning before a nebula and far stars."""

import cv2
import numpy as np

from filmgate.providers.sandbox import camera
from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Floats, Picture
from filmgate.providers.sandbox.painting import (
    Layer,
    cells,
    glow,
    gradient,
    lighten,
    mix,
    noise,
    rgb,
    smoothstep,
    to_bytes,
    to_picture,
)
from filmgate.providers.sandbox.palettes import PALETTES

_SURFACE = 1024  # texels around the planet
_TURN_SECONDS = 70.0
_TILT = np.radians(-20)


class Space:
    """The planet stands; its surface, the stars and the gas drift."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._size = width, height
        rng = plan.rng("space")
        folds = PALETTES[plan.palette].folds
        if plan.colour:
            folds = ((0.0, "#05060c"), (0.45, plan.colour), (0.8, plan.colour), (1.0, "#fff4ea"))
        self._backdrop = _nebula(plan, width, height, gradient(folds, 256))
        self._twinkles = rng.uniform((0, 0, 0), (width, height, 6.3), (46, 3))
        self._star = glow(max(3, min(width, height) // 150), "#ffffff", 2.2)
        self._radius = round(min(width, height) * 0.27)
        self._x = width * (rng.uniform(0.58, 0.66) if width > height else 0.5)
        self._y = height * (0.5 if width > height else 0.38)
        self._planet = _Planet(plan, self._radius, gradient(folds, 256))
        rings = _rings(self._radius, rgb(folds[2][1]))
        self._rings_behind, self._rings_before = rings

    def frame(self, t: float) -> Picture:
        """See `Scene.frame`."""
        picture = camera.look(self._backdrop, camera.view("push", 0.6 * t))
        for x, y, phase in self._twinkles:
            level = max(0.0, 0.45 + 0.55 * np.sin(1.6 * t + phase))
            lighten(picture, cv2.convertScaleAbs(self._star, alpha=level), x, y)
        x = self._x - self._size[0] * 0.03 * np.tanh(t / 20)
        side = self._rings_behind.colour.shape[1] / 2
        self._rings_behind.at(picture, x - side, self._y - side)
        ball = self._planet.frame(t)
        half = ball.colour.shape[0] / 2
        ball.at(picture, x - half, self._y - half)
        self._rings_before.at(picture, x - side, self._y - side)
        return picture


class _Planet:
    """A banded ball lit from the upper left."""

    def __init__(self, plan: Plan, radius: int, colours: Floats) -> None:
        rng = plan.rng("planet")
        side = 2 * radius + 6
        axis = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / radius
        x, y = np.meshgrid(axis, axis)
        x, y = x * np.cos(_TILT) + y * np.sin(_TILT), y * np.cos(_TILT) - x * np.sin(_TILT)
        flat = x * x + y * y
        z = np.sqrt(np.clip(1 - flat, 0, 1))
        self._along = (np.arctan2(x, z) / (2 * np.pi) * _SURFACE).astype(np.float32)
        self._down = ((np.arcsin(np.clip(y, -1, 1)) / np.pi + 0.5) * (_SURFACE // 2 - 1)).astype(
            np.float32
        )
        # Back to picture axes for the light, which does not turn with the tilt.
        px, py = x * np.cos(_TILT) - y * np.sin(_TILT), y * np.cos(_TILT) + x * np.sin(_TILT)
        sun = np.clip(-0.62 * px - 0.42 * py + 0.66 * z, 0, 1)
        self._alpha = np.clip((1 - np.sqrt(flat)) * radius + 0.5, 0, 1).astype(np.float32)
        shade = (0.03 + 1.08 * sun**0.85) * self._alpha
        self._shade = to_bytes(np.repeat(shade[..., None] * 255, 3, 2))
        rim = smoothstep(0.72, 1.0, flat) * sun * self._alpha
        self._rim = to_bytes(rim[..., None] * mix(colours[200], rgb("#ffffff"), 0.3) * 0.6)
        self._behind = to_bytes(np.repeat((1 - self._alpha)[..., None] * 255, 3, 2))
        self._surface = self._bands(rng, colours)

    def _bands(self, rng: np.random.Generator, colours: Floats) -> Picture:
        rows = _SURFACE // 2
        swirl = noise(rng, rows, _SURFACE, (8, 10), octaves=5) - 0.5
        latitude = np.linspace(0, 1, rows, dtype=np.float32)[:, None] + 0.030 * swirl
        bands = noise(rng, 8, rows, (1, 17), octaves=4)[4]
        tone = np.interp(latitude, np.linspace(0, 1, rows), bands) + 0.16 * swirl
        return to_bytes(colours[to_bytes(70 + 165 * tone)])

    def frame(self, t: float) -> Layer:
        along = (self._along + np.float32(t / _TURN_SECONDS * _SURFACE)) % _SURFACE
        seen = cv2.remap(
            self._surface, along, self._down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )
        return Layer(
            cv2.add(cv2.multiply(seen, self._shade, scale=1 / 255), self._rim), self._behind
        )


def _nebula(plan: Plan, width: int, height: int, colours: Floats) -> Picture:
    rng = plan.rng("nebula")
    gas = noise(rng, height, width, cells(height, width, 2.6), octaves=6)
    dust = noise(rng, height, width, cells(height, width, 3.6), octaves=6)
    tone = np.clip(smoothstep(0.36, 0.95, gas) * (0.25 + 0.9 * dust), 0, 1)
    light = colours[(tone * 215).astype(int)] * (0.12 + 0.88 * tone[..., None] ** 0.6)
    other = mix(rgb("#1a3a8a"), colours[150], 0.25)
    light = light + other * (smoothstep(0.5, 0.95, dust) * 0.32 * (1 - tone))[..., None]
    for count, low, high in ((width * height // 900, 15, 90), (width * height // 6000, 90, 230)):
        x, y = rng.integers(0, width, count), rng.integers(0, height, count)
        light[y, x] += rng.uniform(low, high, (count, 1)) * rng.uniform(0.8, 1, (count, 3))
    return to_picture(light, rng)


def _rings(radius: int, tint: Floats) -> tuple[Layer, Layer]:
    """Both halves of the rings: behind the planet and before it."""
    side = round(radius * 4.6)
    axis = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / radius
    x, y = np.meshgrid(axis, axis)
    x, y = x * np.cos(_TILT) + y * np.sin(_TILT), (y * np.cos(_TILT) - x * np.sin(_TILT)) / 0.24
    distance = np.hypot(x, y)
    bands = 0.55 + 0.3 * np.sin(distance * 34) + 0.15 * np.sin(distance * 87 + 1)
    inside = smoothstep(1.38, 1.44, distance) * smoothstep(2.2, 2.12, distance)
    gap = 1 - 0.85 * np.exp(-(((distance - 1.86) / 0.03) ** 2))
    alpha = (inside * gap * bands * 0.8).astype(np.float32)
    light = mix(tint, rgb("#fff2e0"), 0.35) * (0.65 + 0.35 * bands)[..., None]
    # The planet's shadow falls on the far side, away from the light.
    shadow = 1 - 0.75 * smoothstep(1.15, 0.85, np.abs(x - 0.35)) * (y < 0)
    colour = (light * shadow[..., None]).astype(np.float32)
    return tuple(Layer.of(colour, alpha * part) for part in (y < 0, y >= 0))  # type: ignore[return-value]  # two halves
