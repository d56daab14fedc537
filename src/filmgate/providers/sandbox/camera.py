"""Camera moves over a still or a scene: zooming, panning and circling without black edges."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.providers.sandbox.movie import Picture

_ROOM = 1.10
"""How much larger than the frame a picture is shown when the camera moves sideways."""


@dataclass(frozen=True)
class View:
    """Where the camera looks: a zoom of 1 shows everything, shifts are shares of the frame."""

    zoom: float
    x: float = 0.0
    y: float = 0.0


def view(move: str, t: float) -> View:
    """The view `t` seconds into a move; it slows down but never stops or leaves the picture."""
    gone = 1 - math.exp(-t / 9)
    if move == "pull":
        return View(1.22 - 0.20 * gone)
    if move == "pan":
        return View(_ROOM, x=0.045 * (2 * gone - 1))
    if move == "orbit":
        angle = 2 * math.pi * t / 9
        return View(_ROOM + 0.02, x=0.04 * math.sin(angle), y=0.012 * math.cos(angle))
    return View(1 + 0.20 * gone)


def look(picture: Picture, at: View, focus: tuple[float, float] = (0.5, 0.5)) -> Picture:
    """The picture as seen from a view that zooms towards `focus` (shares of width and height)."""
    height, width = picture.shape[:2]
    shrink = 1 / at.zoom
    matrix = np.array(
        [
            [shrink, 0, width * (focus[0] * (1 - shrink) + at.x)],
            [0, shrink, height * (focus[1] * (1 - shrink) + at.y)],
        ],
        np.float32,
    )
    return cv2.warpAffine(
        picture,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
