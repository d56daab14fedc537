"""What operators do: set up channels, switch and test them, and choose the models on offer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from filmgate.core.catalog import Model
from filmgate.core.channel import SANDBOX, Channel
from filmgate.core.errors import InvalidRequest, NotFound
from filmgate.core.ids import new_id
from filmgate.core.ports import Channels, Models
from filmgate.services.channel_rules import checked, merge
from filmgate.services.probing import Ask, ProbeResult, hint, probe

_SANDBOX_CALL_SECONDS = 30
# It is asked in this very process, so it may be asked often.
_SANDBOX_SUBMIT_SECONDS = 2.0
_SANDBOX_POLL_SECONDS = 0.2
_SANDBOX_POLLS = 10_000.0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as it is now, and what else its operator should know."""

    channel: Channel
    notes: tuple[str, ...] = ()


class Operators:
    """The use cases of operators; ``shipped`` are the models that come with the package.

    ``allow_private`` lets channels point inside the operator's own network
    (``FILMGATE_ALLOW_PRIVATE_UPSTREAMS``).
    """

    def __init__(
        self,
        channels: Channels,
        models: Models,
        shipped: Iterable[Model],
        ask: Ask,
        *,
        allow_private: bool = False,
    ) -> None:
        self._channels = channels
        self._models = models
        self._shipped = tuple(shipped)
        self._ask = ask
        self._allow_private = allow_private

    async def seed(self) -> None:
        """Fill an empty database: the built-in sandbox as the one channel, the shipped models.

        Only a database without models is empty: a sandbox that was removed stays removed, for
        customers must never get drawn clips by surprise.
        """
        if await self._models.all():
            return
        if not await self._channels.all():
            await self._channels.put(
                Channel(
                    id=SANDBOX,
                    name=SANDBOX,
                    dialect=SANDBOX,
                    call_seconds=_SANDBOX_CALL_SECONDS,
                    references_call_seconds=_SANDBOX_CALL_SECONDS,
                    submit_deadline=_SANDBOX_SUBMIT_SECONDS,
                    polls_per_second=_SANDBOX_POLLS,
                    poll_seconds=_SANDBOX_POLL_SECONDS,
                    created_at=time.time(),
                )
            )
        await self._models.replace(self._shipped)

    async def models(self) -> list[Model]:
        """The models on offer, in the operator's order."""
        return await self._models.all() or list(self._shipped)

    async def replace_models(self, models: list[Model]) -> tuple[str, ...]:
        """Offer these models, already checked; returns what the operator should know."""
        await self._models.replace(models)
        known = {model.name for model in models} | {model.family for model in models}
        return tuple(
            f"Channel {channel.name} still maps {name}, which is no longer on offer."
            for channel in await self._channels.all()
            for name in channel.models
            if name not in known
        )

    async def channels(self) -> list[Channel]:
        """Every channel, by priority and name."""
        return await self._channels.all()

    async def channel(self, name: str) -> Channel:
        """The channel of that name. Raises ``NotFound``."""
        for channel in await self._channels.all():
            if channel.name == name:
                return channel
        raise NotFound("channel", f"There is no channel {name[:100]!r}; see: filmgate channel list")

    async def add(self, name: str, settings: Mapping[str, Any]) -> Change:
        """Add a channel; ``settings`` are fields of ``Channel``, at least its dialect.

        The first real channel turns the built-in sandbox off. Raises ``InvalidRequest``.
        """
        before = await self._channels.all()
        if any(channel.name == name for channel in before):
            raise InvalidRequest(
                f"A channel named {name} exists; change it with filmgate channel set {name}, "
                "or choose another name.",
                code="name_taken",
                param="name",
            )
        fresh = Channel(id=new_id(), name=name, dialect="", created_at=time.time())
        channel = await self._checked(merge(fresh, settings))
        await self._channels.put(channel)
        if channel.dialect == SANDBOX or any(_is_real(other) for other in before):
            return Change(channel=channel)
        notes = []
        for other in before:
            if other.enabled:
                await self._channels.put(msgspec.structs.replace(other, enabled=False))
                notes.append(
                    f"{name} is the first real channel, so {other.name} was disabled: customers "
                    "must not get drawn clips by surprise. To turn it on again: "
                    f"filmgate channel enable {other.name}"
                )
        return Change(channel=channel, notes=tuple(notes))

    async def change(self, name: str, settings: Mapping[str, Any]) -> Change:
        """Change settings of a channel; maps and lists are replaced as a whole.

        Raises ``InvalidRequest`` and ``NotFound``.
        """
        channel = await self._checked(merge(await self.channel(name), settings))
        await self._channels.put(channel)
        if not channel.trouble:
            return Change(channel=channel)
        note = f"It is still out of routing ({channel.trouble}) until a test passes: "
        return Change(channel=channel, notes=(f"{note}filmgate channel test {name}",))

    async def enable(self, name: str) -> Change:
        """Let routing use a channel, whatever trouble it was in. Raises ``NotFound``."""
        channel = msgspec.structs.replace(await self.channel(name), enabled=True, trouble="")
        await self._channels.put(channel)
        await self._channels.set_trouble(channel.id, "")
        rivals = [c for c in await self._channels.all() if _is_real(c) and c.serving]
        if channel.dialect != SANDBOX or not rivals:
            return Change(channel=channel)
        note = f"Customers may now get drawn clips; to stop that: filmgate channel disable {name}"
        return Change(channel=channel, notes=(note,))

    async def disable(self, name: str) -> Change:
        """Send a channel no new tasks; those it has are finished. Raises ``NotFound``."""
        channel = msgspec.structs.replace(await self.channel(name), enabled=False)
        await self._channels.put(channel)
        return Change(channel=channel, notes=await self._nothing_serves())

    async def remove(self, name: str) -> tuple[str, ...]:
        """Delete a channel; returns what its operator should know.

        Raises ``NotFound``, and ``InvalidRequest`` while unfinished tasks are at it.
        """
        channel = await self.channel(name)
        await self._channels.remove(channel.id)
        return await self._nothing_serves()

    async def test(self, name: str) -> ProbeResult:
        """Ask the upstream for its models with every key; a pass takes the channel's trouble away.

        Costs nothing there. Raises ``NotFound``.
        """
        channel = await self.channel(name)
        result = await probe(channel, await self.models(), self._ask)
        if result.passed and channel.trouble:
            await self._channels.set_trouble(channel.id, "")
        return result

    async def _checked(self, channel: Channel) -> Channel:
        return checked(channel, await self.models(), allow_private=self._allow_private)

    async def _nothing_serves(self) -> tuple[str, ...]:
        channels = await self._channels.all()
        if any(channel.serving for channel in channels):
            return ()
        drawn = next((channel for channel in channels if channel.dialect == SANDBOX), None)
        hint = f" For drawn clips: filmgate channel enable {drawn.name}" if drawn else ""
        return (f"No channel serves now: new videos cannot be made until one does.{hint}",)


def describe(channel: Channel) -> dict[str, Any]:
    """A channel as it may be shown: every setting, but only hints of its secrets."""
    fields: dict[str, Any] = msgspec.to_builtins(channel)
    fields["api_keys"] = [hint(key) for key in fields.pop("credentials")]
    fields["headers"] = {name: hint(value) for name, value in channel.headers.items()}
    login, at, server = channel.proxy.rpartition("@")
    fields["proxy"] = f"{login.partition('://')[0]}://…@{server}" if at else channel.proxy
    fields["serving"] = channel.serving
    return fields


def _is_real(channel: Channel) -> bool:
    return channel.dialect != SANDBOX
