"""A drive through a city of neon at night: lit towers, signs, a wet street, a sports car."""

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Picture
from filmgate.providers.sandbox.painting import (
    Layer,
    falloff,
    gradient,
    mix,
    noise,
    rgb,
    smoothstep,
    to_bytes,
    to_picture,
)
from filmgate.providers.sandbox.palettes import PALETTES
from filmgate.providers.sandbox.scenes.car import Car

_SIGNS = ("#ff2a8c", "#21e6ff", "#ffd23a", "#8d4bff", "#ff5a36", "#3affa0", "#ff4fd8")
_WINDOWS = ("#ffd9a0", "#9fe8ff", "#ff9fd8", "#ffe9c8", "#c8b8ff")
_BLOCK = 2048  # texels along one wall; it repeats
_WALL = 512  # texels from the ground to the tallest roof
_SPEED = 150.0  # texels a second
_MIRROR = 3  # the wet street is drawn at a third of the size


class City:
    """Two walls of buildings to the vanishing point and the street between them."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._horizon = round(height * 0.56)
        self._palette = PALETTES[plan.palette if plan.palette != "day" else "neon"]
        rng = plan.rng("city")
        self._backdrop = self._light(rng)
        self._walls = [_wall(plan.rng(f"wall {side}")) for side in "lr"]
        self._prepare_walls()
        self._prepare_street(plan)
        self._car = Car(plan, width, height)

    def frame(self, t: float) -> Picture:
        """See `Scene.frame`."""
        picture = self._backdrop.copy()
        half = self._width // 2
        for side, wall in enumerate(self._walls):
            map_x = self._along + np.float32((_SPEED * t) % _BLOCK)
            seen = cv2.remap(wall, map_x, self._up, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
            if side:
                seen = cv2.flip(seen, 1)
            area = picture[: self._horizon, half:] if side else picture[: self._horizon, :half]
            cover = cv2.cvtColor(seen[..., 3], cv2.COLOR_GRAY2RGB)
            cover = cv2.multiply(cover, self._near[side], scale=1 / 255)
            Layer(
                cv2.multiply(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), cover, scale=1 / 255),
                cv2.bitwise_not(cover),
            ).over(area)
        self._bloom(picture)
        picture[self._horizon :] = self._street(picture[: self._horizon], t)
        self._car.draw(picture, t)
        return picture

    def _light(self, rng: np.random.Generator) -> Picture:
        palette = self._palette
        column = gradient(palette.sky, self._horizon)[:, None]
        glow = falloff(
            self._horizon,
            self._width,
            self._width / 2,
            self._horizon,
            min(self._width, self._height) * 0.16,
        )
        light = mix(
            np.broadcast_to(column, (self._horizon, self._width, 3)),
            rgb("#ff5fb0"),
            0.6 * glow[..., None],
        )
        whole = np.zeros((self._height, self._width, 3), np.float32)
        whole[: self._horizon] = light
        return to_picture(whole, rng)

    def _prepare_walls(self) -> None:
        """For each pixel of the left half above the horizon: which texel of the wall it shows."""
        half = self._width // 2
        street = 0.30 * self._width + 0.18 * self._height
        from_middle = (half - np.arange(half, dtype=np.float32) + 2)[None]
        depth = street / from_middle  # 1 at a distance of one street's half width
        up = (self._horizon - np.arange(self._horizon, dtype=np.float32))[:, None] * depth
        roof = 1.05 * max(self._height, self._width * 0.5)
        self._along = np.broadcast_to(depth * 300, up.shape).astype(np.float32)
        self._up = np.clip(_WALL - 1 - up / roof * _WALL, 0, _WALL - 1).astype(np.float32)
        near = np.broadcast_to(255 * np.exp(-((depth / 7.5) ** 1.6)), up.shape)
        left = to_bytes(np.repeat(near[..., None], 3, axis=2))
        self._near = left, cv2.flip(left, 1)

    def _prepare_street(self, plan: Plan) -> None:
        rows = -(-(self._height - self._horizon) // _MIRROR)
        columns = self._width // _MIRROR
        below = (np.arange(rows, dtype=np.float32) + 1)[:, None] / rows
        self._below = below
        self._ground_x = (
            (np.arange(columns, dtype=np.float32)[None] - columns / 2) / columns / below
        )
        self._ground_z = np.broadcast_to(1 / below, self._ground_x.shape)
        self._clear = np.exp(-((self._ground_z / 5) ** 2))  # far puddles run together
        self._columns = np.arange(columns, dtype=np.float32)[None]
        field = noise(plan.rng("puddles"), 256, 256, (9, 9), octaves=5)
        self._wet = smoothstep(0.32, 0.62, field)
        self._drops = noise(plan.rng("drops"), 256, 256, (48, 48), octaves=2) - 0.5
        self._asphalt = rgb("#0b0a14")

    def _street(self, above: Picture, t: float) -> Picture:
        """The towers mirrored in the wet street, with lane marks rushing by."""
        rows, columns = self._ground_x.shape
        tall = min(above.shape[0], round(rows * _MIRROR * 1.25))
        small = cv2.resize(above[-tall:], (columns, tall // _MIRROR), interpolation=cv2.INTER_AREA)
        small = cv2.blur(cv2.flip(small, 0), (1, max(9, rows // 9)))
        travel = t * _SPEED / 300
        tile_x = (self._ground_x * 220 % 256).astype(np.float32)
        tile_z = ((self._ground_z + travel) * 110 % 256).astype(np.float32)
        wet = cv2.remap(self._wet, tile_x, tile_z, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        ripple = cv2.remap(
            self._drops, tile_x, tile_z, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )
        bend = ripple * 0.11 * rows * self._below**1.5
        map_y = np.arange(rows, dtype=np.float32)[:, None] + np.abs(bend) * 1.4
        mirror = cv2.remap(
            small,
            (self._columns + bend * 0.6).astype(np.float32),
            np.clip(map_y, 0, small.shape[0] - 1).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        wet = 0.6 + (wet - 0.6) * self._clear
        share = (0.30 + 0.55 * wet) * (1 - 0.35 * self._below)
        ground = self._asphalt + mirror * share[..., None]
        dash = ((self._ground_z + travel) * 1.5 % 1 < 0.45) & (self._ground_z < 9)
        for lane in (-0.17, 0.17):
            line = dash & (np.abs(self._ground_x - lane) < 0.008)
            ground[line] += np.float32(70) * (0.4 + self._below.repeat(columns, 1)[line, None])
        street = to_bytes(ground)
        size = (self._width, self._height - self._horizon)
        return cv2.resize(street, size, interpolation=cv2.INTER_CUBIC)

    def _bloom(self, picture: Picture) -> None:
        area = picture[: self._horizon]
        small = cv2.resize(
            area, (self._width // 8, self._horizon // 8), interpolation=cv2.INTER_AREA
        )
        small = cv2.convertScaleAbs(cv2.GaussianBlur(small, (0, 0), 2.2), alpha=0.85)
        cv2.add(area, cv2.resize(small, (self._width, self._horizon)), dst=area)


def _wall(rng: np.random.Generator) -> Picture:
    """One side of a street as a long picture with alpha: towers, windows and signs."""
    wall = np.zeros((_WALL, _BLOCK, 4), np.uint8)
    x = 0
    while x < _BLOCK:
        wide = min(int(rng.integers(90, 210)), _BLOCK - x)
        tall = int(_WALL * rng.uniform(0.45, 1.0))
        _tower(wall[_WALL - tall :, x : x + wide], rng)
        x += wide
    return cv2.GaussianBlur(wall, (0, 0), 0.7)


def _tower(tower: Picture, rng: np.random.Generator) -> None:
    tall, wide = tower.shape[:2]
    body = mix(rgb("#0a0818"), rgb("#1a1030"), rng.random())
    tower[..., :3] = body
    tower[..., 3] = 255
    tower[:, :2, :3] = 6
    step_y, step_x = int(rng.integers(13, 20)), int(rng.integers(10, 17))
    lit = rng.uniform(0.14, 0.4)
    tone = rgb(str(rng.choice(_WINDOWS)))
    for top in range(10, tall - 34, step_y):
        for left in range(6, wide - step_x, step_x):
            if rng.random() < lit:
                light = tone * rng.uniform(0.25, 0.85)
                tower[top : top + step_y // 2, left : left + step_x - 5, :3] = light
    for _ in range(int(rng.integers(1, 4))):
        _sign(tower, rng)
    shop = rgb(str(rng.choice(_SIGNS)))
    tower[tall - 26 : tall - 20, 8 : wide - 8, :3] = mix(shop, rgb("#ffffff"), 0.25)
    tower[tall - 18 : tall - 3, 10 : wide - 10, :3] = shop * 0.5


def _sign(tower: Picture, rng: np.random.Generator) -> None:
    """A neon sign of made-up strokes, upright or flat."""
    tall, wide = tower.shape[:2]
    code = rgb(str(rng.choice(_SIGNS)))
    w, h = (
        (18, int(rng.integers(70, 130))) if rng.random() < 0.6 else (int(rng.integers(40, 64)), 22)
    )
    left = int(rng.integers(4, max(5, wide - w - 4)))
    top = int(rng.integers(int(tall * 0.25), max(int(tall * 0.25) + 1, tall - h - 40)))
    ink = (*(int(c) for c in mix(code, rgb("#ffffff"), 0.2)), 255)
    cv2.rectangle(
        tower, (left, top), (left + w, top + h), (*(int(c) for c in code * 0.16), 255), -1
    )
    cv2.rectangle(tower, (left, top), (left + w, top + h), ink, 2)
    for place in range(8, max(w, h) - 8, 13):
        x, y = (left + 5, top + place) if h > w else (left + place, top + 6)
        for _ in range(3):
            a, b = rng.integers(0, 9, (2, 2))
            cv2.line(tower, (x + int(a[0]), y + int(a[1])), (x + int(b[0]), y + int(b[1])), ink, 1)
