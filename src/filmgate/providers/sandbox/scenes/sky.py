"""The sky that outdoor scenes stand under: its light, sun or moon, stars, clouds, aurora, birds."""

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Picture
from filmgate.providers.sandbox.painting import (
    Layer,
    disc,
    falloff,
    glow,
    gradient,
    lighten,
    mix,
    noise,
    rgb,
    shine,
    smoothstep,
    to_bytes,
    to_picture,
)
from filmgate.providers.sandbox.palettes import PALETTES

_SOFT = 2  # clouds are drawn at half size
_CLOUD_SPEED = 0.006  # of the width per second


class Sky:
    """A sky of width x height pixels whose lower edge is the horizon."""

    def __init__(self, plan: Plan, width: int, height: int, clouds: float = 1.0) -> None:
        self._size = width, height
        self._palette = palette = PALETTES[plan.palette]
        rng = plan.rng("sky")
        side = -1 if rng.random() < 0.5 else 1
        self.sun_x = width * (0.5 + side * rng.uniform(0.10, 0.22))
        self.sun_y = height * (1 - palette.sun_height)
        unit = min(width, 1.2 * height)
        self._base = self._light(plan, unit)
        self._disc = _disc(palette.sun, round(0.048 * unit), moon=palette.stars > 0.5)
        self._halo = glow(round(0.2 * unit), palette.sun, 2.6, 0.55)
        self._clouds = _clouds(plan, width // _SOFT, height // _SOFT, clouds)
        self._twinkles = [
            (rng.uniform(0, width), height * rng.uniform(0, 0.8), rng.uniform(0, 6.3))
            for _ in range(round(50 * palette.stars))
        ]
        self._star = glow(max(2, height // 170), "#ffffff", 2.0)
        self._aurora = _Aurora(plan, width, height) if plan.palette == "aurora" else None
        flock = plan.palette in {"sunrise", "sunset", "day", "dream"}
        self._birds = _Birds(plan, width, height) if flock else None

    def frame(self, t: float) -> Picture:
        """The sky without the sun's disc, which would glare in a mirror."""
        width, height = self._size
        picture = self._base.copy()
        for x, y, phase in self._twinkles:
            light = 0.55 + 0.45 * np.sin(2.1 * t + phase)
            lighten(picture, cv2.convertScaleAbs(self._star, alpha=light), x, y)
        if self._aurora is not None:
            cv2.add(picture, self._aurora.frame(t), dst=picture)
        if self._clouds is not None:
            columns, rows = width // _SOFT, height // _SOFT
            drift = (_CLOUD_SPEED * t * columns) % columns
            shift = np.array([[1, 0, -drift], [0, 1, 0]], np.float32)
            parts = (
                cv2.resize(cv2.warpAffine(part, shift, (columns, rows)), (width, height))
                for part in (self._clouds.colour, self._clouds.behind)
            )
            Layer(*parts).over(picture)
        if self._birds is not None:
            self._birds.draw(picture, t)
        return picture

    def draw_sun(self, picture: Picture) -> None:
        """The disc and its halo, onto a picture whose top left is the sky's."""
        if self._palette.cloud == PALETTES["storm"].cloud:
            return  # hidden behind the storm
        shine(picture, self._halo, self.sun_x, self.sun_y)
        half = self._disc.colour.shape[0] / 2
        self._disc.at(picture, self.sun_x - half, self.sun_y - half)

    def _light(self, plan: Plan, unit: float) -> Picture:
        width, height = self._size
        palette = self._palette
        rng = plan.rng("sky light")
        column = gradient(palette.sky, height)[:, None]
        near = falloff(height, width, self.sun_x, self.sun_y, 0.20 * unit)
        far = falloff(height, width, self.sun_x, self.sun_y, 0.75 * unit)
        strength = 0.30 if palette.stars > 0.5 else 0.62
        light = mix(
            np.broadcast_to(column, (height, width, 3)), rgb(palette.haze), far[..., None] * 0.3
        )
        light = mix(light, rgb(palette.sun), near[..., None] * strength)
        for _ in range(round(420 * palette.stars)):
            x, y = rng.integers(width), int(height * rng.random() ** 1.4 * 0.92)
            light[y, x] += rng.uniform(20, 150)
        return to_picture(light, rng)


def _disc(code: str, radius: int, moon: bool) -> Layer:
    size = 2 * radius + 4
    alpha = disc(size, radius)
    colour = np.broadcast_to(mix(rgb(code), rgb("#ffffff"), 0.55), (size, size, 3)).copy()
    if moon:
        mare = noise(np.random.default_rng(3), size, size, (3, 3), 3)
        colour -= 42 * smoothstep(0.45, 0.75, mare)[..., None]
    return Layer.of(colour, alpha)


def _clouds(plan: Plan, columns: int, rows: int, amount: float) -> Layer | None:
    """Two widths of clouds that repeat, flatter and smaller towards the horizon."""
    if amount <= 0:
        return None
    palette = PALETTES[plan.palette]
    rng = plan.rng("clouds")
    side = 512
    field = noise(rng, side, side, (7, 6), octaves=6)
    down = np.linspace(1, 0.05, rows, dtype=np.float32)[:, None]  # height above the horizon
    depth = 1 / (down + 0.12)
    across = np.linspace(0, 2 * side, 2 * columns, endpoint=False, dtype=np.float32)[None]
    # The distance between repeats is a whole number of tiles only if no row is scaled sideways.
    map_x = (across + 40 * depth) % side
    map_y = np.broadcast_to((depth * 300 * rows / columns) % side, map_x.shape).astype(np.float32)
    cover = cv2.remap(
        field, map_x.astype(np.float32), map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    stormy = plan.palette == "storm"
    low = 0.36 if stormy else 0.54
    alpha = smoothstep(low, low + 0.26, cover) * amount * smoothstep(0.02, 0.3, down)
    alpha *= 0.9 if palette.stars < 0.5 else 0.4
    lit = smoothstep(low + 0.22, low, cover)[..., None]
    dark = mix(rgb(palette.sky[0][1]), rgb(palette.haze), 0.45)
    colour = mix(dark, rgb(palette.cloud), 0.85 * lit)
    alpha = np.broadcast_to(alpha, cover.shape)
    return Layer.of(cv2.GaussianBlur(colour, (0, 0), 0.8), cv2.GaussianBlur(alpha, (0, 0), 0.8))


class _Aurora:
    """Curtains of light, drawn at a quarter of the size."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._size = width, height
        self._columns, self._rows = width // 4, height // 4
        self._rays = noise(plan.rng("aurora"), 64, 1024, (1, 24), octaves=5)
        self._colours = gradient(
            ((0, "#5a2ad0"), (0.45, "#2a9ad0"), (0.8, "#2af0a0"), (1, "#b8ffdc")), 256
        )

    def frame(self, t: float) -> Picture:
        x = np.linspace(0, 1, self._columns, dtype=np.float32)
        y = np.linspace(0, 1, self._rows, dtype=np.float32)[:, None]
        total = np.zeros((self._rows, self._columns, 3), np.float32)
        for number, (base, speed) in enumerate(((0.72, 0.10), (0.52, -0.07))):
            foot = (
                base
                + 0.12 * np.sin(4.2 * x + t * speed * 4 + number)
                + 0.05 * np.sin(11 * x - t * 0.35 + 2 * number)
            )
            place = ((x + 0.06 * np.sin(3 * x + t * 0.3)) * 620 + t * 14 * (1 - 2 * number)) % 1024
            rays = self._rays[8 + 20 * number, place.astype(int)]
            above = (foot[None] - y) / 0.5
            body = np.where(above > 0, np.exp(-3.2 * above), np.exp(above * 40))
            level = np.clip(body, 0, 1)
            colour = self._colours[(level * 255).astype(int)]
            total += colour * (level * (0.25 + 0.95 * rays[None]) * (0.8 - 0.3 * number))[..., None]
        small = to_bytes(total)
        return cv2.resize(cv2.GaussianBlur(small, (0, 0), 1.2), self._size)


class _Birds:
    """A small flock crossing far away."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        rng = plan.rng("birds")
        self._width, self._height = width, height
        self._ink = tuple(
            int(c) for c in mix(rgb(PALETTES[plan.palette].ground), rgb("#000000"), 0.2)
        )
        self._places = rng.uniform((0, 0.18), (0.3, 0.42), (6, 2))
        self._places[:, 0] += rng.uniform(0.05, 0.5)
        self._phases = rng.uniform(0, 6.3, 6)

    def draw(self, picture: Picture, t: float) -> None:
        span = max(4.0, self._height * 0.016)
        for (x, y), phase in zip(self._places, self._phases, strict=True):
            left = ((x + 0.012 * t) % 1.1 - 0.05) * self._width
            top = (y + 0.01 * np.sin(0.6 * t + phase)) * self._height
            lift = span * (0.25 + 0.45 * np.sin(5.5 * t + phase))
            wings = np.array(
                [
                    (-span, -lift),
                    (-span * 0.45, -lift * 0.8),
                    (0, 0),
                    (span * 0.45, -lift * 0.8),
                    (span, -lift),
                ]
            )
            points = np.round((wings + np.array([left, top])) * 16).astype(np.int32)
            cv2.polylines(picture, [points], False, self._ink, 1, cv2.LINE_AA, 4)
