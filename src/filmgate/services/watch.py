"""Watching tasks: one reader per process looks for all who wait, so a thousand streams cost one
query a beat and any process can serve any stream.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator

from filmgate.core.ports import Tasks
from filmgate.core.task import Task
from filmgate.services.beat import every

_BEAT_SECONDS = 0.25


class Watcher:
    """Feeds every stream of this process; ``run`` is its loop."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._waiting: dict[str, set[asyncio.Queue[Task]]] = defaultdict(set)
        self._seen: dict[str, tuple[str, int]] = {}

    async def follow(self, task: Task, beat: float) -> AsyncGenerator[Task | None]:
        """The task now and at every change until it has ended; ``None`` after each quiet ``beat``
        seconds, so that a stream can show that it is alive.
        """
        queue: asyncio.Queue[Task] = asyncio.Queue()
        self._waiting[task.id].add(queue)
        # Whoever joins may hold an older state than the one last told: tell everyone again.
        self._seen.pop(task.id, None)
        try:
            yield task
            while not task.final:
                try:
                    task = await asyncio.wait_for(queue.get(), beat)
                except TimeoutError:
                    yield None
                else:
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
        if self._waiting:
            for task in await self._tasks.many(self._waiting):
                self._tell(task)

    def _tell(self, task: Task) -> None:
        state = (task.status, task.progress)
        listeners = self._waiting.get(task.id)
        if listeners and self._seen.get(task.id) != state:
            self._seen[task.id] = state
            for queue in listeners:
                queue.put_nowait(task)
