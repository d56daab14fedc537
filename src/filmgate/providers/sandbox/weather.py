"""What falls or floats in front of a picture: rain, snow, petals, leaves, lights, lanterns."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Picture
from filmgate.providers.sandbox.painting import Layer, glow, lighten, rgb


class Weather:
    """The particles a prompt names, drawn over any picture."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._kinds = [KINDS[name](plan, width, height) for name in plan.particles]

    def draw(self, picture: Picture, t: float) -> None:
        """Draw on `picture` in place, `t` seconds in."""
        for kind in self._kinds:
            kind.draw(picture, t)


class _Rain:
    """Two sheets of streaks that fall past and repeat."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        rng = plan.rng("rain")
        self._sheets = [
            (_streaks(rng, width, height, count, length, light), speed)
            for count, length, light, speed in ((240, 0.05, 70, 1.5), (90, 0.10, 120, 2.3))
        ]

    def draw(self, picture: Picture, t: float) -> None:
        height = picture.shape[0]
        for sheet, speed in self._sheets:
            split = round(t * speed * height) % height
            # The sheet has moved down by `split`: its lower end comes in again at the top.
            for part, rows in (
                (sheet[height - split :], slice(0, split)),
                (sheet[: height - split], slice(split, None)),
            ):
                if part.size:
                    cv2.add(picture[rows], part, dst=picture[rows])


def _streaks(
    rng: np.random.Generator, width: int, height: int, count: int, length: float, light: int
) -> Picture:
    sheet: Picture = np.zeros((height, width), np.uint8)
    for x, y, share in rng.random((count, 3)):
        long = length * min(width, height) * (0.6 + 0.7 * share)
        level = round(light * (0.45 + 0.55 * share))
        for lift in (0, height):  # a streak cut by the lower edge goes on at the upper
            a = np.array([x * width, y * height - lift])
            b = a + np.array([-0.12 * long, long])
            start, end = (tuple(int(v) for v in np.round(p * 16)) for p in (a, b))
            cv2.line(sheet, start, end, level, 1, cv2.LINE_AA, 4)
    if height >= 720:
        sheet = cv2.convertScaleAbs(cv2.GaussianBlur(sheet, (3, 1), 0), alpha=1.5)
    return cv2.cvtColor(sheet, cv2.COLOR_GRAY2RGB)


@dataclass(frozen=True)
class _Swarm:
    """Where many particles are: they drift at their own pace and come back on the other side."""

    start: np.ndarray
    pace: np.ndarray
    phase: np.ndarray
    sway: float

    @classmethod
    def of(
        cls, rng: np.random.Generator, count: int, drift: tuple[float, float], sway: float
    ) -> "_Swarm":
        """`drift` is in widths and heights a second."""
        pace = np.array(drift) * rng.uniform(0.6, 1.4, (count, 1))
        return cls(rng.random((count, 2)), pace, rng.uniform(0, 6.3, count), sway)

    def places(self, picture: Picture, t: float) -> np.ndarray:
        """Their points on `picture` in pixels, count x 2."""
        height, width = picture.shape[:2]
        shares = self.start + self.pace * t
        shares[:, 0] += self.sway * np.sin(0.9 * t + self.phase)
        return ((shares + 0.1) % 1.2 - 0.1) * (width, height)


class _Snow:
    """Soft flakes of three sizes."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        rng = plan.rng("snow")
        short = min(width, height)
        self._sizes = [
            (
                _Swarm.of(rng, count, (0.01, speed), 0.012),
                glow(max(2, round(short * radius)), "#ffffff", 1.1, light),
            )
            for count, radius, speed, light in (
                (110, 0.005, 0.07, 0.6),
                (70, 0.008, 0.11, 0.8),
                (24, 0.014, 0.17, 0.8),
            )
        ]

    def draw(self, picture: Picture, t: float) -> None:
        for swarm, flake in self._sizes:
            for x, y in swarm.places(picture, t):
                lighten(picture, flake, x, y)


