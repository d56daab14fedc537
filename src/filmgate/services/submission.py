"""Handing a task to a channel: marked before it is sent, and never sent again from that mark.

Fail-over happens only where nothing can have been bought twice: the channel refused, was busy, or
was never reached. Anything else is *unknown*: looked up, or given back and flagged.
"""

from __future__ import annotations

import asyncio
import time

import structlog

from filmgate.core.channel import SANDBOX, Channel
from filmgate.core.errors import (
    CredentialsRefused,
    Inexpressible,
    NotSubmitted,
    RequestRefused,
    SendAgainHere,
    SubmitUnknown,
)
from filmgate.core.ports import Attempt, Channels, Tasks
from filmgate.core.task import Failure, Task
from filmgate.services.health import Health
from filmgate.services.parts import Parts
from filmgate.services.routing import Choice, Router

_log = structlog.get_logger()
_BUSY_SECONDS = 1.0
_GRACE_SECONDS = 15.0


class Submission:
    """Submits tasks and finds out what became of submissions that were cut short."""

    def __init__(
        self, tasks: Tasks, channels: Channels, router: Router, health: Health, parts: Parts
    ) -> None:
        self._tasks = tasks
        self._channels = channels
        self._router = router
        self._health = health
        self._parts = parts

    async def submit(self, task: Task) -> None:
        """Hand a queued task to the best channel. Raises ``StillRunning``, ``TaskFailed``."""
        choice = self._router.choose(task)
        request = await self._parts.request(task, choice)
        await asyncio.sleep(self._health.submit_wait(choice.channel))
        if not await self._tasks.move(task.id, "submitting", channel=choice.channel.id):
            return  # somebody else has it, or it was cancelled; look again
        self._health.enter(choice.channel, task.id)
        provider = self._router.provider(choice.channel)
        try:
            # The provider keeps the channel's deadline itself; this is for one that does not.
            async with asyncio.timeout(choice.channel.submit_deadline + _GRACE_SECONDS):
                upstream_id = await provider.submit(task, request)
        except (NotSubmitted, Inexpressible) as error:
            await self._not_submitted(task, choice, error)
        except (SubmitUnknown, TimeoutError) as error:
            self._health.bad(choice.channel)
            _log.warning("task.submit_unknown", task=task.id, channel=choice.channel.name)
            await self._tasks.move(
                task.id, "unknown", attempt=_attempt(choice, "unknown", str(error))
            )
        else:
            self._health.good(choice.channel)
            await self._tasks.move(
                task.id,
                "in_progress",
                upstream_id=upstream_id,
                attempt=_attempt(choice, "submitted", choice.note),
            )

    async def reconcile(self, task: Task) -> str | None:
        """Find a submission that was cut short; a reason to give up and flag, or ``None``.

        Raises ``StillRunning`` to be asked again.
        """
        channel = self._router.channel(task.channel)
        # Whoever was submitting may still be at it: its own deadline must pass first.
        longest = channel.submit_deadline + (0 if channel.dialect == SANDBOX else _GRACE_SECONDS)
        over = (task.submitted_at or task.created_at) + longest
        await asyncio.sleep(min(longest, max(0.0, over - time.time())))
        try:
            upstream_id = await self._router.provider(channel).find(task)
        except NotSubmitted:
            # Kept at its channel: only there is it safe to send once more.
            await self._tasks.move(task.id, "queued")
        except SubmitUnknown:
            return f"submission outcome unknown: ask {channel.name} whether it made this video"
        else:
            await self._tasks.move(task.id, "in_progress", upstream_id=upstream_id)
        return None

    async def _not_submitted(
        self, task: Task, choice: Choice, error: NotSubmitted | Inexpressible
    ) -> None:
        channel = choice.channel
        self._health.leave(task.id)
        attempt = _attempt(choice, "unreachable", error.message)
        match error:
            case RequestRefused():
                self._health.good(channel)
                self._router.refuse(task.id, channel, error.failure)
                attempt = _attempt(choice, "refused", error.message)
            case CredentialsRefused():
                await self.lock_out(channel, error.message)
                attempt = _attempt(choice, "credentials", error.message)
            case NotSubmitted():
                if error.retry_after > _BUSY_SECONDS:
                    self._health.busy(channel, error.retry_after)
                    attempt = _attempt(choice, "busy", error.message)
                else:
                    self._health.bad(channel)
            case _:
                failure = Failure(code="failed_precondition", message=error.message)
                self._router.refuse(task.id, channel, failure)
                attempt = _attempt(choice, "refused", error.message)
        # The next part of a long clip goes on where the last one was made.
        stays = task.part > 0 or isinstance(error, SendAgainHere)
        kept = channel.id if stays else ""
        await self._tasks.move(task.id, "queued", channel=kept, attempt=attempt)

    async def lock_out(self, channel: Channel, why: str) -> None:
        """Take a channel out of routing until an operator has looked."""
        if channel.trouble:
            return
        _log.error("channel.out", channel=channel.name, why=why)
        await self._channels.set_trouble(channel.id, why)
        await self._router.refresh()


def _attempt(choice: Choice, outcome: str, detail: str) -> Attempt:
    return Attempt(
        channel=choice.channel.name,
        outcome=outcome,  # type: ignore[arg-type]  # literals at every call
        detail=detail[:500],
        at=time.time(),
    )
