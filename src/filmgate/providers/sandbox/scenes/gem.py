"""A cut gem that turns and sparkles, for showing off a product."""

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Floats, Picture
from filmgate.providers.sandbox.painting import falloff, glow, lighten, mix, rgb, to_bytes

_SIDES = 8
_TURN_SECONDS = 9.0
_PITCH = np.radians(17)
_ICE = "#a9cdea"


class Gem:
    """A brilliant: a flat table, a crown, and a long point below."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        self._size = round(min(width, height) * 0.245)
        self._x, self._y = width * 0.5, height * 0.47
        self._floor = height * 0.80
        self._tint = rgb(plan.colour) if plan.colour not in {"", "#eef0f2"} else rgb(_ICE)
        self._faces = _faces()
        self._spark = _spark(self._size // 3)
        self._pool = glow(round(self._size * 1.5), plan.colour or _ICE, 1.8, 0.30)
        self._pool = cv2.resize(self._pool, None, fx=1.0, fy=0.24, interpolation=cv2.INTER_AREA)

    def draw(self, picture: Picture, t: float) -> None:
        """Draw in place at time `t`."""
        lighten(picture, self._pool, self._x, self._floor)
        angle = 2 * np.pi * t / _TURN_SECONDS
        y = self._y + self._size * 0.03 * np.sin(1.2 * t)
        turned = [_turned(face, angle) for face in self._faces]
        turned.sort(key=lambda face: float(face[:, 2].mean()))
        glints = []
        for face in turned:
            normal = np.cross(face[1] - face[0], face[2] - face[0])
            normal /= np.linalg.norm(normal)
            if normal @ face.mean(0) < 0:
                normal = -normal
            shine = self._fill(picture, face, normal, angle, y)
            if shine > 0.9 and normal[2] > 0.1:
                glints.append((shine, face.mean(0)))
        for shine, middle in glints[:3]:
            light = cv2.convertScaleAbs(self._spark, alpha=float(min((shine - 0.9) * 9, 1)))
            lighten(picture, light, self._x + middle[0] * self._size, y - middle[1] * self._size)

    def _fill(
        self, picture: Picture, face: Floats, normal: Floats, angle: float, y: float
    ) -> float:
        """Paint one facet; how brightly it flashes, 0 to 1."""
        front = normal[2] > 0
        # What a facet throws back changes quickly as it turns: that is a gem's fire.
        fire = 0.5 + 0.5 * np.sin(9 * normal[0] + 6 * normal[1] + 3 * angle)
        sun = max(0.0, float(normal @ np.array([-0.45, 0.72, 0.53])))
        level = 0.16 + 0.50 * fire * (0.9 if front else 0.6) + 0.75 * sun**3
        colour = mix(self._tint * 0.30, self._tint, min(level * 1.25, 1.0))
        colour = mix(colour, rgb("#ffffff"), float(np.clip(level * 1.15 - 0.45, 0, 0.95)))
        points = np.stack([self._x + face[:, 0] * self._size, y - face[:, 1] * self._size], 1)
        place = np.round(points * 16).astype(np.int32)
        low = np.maximum(points.min(0).astype(int) - 2, 0)
        high = points.max(0).astype(int) + 3
        area = picture[low[1] : high[1], low[0] : high[0]]
        layer = area.copy()
        cv2.fillPoly(layer, [place - (low * 16).astype(np.int32)], colour.tolist(), cv2.LINE_AA, 4)
        opacity = 0.62 if front else 0.9
        cv2.addWeighted(layer, opacity, area, 1 - opacity, 0, dst=area)
        if front:
            edge = mix(colour, rgb("#ffffff"), 0.45).tolist()
            cv2.polylines(picture, [place], True, edge, 1, cv2.LINE_AA, 4)
        return float(fire * sun * 1.25) if front else 0.0


def _faces() -> list[Floats]:
    """The facets as corner points; x right, y up, z towards the eye; the girdle has radius 1."""
    around = np.arange(_SIDES) * 2 * np.pi / _SIDES

    def circle(radius: float, y: float, turn: float = 0.0) -> Floats:
        a = around + turn
        return np.stack([radius * np.cos(a), np.full(_SIDES, y), radius * np.sin(a)], 1)

    half = np.pi / _SIDES
    table, girdle = circle(0.56, 0.52), circle(1.0, 0.16, half)
    belt, point = circle(0.62, -0.32), np.array([0.0, -1.05, 0.0])
    faces = [table]
    for i in range(_SIDES):
        j = (i + 1) % _SIDES
        faces += [
            np.array([table[i], table[j], girdle[i]]),
            np.array([table[j], girdle[i], girdle[j]]),
            np.array([girdle[i], girdle[j], belt[j]]),
            np.array([girdle[i], belt[j], belt[i]]),
            np.array([belt[i], belt[j], point]),
        ]
    return faces


def _turned(face: Floats, angle: float) -> Floats:
    c, s = np.cos(angle), np.sin(angle)
    x, z = face[:, 0] * c + face[:, 2] * s, face[:, 2] * c - face[:, 0] * s
    cp, sp = np.cos(_PITCH), np.sin(_PITCH)
    y, z = face[:, 1] * cp - z * sp, face[:, 1] * sp + z * cp
    return np.stack([x, y, z], 1)


def _spark(radius: int) -> Picture:
    """A star of light with four rays."""
    side = 2 * radius + 1
    level = falloff(side, side, radius, radius, radius * 0.05) ** 1.2
    axis = np.abs(np.linspace(-1, 1, side, dtype=np.float32))
    ray = np.exp(-axis * 40)
    fade = np.clip(1 - axis, 0, 1) ** 2
    level = level + ray[None] * fade[:, None] + ray[:, None] * fade[None]
    level *= np.clip(1 - np.hypot(*np.meshgrid(axis, axis)), 0, 1)
    return to_bytes(np.repeat(level[..., None] * 255, 3, 2))
