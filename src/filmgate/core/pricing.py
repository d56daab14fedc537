"""What a video costs: a model's prices and a request give a quote; the real clip gives the charge.

All money is whole micro-dollars (1 USD = 1,000,000); nothing here is a float but lengths in
seconds, which are rounded up to whole milliseconds before they meet a price.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from filmgate.core.video import Resolution, VideoRequest

# Ceilings of clips whose length is not known when the quote is made (contracts, section 3).
EDIT_SECONDS_MAX = 8.7
EXTEND_INPUT_SECONDS_MAX = 15.0


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model's prices in micro-dollars: per second made, by resolution, and per input.

    ``settle`` says what a finished clip is charged: what was ``quoted``, its real ``duration``, or
    the ``cost`` that the upstream names (the quote, where it names none); never more than the hold.
    """

    per_second: dict[Resolution, int]
    per_image: int = 0
    per_input_second: int = 0
    settle: Literal["quoted", "duration", "cost"] = "quoted"


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The price frozen onto a task: ``hold`` micro-dollars are set aside when it is created.

    The charge never exceeds the hold. For a clip whose length is not known yet (edit, extend) the
    hold is the dearest case and the rest comes back when the real length is known.
    """

    hold: int
    prices: Prices
    images: int = 0
    fixed: bool = True

    def charge(
        self,
        *,
        seconds_made: float,
        input_seconds: float,
        short_side: int,
        cost: int | None = None,
    ) -> int:
        """Micro-dollars due for the clip that was really made.

        ``seconds_made`` is what was newly made (the added part of an extension), ``short_side``
        the clip's smaller dimension in pixels, which decides its resolution tier, ``cost`` what
        the upstream says it charged, in micro-dollars.
        """
        if self.prices.settle == "cost" and cost is not None:
            return min(max(cost, 0), self.hold)
        if self.fixed and self.prices.settle != "duration":
            return self.hold
        rate = self.prices.per_second[_tier(self.prices, short_side)]
        due = (
            _times(rate, seconds_made)
            + _times(self.prices.per_input_second, input_seconds)
            + self.prices.per_image * self.images
        )
        return min(due, self.hold)


def quote(prices: Prices, request: VideoRequest) -> Quote:
    """Price ``request``. Generation is exact; edit and extend hold the dearest case.

    Raises ``KeyError`` when the model has no price for the resolution, which ``catalog.fit``
    rules out beforehand.
    """
    images = len(request.images)
    if request.operation == "generate":
        rate = prices.per_second[request.resolution or "480p"]
        hold = rate * request.seconds + prices.per_image * images
        return Quote(hold=hold, prices=prices, images=images)
    dearest = max(prices.per_second.values())
    made, given = (
        (EDIT_SECONDS_MAX, EDIT_SECONDS_MAX)
        if request.operation == "edit"
        else (float(request.seconds), EXTEND_INPUT_SECONDS_MAX)
    )
    hold = _times(dearest, made) + _times(prices.per_input_second, given)
    hold += prices.per_image * images
    return Quote(hold=hold, prices=prices, images=images, fixed=False)


def _times(rate: int, seconds: float) -> int:
    """``rate`` micro-dollars a second for ``seconds``, rounded up to a whole micro-dollar."""
    milliseconds = math.ceil(round(seconds * 1000, 6))
    return -(-rate * milliseconds // 1000)


def _tier(prices: Prices, short_side: int) -> Resolution:
    """The cheapest offered resolution at least as large as the clip, or the largest offered."""
    offered = sorted(prices.per_second, key=lambda name: int(name[:-1]))
    return next((name for name in offered if int(name[:-1]) >= short_side), offered[-1])
