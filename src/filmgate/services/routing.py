"""Finds the channel that a task goes to next: by what it can make, its rank and its health."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from filmgate.core.catalog import Catalog
from filmgate.core.channel import SANDBOX, Channel
from filmgate.core.errors import Inexpressible, StillRunning, TaskFailed, Unavailable
from filmgate.core.plan import plan
from filmgate.core.ports import Channels, Models, Provider
from filmgate.core.routing import eligible, ranked
from filmgate.core.task import Failure, Task
from filmgate.core.video import Media, VideoRequest
from filmgate.dialects.registry import DIALECTS
from filmgate.services.health import Health

# How a task waits while its only channel is out of routing.
_OUT_SECONDS = 10.0
_NOBODY = "No upstream serves the model {model} for this kind of request right now."
# Stands in for a stored file when a dialect is only asked whether it has words for a request.
_SOMEWHERE = Media(url="https://stored.invalid/file")


class Choice(NamedTuple):
    """Where a task goes, and the request as that channel can take it."""

    channel: Channel
    request: VideoRequest
    note: str = ""


class Router:
    """The channels and models in force, re-read by ``refresh``; builds a provider for each."""

    def __init__(
        self,
        channels: Channels,
        models: Models,
        catalog: Catalog,
        health: Health,
        build: Callable[[Channel], Provider],
    ) -> None:
        self._channels = channels
        self._models = models
        self._catalog = catalog
        self._health = health
        self._build = build
        self._rows: dict[str, Channel] = {}
        self._providers: dict[str, tuple[Channel, Provider]] = {}
        self._refused: dict[str, dict[str, Failure]] = defaultdict(dict)
        self._dice = random.Random()  # noqa: S311 - draws channels, not secrets

    async def refresh(self) -> None:
        """Read channels and models again. Raises ``Unavailable``."""
        self._rows = {channel.id: channel for channel in await self._channels.all()}
        if models := await self._models.all():
            self._catalog.replace(models)

    def check(self, request: VideoRequest) -> None:
        """Raises ``Unavailable`` when no channel could ever make the request as things stand."""
        if not self._eligible(request):
            raise Unavailable(_NOBODY.format(model=request.model), retry_after=30)

    def channel(self, channel_id: str) -> Channel:
        """A channel, out of routing or not. Raises ``StillRunning`` when its row is gone."""
        found = self._rows.get(channel_id)
        if found is None:
            raise StillRunning(f"channel {channel_id} is not known here", _OUT_SECONDS)
        return found

    def provider(self, channel: Channel) -> Provider:
        """What makes videos on a channel; built anew when its row has changed."""
        known = self._providers.get(channel.id)
        if known is None or known[0] != channel:
            known = self._providers[channel.id] = (channel, self._build(channel))
        return known[1]

    def choose(self, task: Task) -> Choice:
        """The channel to hand the task to now.

        Raises ``StillRunning`` while those that could are busy, resting or out, and ``TaskFailed``
        when all have refused or none is left.
        """
        if task.channel:  # already begun there: a part of it, or a submission safe to repeat
            held = self.channel(task.channel)
            self._wait_for([held] if held.serving else [])
            plain = msgspec.structs.replace(task.request, preset="")
            return Choice(held, task.request if self._takes(held, task.request) else plain)
        choices = self._eligible(task.request)
        refused = self._refused[task.id]
        open_to = [choice for choice in choices if choice.channel.id not in refused]
        if not open_to:
            raise TaskFailed(
                next(reversed(refused.values()), None)
                or Failure(
                    code="service_unavailable",
                    message=_NOBODY.format(model=task.request.model) + " You were not charged.",
                )
            )
        self._wait_for([choice.channel for choice in open_to])
        by_channel = {choice.channel.id: choice for choice in open_to}
        for channel in ranked((choice.channel for choice in open_to), self._dice):
            if self._health.patience(channel) <= 0:
                return by_channel[channel.id]
        raise StillRunning("every channel is busy", 1.0)

    def refuse(self, task_id: str, channel: Channel, failure: Failure) -> None:
        """The channel will not take this task; others may."""
        self._refused[task_id][channel.id] = failure

    def forget(self, task_id: str) -> None:
        """The task has ended."""
        self._refused.pop(task_id, None)

    def _wait_for(self, channels: list[Channel]) -> None:
        patience = min(map(self._health.patience, channels), default=_OUT_SECONDS)
        if patience > 0:
            raise StillRunning("every channel is busy, resting or out", min(patience, _OUT_SECONDS))

    def _eligible(self, request: VideoRequest) -> list[Choice]:
        """Where the request could go; a look that no upstream offers is left out, and noted."""
        found = self._taking(request)
        if found or not request.preset:
            return found
        plain = msgspec.structs.replace(request, preset="")
        note = f"preset {request.preset} is not offered by this upstream and was left out"
        return [choice._replace(note=note) for choice in self._taking(plain)]

    def _taking(self, request: VideoRequest) -> list[Choice]:
        model = self._catalog[request.model]
        channels = eligible(
            self._rows.values(), model, lambda channel: self._takes(channel, request)
        )
        return [Choice(channel, request) for channel in channels]

    def _takes(self, channel: Channel, request: VideoRequest) -> bool:
        """Whether every part of the request can be said in the channel's dialect."""
        theirs = channel.theirs(self._catalog[request.model])
        if theirs is None:
            return False
        if channel.dialect == SANDBOX:
            return True
        dialect = DIALECTS[channel.dialect]
        try:
            parts = plan(request, channel.call_seconds, channel.references_call_seconds)
            dialect.encode_request(msgspec.structs.replace(_placed(request), model=theirs))
            if len(parts) > 1:
                later = VideoRequest(
                    model=theirs, prompt="-", operation="extend", seconds=2, video=_SOMEWHERE
                )
                dialect.encode_request(later)
        except Inexpressible:
            return False
        return True


def _placed(request: VideoRequest) -> VideoRequest:
    """The request with stored files at an address, as a channel will see them."""
    stored = {media: _SOMEWHERE for media in request.media() if media.object_key}
    return request.with_media(stored)
