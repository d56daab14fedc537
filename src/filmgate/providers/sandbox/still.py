"""One image brought to life: the camera moves through it, near parts more than far ones."""

import cv2
import numpy as np

from filmgate.providers.sandbox import camera, images
from filmgate.providers.sandbox.movie import Floats, Picture
from filmgate.providers.sandbox.painting import smoothstep

_DEPTH = 0.5
"""How much more the nearest part moves than the farthest."""
_GRID = 8  # the map of movement is smooth: work it out for every eighth pixel


class Still:
    """A picture seen by a moving camera."""

    def __init__(self, picture: Picture, move: str) -> None:
        """`picture` already has the clip's size."""
        self._picture = picture
        self._move = move
        height, width = picture.shape[:2]
        self._focus = images.focus(picture)
        rows, columns = -(-height // _GRID), -(-width // _GRID)
        self._nearness = _nearness(picture, columns, rows)
        x = (np.arange(columns, dtype=np.float32) + 0.5) * width / columns - 0.5
        y = (np.arange(rows, dtype=np.float32) + 0.5) * height / rows - 0.5
        self._x, self._y = np.meshgrid(x, y)

    def frame(self, t: float) -> Picture:
        """The picture `t` seconds into the move."""
        height, width = self._picture.shape[:2]
        at = camera.view(self._move, t)
        pull = 1 - _DEPTH / 2 + _DEPTH * self._nearness
        shrink = 1 / (1 + (at.zoom - 1) * pull)
        middle_x, middle_y = self._focus[0] * width, self._focus[1] * height
        map_x = middle_x + (self._x - middle_x) * shrink + width * at.x * pull
        map_y = middle_y + (self._y - middle_y) * shrink + height * at.y * pull
        return cv2.remap(
            self._picture,
            _enlarged(map_x, width, height),
            _enlarged(map_y, width, height),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )


def _enlarged(small: Floats, width: int, height: int) -> Floats:
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _nearness(picture: Picture, columns: int, rows: int) -> Floats:
    """A guess at depth, 0 far to 1 near: what draws the eye is near, and so is the ground."""
    busy = cv2.resize(images.interest(picture), (columns, rows))
    low, high = np.percentile(busy, (30, 97))
    busy = smoothstep(float(low), float(max(high, low + 0.01)), busy)  # a blank image has no depth
    ground = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    guess = 0.6 * busy + 0.4 * ground
    return cv2.GaussianBlur(guess, (0, 0), max(columns, rows) / 22)
