"""How a task goes on from create to its announced end, whatever happens to the process.

``drive`` is run by the durable engine and may be run again at any time: it looks at the task's row,
takes the next step, and every step is one guarded transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import structlog

from filmgate.core import ledger
from filmgate.core.channel import Channel
from filmgate.core.errors import (
    CredentialsRefused,
    StillRunning,
    SubmitUnknown,
    TaskFailed,
    Unavailable,
)
from filmgate.core.pacing import Pace
from filmgate.core.ports import Provider, Tasks
from filmgate.core.task import Failure, Status, Task
from filmgate.core.upstream import Upstream
from filmgate.services.board import Board
from filmgate.services.delivery import Delivery
from filmgate.services.health import Health
from filmgate.services.parts import Parts
from filmgate.services.routing import Router
from filmgate.services.submission import Submission
from filmgate.services.tasks import cancel

_log = structlog.get_logger()
_TROUBLE_SECONDS = 5.0
_CREDENTIALS_SECONDS = 30.0
_CLOSE_SECONDS = 10.0
_TOO_LONG = Failure(code="service_unavailable", message="The video took too long; try again.")
_NO_REASON = Failure(code="internal_error", message="The video could not be made; try again.")
_LOST = Failure(
    code="service_unavailable",
    message="The video service did not answer; you were not charged. Try again.",
)


class Lifecycle:
    """Drives tasks to their end."""

    def __init__(
        self,
        tasks: Tasks,
        board: Board,
        router: Router,
        health: Health,
        pace: Pace,
        parts: Parts,
        submission: Submission,
        delivery: Delivery,
    ) -> None:
        self._tasks = tasks
        self._board = board
        self._router = router
        self._health = health
        self._pace = pace
        self._parts = parts
        self._submission = submission
        self._delivery = delivery
        self._closed = False
        self._uncut = 0
        self._steps: dict[Status, Callable[[Task], Awaitable[None]]] = {
            "queued": self._submit,
            "submitting": self._reconcile,
            "unknown": self._reconcile,
            "in_progress": self._follow,
        }

    async def drive(self, task_id: str) -> None:
        """Take the task to its end. Never raises: trouble is waited out and tried again."""
        while True:
            await self._open()
            try:
                task = await self._tasks.get(task_id)
                if task is None or task.final:
                    break
                await self._advance(task)
            except Unavailable:
                await asyncio.sleep(_TROUBLE_SECONDS)
            except Exception:
                await self._open()  # a process on its way out fails in odd ways
                # A bug must not strand a paid task: keep it, say so, look again.
                _log.exception("task.trouble", task=task_id)
                await asyncio.sleep(_TROUBLE_SECONDS)
        self._health.leave(task_id)
        self._router.forget(task_id)

    async def close(self) -> None:
        """Start no more steps, and give those that must not be cut a moment to finish.

        A task that waits here is not ended: the engine hands it on at the next start.
        """
        self._closed = True
        last = time.monotonic() + _CLOSE_SECONDS
        while self._uncut and time.monotonic() < last:  # noqa: ASYNC110 - seconds, at a stop
            await asyncio.sleep(0.05)

    async def _open(self) -> None:
        """Go on, unless this process is about to stop: then wait for its end."""
        if self._closed:
            await asyncio.Event().wait()

    @contextlib.asynccontextmanager
    async def _whole(self) -> AsyncIterator[None]:
        """Around a submission or a delivery, which a stop lets finish."""
        await self._open()
        self._uncut += 1
        try:
            yield
        finally:
            self._uncut -= 1

    async def _advance(self, task: Task) -> None:
        try:
            await self._steps[task.status](task)
        except TaskFailed as error:
            await self._fail(task, error.failure)
        except StillRunning as error:
            await asyncio.sleep(error.retry_after)

    async def _submit(self, task: Task) -> None:
        if task.cancel_requested or self._board.is_cancelled(task.id):
            await cancel(self._tasks, task, only_from="queued")
            return
        async with self._whole():
            await self._submission.submit(task)

    async def _reconcile(self, task: Task) -> None:
        why = await self._submission.reconcile(task)
        if why:
            await self._fail(task, _LOST, flagged=why)

    async def _follow(self, task: Task) -> None:
        """Poll until there is a verdict. Costs no SQL while there is none."""
        channel, troubles = self._router.channel(task.channel), 0
        # By this process's own clock: the wall's may jump.
        last = time.monotonic() + channel.deadline
        running = 0.0  # its age when it was last seen running
        self._health.enter(channel, task.id)
        while True:
            await self._open()
            provider = self._router.provider(channel)
            if self._board.is_cancelled(task.id):
                await provider.cancel(task)
                await cancel(self._tasks, task, only_from="in_progress")
                await provider.forget(task)
                return
            try:
                await asyncio.sleep(self._health.poll_wait(channel))
                asked = _age(task)
                state = await provider.poll(task)
            except StillRunning as error:
                troubles += 1
                wait = max(error.retry_after, self._wait(task, channel, troubles))
                await self._board.pause(task.id, wait)
            except CredentialsRefused as error:
                # Our key, not the caller's business: the task waits for the operator.
                await self._submission.lock_out(channel, error.message)
                await asyncio.sleep(_CREDENTIALS_SECONDS)
            except SubmitUnknown:
                why = f"lost sight of it: ask {channel.name} whether it made this video"
                await self._fail(task, _LOST, flagged=why)
                return
            else:
                troubles = 0
                if state.status == "completed":
                    kind = (channel.id, task.request.model, task.request.seconds)
                    self._pace.learn(*kind, asked, running)
                if await self._heed(task, channel, provider, state):
                    return
                running = asked
                await self._board.pause(task.id, self._wait(task, channel, troubles))
            if time.monotonic() > last:
                await provider.cancel(task)
                await self._fail(task, _TOO_LONG, flagged=f"no verdict from {channel.name} in time")
                return
            channel = self._router.channel(task.channel)  # its row may have changed

    async def _heed(
        self, task: Task, channel: Channel, provider: Provider, state: Upstream
    ) -> bool:
        """Act on what the upstream says; whether there is nothing more to wait for."""
        if state.status == "failed":
            failure = state.failure or _NO_REASON
            if not await self._parts.retry(task, channel, failure):
                answer = state.body if channel.dialect == task.dialect else None
                await self._fail(task, failure, answer=answer)
            return True
        if state.status == "completed":
            async with self._whole():
                await self._delivery.deliver(task, channel, provider, state)
            return True
        if state.progress is not None:
            # 100 is kept for the end, so that a caller who waits for it finds the result.
            whole = self._parts.progress(task, channel, state.progress)
            self._board.report(task.id, min(whole, 99))
        return False

    def _wait(self, task: Task, channel: Channel, troubles: int) -> float:
        if channel.poll_seconds is not None and not troubles:
            return channel.poll_seconds
        kind = (channel.id, task.request.model, task.request.seconds)
        return self._pace.wait(*kind, _age(task), troubles=troubles, key=task.id)

    async def _fail(
        self,
        task: Task,
        failure: Failure,
        *,
        flagged: str = "",
        answer: dict[str, Any] | None = None,
    ) -> None:
        entry = ledger.settle(task.customer_id, task.id, task.quote.hold, 0)
        won = await self._tasks.finish(
            task.id, "failed", entry, failure=failure, flagged=flagged, answer=answer
        )
        _log.info("task.failed", task=task.id, code=failure.code, flagged=flagged, counted=won)
        if task.channel:
            await self._router.provider(self._router.channel(task.channel)).forget(task)


def _age(task: Task) -> float:
    """Seconds since the task was submitted; never negative, though the wall's clock may jump."""
    return max(0.0, time.time() - (task.submitted_at or task.created_at))
