"""How a task goes on from create to its announced end, whatever happens to the process.

``drive`` is run by the durable engine and may be run again at any time: it looks at the task's row,
takes the next step, and every step is one guarded transaction. A submission is marked before it is
sent and never sent again from that mark (architecture, "Crash points").
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from filmgate.core import ledger
from filmgate.core.errors import (
    IllegalMove,
    NotSubmitted,
    StillRunning,
    SubmitUnknown,
    TaskFailed,
    Unavailable,
)
from filmgate.core.ports import Objects, Provider, Tasks
from filmgate.core.task import Asset, Failure, Status, Task
from filmgate.core.upstream import Clip, Upstream
from filmgate.services.board import Board
from filmgate.services.tasks import cancel

_log = structlog.get_logger()
# A task that has not ended by then never will.
_DEADLINE_SECONDS = 3600.0
_TROUBLE_SECONDS = 5.0
_TOO_LONG = Failure(code="service_unavailable", message="The video took too long; try again.")
_NO_REASON = Failure(code="internal_error", message="The video could not be made; try again.")
# Reads an MP4's length and checks that the file is whole; raises ``TaskFailed`` otherwise.
CheckClip = Callable[[Clip], Awaitable[None]]


class Lifecycle:
    """Drives tasks on their provider. ``choose`` says which provider a queued task goes to."""

    def __init__(
        self,
        tasks: Tasks,
        objects: Objects,
        board: Board,
        providers: Mapping[str, Provider],
        choose: Callable[[Task], Provider],
        check_clip: CheckClip,
    ) -> None:
        self._tasks = tasks
        self._objects = objects
        self._board = board
        self._providers = providers
        self._choose = choose
        self._check_clip = check_clip
        self._steps: dict[Status, Callable[[Task], Awaitable[None]]] = {
            "queued": self._submit,
            "submitting": self._reconcile,
            "unknown": self._reconcile,
            "in_progress": self._follow,
        }

    async def drive(self, task_id: str) -> None:
        """Take the task to its end. Never raises: trouble is waited out and tried again."""
        while True:
            try:
                task = await self._tasks.get(task_id)
                if task is None or task.final:
                    return
                await self._advance(task)
            except Unavailable:
                await asyncio.sleep(_TROUBLE_SECONDS)
            except Exception:
                # A bug must not strand a paid task: keep it, say so, look again.
                _log.exception("task.trouble", task=task_id)
                await asyncio.sleep(_TROUBLE_SECONDS)

    async def _advance(self, task: Task) -> None:
        try:
            await self._steps[task.status](task)
        except TaskFailed as error:
            await self._fail(task, error.failure)
        except StillRunning as error:
            await asyncio.sleep(error.retry_after)

    async def _submit(self, task: Task) -> None:
        if task.cancel_requested:
            await cancel(self._tasks, task, only_from="queued")
            return
        provider = self._choose(task)
        if not await self._tasks.move(task.id, "submitting", provider=provider.name):
            return  # somebody else has it; look again
        try:
            async with asyncio.timeout(provider.submit_deadline):
                upstream_id = await provider.submit(task)
        except NotSubmitted as error:
            await self._tasks.move(task.id, "queued")
            await asyncio.sleep(error.retry_after)
        except (SubmitUnknown, TimeoutError):
            _log.warning("task.submit_unknown", task=task.id, provider=provider.name)
            await self._tasks.move(task.id, "unknown")
        else:
            await self._tasks.move(task.id, "in_progress", upstream_id=upstream_id)

    async def _reconcile(self, task: Task) -> None:
        """A submission was cut short: find it at the upstream, or give the money back and flag."""
        provider = self._provider(task)
        # Whoever was submitting may still be at it: its own deadline must pass first.
        over = (task.submitted_at or task.created_at) + provider.submit_deadline
        await asyncio.sleep(max(0.0, over - time.time()))
        try:
            upstream_id = await provider.find(task)
        except NotSubmitted:
            await self._tasks.move(task.id, "queued")
        except SubmitUnknown:
            await self._fail(
                task,
                Failure(
                    code="service_unavailable",
                    message="The video service did not answer; you were not charged. Try again.",
                ),
                flagged="submission outcome unknown: check with the upstream",
            )
        else:
            await self._tasks.move(task.id, "in_progress", upstream_id=upstream_id)

    async def _follow(self, task: Task) -> None:
        provider = self._provider(task)
        while True:
            if self._board.is_cancelled(task.id):
                await provider.cancel(task)
                await cancel(self._tasks, task, only_from="in_progress")
                await provider.forget(task)
                return
            state = await provider.poll(task)
            if state.status == "completed":
                await self._deliver(task, provider, state)
                return
            if state.status == "failed":
                raise TaskFailed(state.failure or _NO_REASON)
            if state.progress is not None:
                # 100 is kept for the end, so that a caller who waits for it finds the result.
                self._board.report(task.id, min(state.progress, 99))
            if time.time() > task.created_at + _DEADLINE_SECONDS:
                await provider.cancel(task)
                raise TaskFailed(_TOO_LONG)
            await asyncio.sleep(provider.poll_seconds)

    async def _deliver(self, task: Task, provider: Provider, state: Upstream) -> None:
        """Store the clip, then settle: nobody hears of a result before it is safely ours."""
        if state.moderated:
            await self._complete(task, None, task.quote.hold, moderated=True)
            return
        clip = await provider.fetch(task, state)
        await self._check_clip(clip)
        asset = await self._store(task, clip)
        due = task.quote.charge(
            seconds_made=clip.seconds - (clip.input_seconds if _extends(task) else 0.0),
            input_seconds=clip.input_seconds,
            short_side=min(clip.width, clip.height),
        )
        await self._complete(task, asset, due)
        await provider.forget(task)

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

    async def _complete(
        self, task: Task, asset: Asset | None, due: int, *, moderated: bool = False
    ) -> None:
        entry = ledger.settle(task.customer_id, task.id, task.quote.hold, due)
        won = await self._tasks.finish(
            task.id, "completed", entry, asset=asset, charged=due, moderated=moderated
        )
        _log.info("task.completed", task=task.id, charged=due, counted=won)

    async def _fail(self, task: Task, failure: Failure, *, flagged: str = "") -> None:
        entry = ledger.settle(task.customer_id, task.id, task.quote.hold, 0)
        won = await self._tasks.finish(task.id, "failed", entry, failure=failure, flagged=flagged)
        _log.info("task.failed", task=task.id, code=failure.code, flagged=flagged, counted=won)
        if task.provider in self._providers:
            await self._providers[task.provider].forget(task)

    def _provider(self, task: Task) -> Provider:
        try:
            return self._providers[task.provider]
        except KeyError:
            raise IllegalMove(f"task {task.id} waits for {task.provider}, which is gone") from None


def _extends(task: Task) -> bool:
    return task.request.operation == "extend"
