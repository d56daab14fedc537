"""Which channels could make a request, and in which order to ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from filmgate.core.catalog import Model
from filmgate.core.channel import Channel


def eligible(
    channels: Iterable[Channel], model: Model, expressible: Callable[[Channel], bool]
) -> list[Channel]:
    """The channels that serve, make this model, and have words for the request."""
    return [
        channel
        for channel in channels
        if channel.serving and channel.theirs(model) is not None and expressible(channel)
    ]


def ranked(channels: Iterable[Channel], dice: Random) -> list[Channel]:
    """Lower priorities first; within one, drawn by weight (a weight of 0 is drawn last)."""
    # The k-th smallest of exponential draws with these rates is a weighted draw without repeats.
    return sorted(
        channels,
        key=lambda channel: (
            channel.priority,
            dice.expovariate(channel.weight) if channel.weight > 0 else float("inf"),
        ),
    )