class _Lights:
    """Points of light that wander and breathe: fireflies, or embers that rise."""

    def __init__(
        self,
        plan: Plan,
        width: int,
        height: int,
        codes: tuple[str, ...],
        drift: tuple[float, float],
    ) -> None:
        rng = plan.rng(f"lights {codes[0]}")
        short = min(width, height)
        self._swarm = _Swarm.of(rng, 46, drift, 0.03)
        self._glows = [
            glow(max(3, round(short * rng.uniform(0.008, 0.022))), code, 2.4) for code in codes * 2
        ]

    def draw(self, picture: Picture, t: float) -> None:
        for number, (x, y) in enumerate(self._swarm.places(picture, t)):
            level = max(0.0, 0.35 + 0.65 * np.sin(1.7 * t + 2.3 * number))
            light = self._glows[number % len(self._glows)]
            lighten(picture, cv2.convertScaleAbs(light, alpha=level), x, y)


class _Flutter:
    """Small flat things that turn as they fall: petals, leaves."""

    def __init__(
        self, plan: Plan, width: int, height: int, codes: tuple[str, ...], size: float
    ) -> None:
        rng = plan.rng(f"flutter {codes[0]}")
        self._swarm = _Swarm.of(rng, 44, (0.03, 0.075), 0.03)
        self._scale = min(width, height) * size * rng.uniform(0.6, 1.35, 44)
        shades = [rgb(code) * rng.uniform(0.85, 1.0) for code in codes * 3]
        self._inks = [tuple(int(c) for c in shade) for shade in shades]

    def draw(self, picture: Picture, t: float) -> None:
        phases = self._swarm.phase
        for number, (x, y) in enumerate(self._swarm.places(picture, t)):
            tilt = np.sin(1.8 * t + phases[number])
            long = self._scale[number]
            axes = round(long * 16), round(long * (0.15 + 0.45 * abs(tilt)) * 16)
            box = round(x * 16), round(y * 16)
            turn = float(np.degrees(phases[number]) + 50 * t * (1 if number % 2 else -1))
            ink = self._inks[number % len(self._inks)]
            cv2.ellipse(picture, box, axes, turn, 0, 360, ink, -1, cv2.LINE_AA, 4)


class _Lanterns:
    """Paper lanterns that rise, lit from inside."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        rng = plan.rng("lanterns")
        short = min(width, height)
        self._sizes = [
            (
                _Swarm.of(rng, count, (0.004, -speed), 0.008),
                _lantern(round(short * size)),
                glow(round(short * size * 2), "#ff9a3a", 2.4, 0.45),
            )
            for count, size, speed in ((14, 0.022, 0.014), (9, 0.036, 0.022), (4, 0.06, 0.032))
        ]

    def draw(self, picture: Picture, t: float) -> None:
        for swarm, body, light in self._sizes:
            for x, y in swarm.places(picture, t):
                lighten(picture, light, x, y)
                body.at(picture, x - body.colour.shape[1] / 2, y - body.colour.shape[0] / 2)


def _lantern(tall: int) -> Layer:
    wide = max(4, round(tall * 0.8))
    y, x = np.mgrid[0 : 1 : tall * 1j, -1 : 1 : wide * 1j].astype(np.float32)
    half = 0.72 + 0.22 * np.sin(np.pi * (y * 0.85 + 0.1))
    alpha = np.clip((half - np.abs(x)) * wide / 2 + 0.5, 0, 1) * np.clip((1 - y) * tall, 0, 1)
    light = np.clip(0.35 + 0.75 * y - 0.25 * np.abs(x), 0, 1)[..., None]
    return Layer.of(rgb("#b8460e") + (rgb("#ffe08a") - rgb("#b8460e")) * light, alpha)


def _fireflies(plan: Plan, width: int, height: int) -> _Lights:
    return _Lights(plan, width, height, ("#ffe66a", "#c8ff6a"), (0.006, -0.006))


def _embers(plan: Plan, width: int, height: int) -> _Lights:
    return _Lights(plan, width, height, ("#ff8a2a", "#ffc04a"), (0.015, -0.09))


def _petals(plan: Plan, width: int, height: int) -> _Flutter:
    return _Flutter(plan, width, height, ("#ffc2d6", "#ff9cbd", "#ffe3ec"), 0.011)


def _leaves(plan: Plan, width: int, height: int) -> _Flutter:
    return _Flutter(plan, width, height, ("#d9772a", "#b8401c", "#e8b13a"), 0.015)


KINDS: dict[str, Callable[[Plan, int, int], "_Rain | _Snow | _Lights | _Flutter | _Lanterns"]] = {
    "rain": _Rain,
    "snow": _Snow,
    "petals": _petals,
    "fireflies": _fireflies,
    "embers": _embers,
    "lanterns": _Lanterns,
    "leaves": _leaves,
}
"""A particle's name in the vocabulary, and what draws it."""
