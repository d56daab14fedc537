"""Routing: what a channel can make and say decides whether it is asked, rank and weight when."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from filmgate.app import shipped_catalog
from filmgate.core.channel import Channel
from filmgate.core.errors import StillRunning, TaskFailed, Unavailable
from filmgate.core.pricing import Prices, Quote
from filmgate.core.routing import ranked
from filmgate.core.task import Failure, Task
from filmgate.core.video import Media, VideoRequest
from filmgate.services.health import Health
from filmgate.services.routing import Router

TEXT = VideoRequest(
    model="grok-imagine-video", prompt="p", seconds=6, aspect_ratio="16:9", resolution="480p"
)
EDIT = VideoRequest(
    model="grok-imagine-video", prompt="p", operation="edit", video=Media(object_key="videos/a.mp4")
)
LONG = VideoRequest(
    model="grok-imagine-1.0-video-30s",
    prompt="p",
    seconds=30,
    aspect_ratio="16:9",
    resolution="480p",
)


def row(name: str, dialect: str = "xai", **settings: Any) -> Channel:
    return Channel(id=name, name=name, dialect=dialect, **settings)


class Rows:
    """Channels and models that stand in no database."""

    def __init__(self, *channels: Channel) -> None:
        self._channels = list(channels)

    async def all(self) -> list[Any]:
        return self._channels


async def router(*channels: Channel, health: Health | None = None) -> Router:
    made = Router(
        Rows(*channels),  # type: ignore[arg-type]  # only `all` is asked
        Rows(),  # type: ignore[arg-type]  # only `all` is asked
        shipped_catalog(),
        health or Health(),
        lambda _channel: None,  # type: ignore[arg-type,return-value]  # nothing is built here
    )
    await made.refresh()
    return made


def task(request: VideoRequest = TEXT, **fields: Any) -> Task:
    quote = Quote(hold=1, prices=Prices(per_second={}))
    given = {"customer_id": "c", "key_id": "k", "dialect": "xai", "quote": quote, **fields}
    return Task(id="t", request=request, **given)


async def chosen(*channels: Channel, request: VideoRequest = TEXT) -> str:
    return (await router(*channels)).choose(task(request)).channel.name


async def test_the_lower_priority_is_tried_first() -> None:
    assert await chosen(row("second", priority=1), row("first", priority=0)) == "first"


async def test_channels_out_of_routing_are_not_asked() -> None:
    out = (row("off", enabled=False), row("ill", trouble="key refused"))
    assert await chosen(*out, row("well", priority=9)) == "well"


async def test_a_channel_without_the_model_is_not_asked() -> None:
    other = row("other", models={"grok-imagine-video-1.5": "x"})
    assert await chosen(other, row("this", priority=1)) == "this"


async def test_a_dialect_without_words_is_passed_over() -> None:
    assert await chosen(row("relay", "newapi"), row("xai", priority=1), request=EDIT) == "xai"


async def test_a_long_clip_needs_a_dialect_that_can_extend() -> None:
    assert await chosen(row("relay", "newapi"), row("xai", priority=1), request=LONG) == "xai"


async def test_a_preset_goes_to_who_has_words_for_it_and_is_noted_elsewhere() -> None:
    fun = VideoRequest(
        **{name: getattr(TEXT, name) for name in TEXT.__struct_fields__} | {"preset": "fun"}
    )
    both = await router(row("xai"), row("chat", "chat", priority=5))
    assert both.choose(task(fun)).channel.name == "chat"
    alone = (await router(row("xai"))).choose(task(fun))
    assert (alone.request.preset, "preset fun" in alone.note) == ("", True)


async def test_a_request_that_nobody_can_make_is_refused_before_money_moves() -> None:
    made = await router(row("relay", "newapi"))
    made.check(TEXT)
    with pytest.raises(Unavailable, match="grok-imagine-video"):
        made.check(EDIT)


async def test_who_refused_is_not_asked_again_and_the_last_word_is_told() -> None:
    made = await router(row("a", priority=0), row("b", priority=1))
    assert made.choose(task()).channel.name == "a"
    made.refuse("t", row("a"), Failure("invalid_argument", "a says no"))
    assert made.choose(task()).channel.name == "b"
    made.refuse("t", row("b"), Failure("invalid_argument", "b says no"))
    with pytest.raises(TaskFailed, match="b says no"):
        made.choose(task())
    made.forget("t")
    assert made.choose(task()).channel.name == "a"


async def test_a_resting_channel_is_waited_for_only_if_no_other_can() -> None:
    health = Health()
    made = await router(row("a"), row("b", priority=1), health=health)
    health.busy(row("a"), 60)
    assert made.choose(task()).channel.name == "b"
    health.busy(row("b"), 60)
    with pytest.raises(StillRunning):
        made.choose(task())


async def test_a_task_stays_at_its_channel_once_begun() -> None:
    made = await router(row("a"), row("b", priority=1))
    assert made.choose(task(channel="b", part=1)).channel.name == "b"


def test_weights_draw_in_proportion() -> None:
    dice = Random(7)
    channels = [row("heavy", weight=3), row("light", weight=1), row("never", weight=0)]
    first = Counter(ranked(channels, dice)[0].name for _ in range(4000))
    assert first["never"] == 0
    assert 2.6 < first["heavy"] / first["light"] < 3.4
