"""Watching tasks: one reader per process looks for all who wait, so a thousand streams cost one
query a beat and any process can serve any stream.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import NamedTuple

import msgspec

from filmgate.core.ports import Tasks
from filmgate.core.task import FINAL, Status, Task
from filmgate.services.beat import every

_BEAT_SECONDS = 0.25


class Change(NamedTuple):
    """What became of a task; ``task`` is the whole of it once it has ended."""

    status: Status
    progress: int
    task: Task | None


class Watcher:
    """Feeds every stream of this process; ``run`` is its loop."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._waiting: dict[str, set[asyncio.Queue[Change | None]]] = defaultdict(set)
        self._seen: dict[str, tuple[str, int]] = {}
        self._closed = False

    def close(self) -> None:
        """End every stream: this process is about to stop, and the tasks go on without it."""
        self._closed = True
        for queues in self._waiting.values():
            for queue in queues:
                queue.put_nowait(None)

    async def follow(self, task: Task, beat: float) -> AsyncGenerator[Task | None]:
        """The task now and at every change until it has ended; ``None`` after each quiet ``beat``
        seconds, so that a stream can show that it is alive. Ends early on ``close``.
        """
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._waiting[task.id].add(queue)
        # Whoever joins may hold an older state than the one last told: tell everyone again.
        self._seen.pop(task.id, None)
        try:
            yield task
            while not (task.final or self._closed):
                try:
                    change = await asyncio.wait_for(queue.get(), beat)
                except TimeoutError:
                    yield None
                    continue
                if change is None:
                    return
                task = change.task or msgspec.structs.replace(
                    task, status=change.status, progress=change.progress
                )
                yield task
        finally:
            self._waiting[task.id].discard(queue)
            if not self._waiting[task.id]:
                del self._waiting[task.id]
                self._seen.pop(task.id, None)

    async def run(self) -> None:
        """Look for changes until cancelled."""
        await every(_BEAT_SECONDS, self._look)

    async def _look(self) -> None:
        changed = [
            (task_id, status, progress)
            for task_id, status, progress in await self._tasks.states(self._waiting)
            if self._seen.get(task_id) != (status, progress)
        ]
        # Only who has ended is read whole: rows carry their requests.
        ended = [task_id for task_id, status, _ in changed if status in FINAL]
        whole = {task.id: task for task in await self._tasks.many(ended)}
        for task_id, status, progress in changed:
            self._seen[task_id] = (status, progress)
            for queue in self._waiting.get(task_id, ()):
                queue.put_nowait(Change(status, progress, whole.get(task_id)))
