"""Stretches of land that slide past at their own distance: for hills and dunes."""

from dataclasses import dataclass

import numpy as np

from filmgate.providers.sandbox.movie import Picture
from filmgate.providers.sandbox.painting import Layer

OVERHANG = 0.25
"""How much wider than the picture a stretch is, so that it can slide."""
_SLIDE_SECONDS = 60  # after so long a stretch has used most of its overhang


@dataclass(frozen=True)
class Stretch:
    """A strip of land across the picture."""

    layer: Layer
    top: float
    """Of its upper edge, in pixels from the top of the picture."""
    nearness: float
    """0 stands still, 1 slides the whole overhang."""

    def draw(self, picture: Picture, t: float, sink: float = 0.0) -> None:
        """Draw in place at time `t`, moved down by `sink` pixels."""
        width = picture.shape[1]
        room = self.layer.colour.shape[1] - width - 3
        slid = 1 + room * self.nearness * float(np.tanh(t / _SLIDE_SECONDS))
        left = int(slid)
        seen = slice(left, left + width + 2)
        window = Layer(self.layer.colour[:, seen], self.layer.behind[:, seen])
        window.at(picture, left - slid, self.top + sink)
