"""From an upstream's finished clip to a settled task: fetched, checked, stored, then charged."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from filmgate.core import ledger
from filmgate.core.catalog import Catalog
from filmgate.core.channel import Channel
from filmgate.core.ports import Objects, Provider, Tasks
from filmgate.core.pricing import Prices, quote
from filmgate.core.task import Asset, Task
from filmgate.core.upstream import Clip, Upstream
from filmgate.services.parts import Parts

_log = structlog.get_logger()
_TICKS_PER_MICRO_DOLLAR = 10_000
# Fills in what the provider does not know of a clip, from the file itself; raises ``TaskFailed``
# unless the file is a whole MP4.
CheckClip = Callable[[Clip], Awaitable[Clip]]


class Delivery:
    """Delivers results. ``folder`` is where downloads are kept until they are stored."""

    def __init__(
        self,
        tasks: Tasks,
        objects: Objects,
        catalog: Catalog,
        parts: Parts,
        check_clip: CheckClip,
        folder: Path,
    ) -> None:
        self._tasks = tasks
        self._objects = objects
        self._catalog = catalog
        self._parts = parts
        self._check_clip = check_clip
        self._folder = folder

    async def deliver(
        self, task: Task, channel: Channel, provider: Provider, state: Upstream
    ) -> None:
        """Store the clip, then settle: nobody hears of a result before it is safely ours.

        Raises ``StillRunning`` when the clip cannot be fetched just now, ``TaskFailed``.
        """
        cost = _named_cost(state)
        if state.moderated:
            due = task.quote.hold if channel.charge_moderated else 0
            await self._settle(task, channel, state, None, due, cost)
        elif _opens_by_itself(state.url, channel) and not self._parts.several(task, channel):
            seconds = state.seconds or float(task.request.seconds)
            clip = Clip(path=Path(), seconds=seconds)
            asset = Asset(url=state.url, seconds=seconds)
            await self._charge(task, channel, state, clip, asset, cost)
        else:
            await self._fetch(task, channel, provider, state, cost)
        await provider.forget(task)

    async def _fetch(
        self, task: Task, channel: Channel, provider: Provider, state: Upstream, cost: int | None
    ) -> None:
        folder = self._folder / task.id
        folder.mkdir(parents=True, exist_ok=True)
        try:
            clip = await self._check_clip(await provider.fetch(task, state, folder))
            if self._parts.more(task, channel):
                await self._parts.keep(task, channel, clip, cost)
                return
            clip = await self._parts.join(task, channel, clip, folder)
            asset = await self._store(task, clip)
            await self._charge(task, channel, state, clip, asset, cost)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _charge(
        self,
        task: Task,
        channel: Channel,
        state: Upstream,
        clip: Clip,
        asset: Asset,
        cost: int | None,
    ) -> None:
        made, given = _lengths(task, clip)
        side = min(clip.width, clip.height)
        if cost is None and (prices := self._paid(channel, task)):
            cost = quote(prices, task.request).charge(
                seconds_made=made, input_seconds=given, short_side=side
            )
        due = task.quote.charge(seconds_made=made, input_seconds=given, short_side=side, cost=cost)
        await self._settle(task, channel, state, asset, due, cost)

    def _paid(self, channel: Channel, task: Task) -> Prices | None:
        return channel.prices.get(self._catalog[task.request.model].family)

    async def _settle(
        self,
        task: Task,
        channel: Channel,
        state: Upstream,
        asset: Asset | None,
        due: int,
        cost: int | None,
    ) -> None:
        if task.cost is not None or cost is not None:  # earlier parts may have cost something too
            cost = (task.cost or 0) + (cost or 0)
        won = await self._tasks.finish(
            task.id,
            "completed",
            ledger.settle(task.customer_id, task.id, task.quote.hold, due),
            asset=asset,
            charged=due,
            moderated=state.moderated,
            cost=cost,
            answer=state.body if channel.dialect == task.dialect else None,
        )
        _log.info("task.completed", task=task.id, charged=due, cost=cost, counted=won)

    async def _store(self, task: Task, clip: Clip) -> Asset:
        # Named by the task, so that doing it again after a crash replaces the same object.
        key, poster_key = f"videos/{task.id}.mp4", ""
        stored = await self._objects.put_file(key, clip.path, content_type="video/mp4")
        if clip.poster is not None:
            poster_key = f"posters/{task.id}.webp"
            await self._objects.put_file(poster_key, clip.poster, content_type="image/webp")
        return Asset(
            key=key,
            size=stored.size,
            sha256=stored.sha256 or "",
            seconds=clip.seconds,
            width=clip.width,
            height=clip.height,
            input_seconds=clip.input_seconds,
            poster_key=poster_key,
        )


def _opens_by_itself(url: str, channel: Channel) -> bool:
    """Whether the upstream's own link may be given to the caller: not where it needs our key."""
    absolute = url.startswith(("http://", "https://"))
    return channel.delivery == "link" and absolute and not url.startswith(channel.base_url)


def _lengths(task: Task, clip: Clip) -> tuple[float, float]:
    """Seconds newly made and seconds of input, where the clip itself does not say."""
    match task.request.operation:
        case "edit":
            return clip.seconds, clip.input_seconds or clip.seconds
        case "extend":
            given = clip.input_seconds or max(0.0, clip.seconds - task.request.seconds)
            return clip.seconds - given, given
        case _:
            return clip.seconds, 0.0


def _named_cost(state: Upstream) -> int | None:
    """What the upstream says it charged, in micro-dollars, rounded up."""
    ticks = state.cost_ticks
    return None if ticks is None else -(-ticks // _TICKS_PER_MICRO_DOLLAR)
