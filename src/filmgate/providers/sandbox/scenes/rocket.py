"""A rocket that takes off on a column of fire and smoke."""

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Picture
from filmgate.providers.sandbox.painting import Layer, glow, lighten, mix, noise, rgb, to_bytes
from filmgate.providers.sandbox.palettes import PALETTES

_FINE = 3
_IGNITION = 0.7  # seconds
_PUFF_EVERY, _PUFF_LIFE = 0.055, 5.0  # seconds
_SIZES = 10
_CRYSTAL = ("#eaffff", "#9fe9ff", "#48b4ff", "#2a6ae0", "#173a94")
_METAL = ("#ffffff", "#e4e8ee", "#b4bcc8", "#7f8896", "#4c5564")


class Rocket:
    """Stands on the dunes, lights its engine and climbs until it is far and small."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._tall = round(height * 0.30 if width >= height else height * 0.22)
        shades = _CRYSTAL if "crystal" in plan.subjects else _METAL
        self._body = _body(self._tall, shades)
        self._x = width * 0.47
        self._ground = height * 0.80
        self._flash = glow(round(self._tall * 0.95), "#ffa23a", 2.0, 1.0)
        self._flame = _flame(round(self._tall * 0.34), round(self._tall * 1.0))
        self._puffs = _puffs(plan, self._tall)
        rng = plan.rng("rocket")
        self._jitter = rng.uniform(-1, 1, 512)

    def climbed(self, t: float) -> float:
        """How far it is on its way, 0 on the ground to 1 far away."""
        flown = max(t - _IGNITION, 0.0)
        return 1 - 1 / (1 + (flown / 4.2) ** 2)

    def draw(self, picture: Picture, t: float, sink: float) -> None:
        """Draw in place; the ground has sunk by `sink` pixels."""
        lit = float(np.clip((t - _IGNITION * 0.4) / 0.5, 0, 1))
        self._smoke(picture, t, sink)
        x, foot, scale = self._place(t, sink)
        if lit > 0:
            self._fire(picture, t, x, foot, scale * lit)
        size = (
            max(4, round(self._body.colour.shape[1] * scale)),
            max(8, round(self._body.colour.shape[0] * scale)),
        )
        body = Layer(
            *(
                cv2.resize(p, size, interpolation=cv2.INTER_AREA)
                for p in (self._body.colour, self._body.behind)
            )
        )
        body.at(picture, x - size[0] / 2, foot - size[1])

    def _place(self, t: float, sink: float) -> tuple[float, float, float]:
        """The middle and foot in pixels, and the scale."""
        share = self.climbed(t)
        shake = self._jitter[int(t * 48) % 512] * self._tall * 0.006 * (t > _IGNITION * 0.4)
        foot = self._ground + sink - share * (self._height * 0.52 + sink)
        return self._x + shake, foot, 1 - 0.45 * share

    def _fire(self, picture: Picture, t: float, x: float, foot: float, scale: float) -> None:
        flicker = 0.86 + 0.14 * self._jitter[int(t * 30) % 512]
        lighten(picture, _scaled(self._flash, 0.8 * scale * flicker), x, foot)
        wide, long = self._flame.shape[1] * scale, self._flame.shape[0] * scale * flicker
        flame = cv2.resize(self._flame, (max(3, round(wide)), max(3, round(long))))
        lighten(picture, flame, x, foot + long * 0.5 - self._tall * 0.05 * scale)

    def _smoke(self, picture: Picture, t: float, sink: float) -> None:
        first = max(0, int((t - _PUFF_LIFE) / _PUFF_EVERY))
        for number in range(first, int(max(t - _IGNITION * 0.4, 0) / _PUFF_EVERY)):
            born = _IGNITION * 0.4 + number * _PUFF_EVERY
            age = t - born
            if not 0 < age < _PUFF_LIFE:
                continue
            _, foot, scale = self._place(born, sink)
            drift = self._jitter[number % 512]
            on_ground = max(0.0, 1 - 3.5 * self.climbed(born))
            x = self._x + drift * self._tall * (0.05 + 0.10 * age + 0.75 * on_ground * age**0.7)
            y = foot + self._tall * (0.30 * scale * (1 - on_ground) + 0.02 * age)
            y = min(y, self._ground + sink + self._tall * 0.05)
            grown = min(_SIZES - 1, int(_SIZES * (0.15 + 0.85 * age / _PUFF_LIFE)))
            faded = min(3, int(4 * (age / _PUFF_LIFE) ** 1.5))
            puff = self._puffs[faded][grown]
            side = puff.colour.shape[0]
            puff.at(picture, x - side / 2, y - side / 2)


def _flame(wide: int, tall: int) -> Picture:
    """A jet that is white at the nozzle and orange at its end, nozzle at the upper edge."""
    y, x = np.mgrid[0 : 1 : tall * 1j, -1 : 1 : wide * 1j].astype(np.float32)
    half = 0.16 + 0.34 * np.sin(np.pi * np.clip(y + 0.12, 0, 1) ** 0.6)
    body = np.exp(-((x / half) ** 2)) * (1 - y) ** 1.1 * np.clip(y * 14, 0, 1)
    heat = np.clip(body * 1.5 - 0.3 - 0.5 * y, 0, 1)[..., None]
    light = mix(rgb("#ff6a18"), rgb("#fff6d8"), heat) * np.clip(body * 1.4, 0, 1)[..., None]
    return to_bytes(light)


def _scaled(light: Picture, scale: float) -> Picture:
    side = max(3, round(light.shape[0] * scale))
    return cv2.resize(light, (side, side), interpolation=cv2.INTER_LINEAR)


def _puffs(plan: Plan, tall: int) -> list[list[Layer]]:
    """Clouds of dust by how faded and how large they are."""
    palette = PALETTES[plan.palette]
    rng = plan.rng("puffs")
    side = 96
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    distance = np.hypot(*np.meshgrid(axis, axis))
    field = noise(rng, side, side, (3, 3), 4)
    alpha = np.clip(1.05 - distance - 0.55 * field, 0, 1) ** 0.9
    light = (0.5 - 0.5 * axis)[:, None] * 0.6 + 0.4 * field
    dusk = mix(rgb(palette.haze), rgb(palette.ground), 0.35)
    colour = mix(dusk, rgb("#fff0dc"), light[..., None])
    return [
        [
            Layer.of(cv2.resize(colour, (size, size)), cv2.resize(alpha * opacity, (size, size)))
            for size in np.linspace(tall * 0.14, tall * 0.62, _SIZES).astype(int)
        ]
        for opacity in (0.80, 0.58, 0.36, 0.15)
    ]


def _body(tall: int, shades: tuple[str, ...]) -> Layer:
    """A pointed hull of facets with three fins and a round window, foot at the lower edge."""
    wide = round(tall * 0.46)
    rows, columns = tall * _FINE, wide * _FINE
    colour = np.zeros((rows, columns, 3), np.float32)
    cover = np.zeros((rows, columns), np.float32)
    paints = [rgb(code) for code in shades]

    def facet(shade: int, *points: tuple[float, float]) -> None:
        place = np.round(np.array(points) * (columns - 1, rows - 1)).astype(np.int32)
        mask = np.zeros((rows, columns), np.uint8)
        cv2.fillPoly(mask, [place], 255)
        share = mask.astype(np.float32) / 255
        down = np.linspace(1.08, 0.86, rows, dtype=np.float32)[:, None, None]
        colour[:] = mix(colour, np.minimum(paints[shade] * down, 255), share[..., None])
        np.maximum(cover, share, out=cover)

    facet(3, (0.30, 0.60), (0.02, 0.86), (0.03, 1.0), (0.34, 0.86))
    facet(2, (0.30, 0.60), (0.02, 0.86), (0.16, 0.90), (0.34, 0.74))
    facet(4, (0.70, 0.60), (0.98, 0.86), (0.97, 1.0), (0.66, 0.86))
    facet(3, (0.70, 0.60), (0.98, 0.86), (0.84, 0.90), (0.66, 0.74))
    facet(4, (0.40, 0.88), (0.60, 0.88), (0.64, 0.96), (0.36, 0.96))
    facet(0, (0.50, 0.0), (0.27, 0.34), (0.42, 0.38))
    facet(1, (0.50, 0.0), (0.42, 0.38), (0.60, 0.36))
    facet(2, (0.50, 0.0), (0.60, 0.36), (0.73, 0.34))
    facet(1, (0.27, 0.34), (0.42, 0.38), (0.38, 0.66), (0.26, 0.62))
    facet(0, (0.42, 0.38), (0.60, 0.36), (0.62, 0.66), (0.38, 0.66))
    facet(3, (0.60, 0.36), (0.73, 0.34), (0.74, 0.62), (0.62, 0.66))
    facet(2, (0.26, 0.62), (0.38, 0.66), (0.42, 0.90), (0.34, 0.88))
    facet(1, (0.38, 0.66), (0.62, 0.66), (0.58, 0.90), (0.42, 0.90))
    facet(4, (0.62, 0.66), (0.74, 0.62), (0.66, 0.88), (0.58, 0.90))
    facet(3, (0.50, 0.66), (0.45, 0.90), (0.50, 0.985), (0.55, 0.90))
    centre = round(0.5 * columns), round(0.46 * rows)
    for radius, shade in ((0.105, 4), (0.078, 1)):
        cv2.circle(colour, centre, round(radius * columns), paints[shade].tolist(), -1, cv2.LINE_AA)
    cv2.circle(colour, centre, round(0.062 * columns), (18, 38, 84), -1, cv2.LINE_AA)
    size = (wide, tall)
    return Layer.of(
        cv2.resize(colour, size, interpolation=cv2.INTER_AREA),
        cv2.resize(cover, size, interpolation=cv2.INTER_AREA),
    )
