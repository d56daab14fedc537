"""Several images as one clip: each is held under a slow push and melts into the next."""

from itertools import pairwise

import cv2
import numpy as np

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Floats, Picture
from filmgate.providers.sandbox.painting import noise, smoothstep
from filmgate.providers.sandbox.still import Still

_MELT_SHARE, _LONGEST_MELT = 0.42, 1.3
"""A melt's length: a share of one image's time, and at most so many seconds."""
_FLOW_WIDTH = 256
_FLOW_REACH = 0.09
"""How far (share of the width) the flow may carry a point: unrelated images have no true flow."""


class References:
    """The images in their order, over the length of the clip."""

    def __init__(self, pictures: list[Picture], plan: Plan, seconds: float) -> None:
        """The pictures already have the clip's size; there are at least two."""
        move = plan.camera or "push"
        self._turn = seconds / len(pictures)
        self._melt = min(_MELT_SHARE * self._turn, _LONGEST_MELT)
        self._stills = [Still(picture, move) for picture in pictures]
        self._joins = [
            _Join(a, b, plan.rng(f"join {number}"))
            for number, (a, b) in enumerate(pairwise(pictures))
        ]

    def frame(self, t: float) -> Picture:
        """The picture `t` seconds into the clip."""
        nearest = min(max(round(t / self._turn), 1), len(self._joins))
        share = (t - nearest * self._turn) / self._melt + 0.5
        if 0 < share < 1:
            before, after = self._shown(nearest - 1, t), self._shown(nearest, t)
            return self._joins[nearest - 1].between(before, after, share)
        return self._shown(nearest if share >= 1 else nearest - 1, t)

    def _shown(self, index: int, t: float) -> Picture:
        begin = max(index * self._turn - self._melt / 2, 0)
        return self._stills[index].frame(t - begin)


class _Join:
    """The way from one picture to the next."""

    def __init__(self, a: Picture, b: Picture, rng: np.random.Generator) -> None:
        height, width = a.shape[:2]
        self._size = width, height
        small = _FLOW_WIDTH, round(_FLOW_WIDTH * height / width)
        self._forth, self._back = _flow(a, b, small), _flow(b, a, small)
        self._pattern = noise(rng, small[1], small[0], (5, 8), octaves=5)
        x = np.arange(small[0], dtype=np.float32)
        y = np.arange(small[1], dtype=np.float32)
        self._grid = np.dstack(np.meshgrid(x, y))

    def between(self, before: Picture, after: Picture, share: float) -> Picture:
        """Both pictures bent towards each other, the second coming through in patches."""
        eased = share * share * (3 - 2 * share)
        # Bent along the flow that leads back from where a point is going to where it was.
        first = self._bent(before, self._back, eased)
        second = self._bent(after, self._forth, 1 - eased)
        cover = smoothstep(0.0, 0.35, eased * 1.35 - self._pattern)
        cover = cv2.resize(cover, self._size, interpolation=cv2.INTER_LINEAR)
        return cv2.blendLinear(second, first, cover, 1 - cover)

    def _bent(self, picture: Picture, flow: Floats, share: float) -> Picture:
        scale = self._size[0] / flow.shape[1]
        maps = cv2.resize((self._grid + flow * share) * scale, self._size)
        return cv2.remap(
            picture,
            maps[..., 0],
            maps[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )


def _flow(a: Picture, b: Picture, size: tuple[int, int]) -> Floats:
    """Dense optical flow from `a` to `b` in pixels of the small size, smoothed and bounded."""
    first, second = (
        cv2.cvtColor(cv2.resize(p, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        for p in (a, b)
    )
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found = finder.calc(first, second, np.zeros((*first.shape, 2), np.float32))
    flow = cv2.GaussianBlur(found, (0, 0), 6)
    reach = _FLOW_REACH * size[0]
    return np.asarray(np.tanh(flow / reach) * reach, np.float32)
