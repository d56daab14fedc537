"""The notice board between running tasks and the database: progress out, cancellations in.

Polls cost no SQL: progress is collected here and written for all tasks together, and the requests
to cancel are read for all tasks together.
"""

from __future__ import annotations

import asyncio
import contextlib

from filmgate.core.ports import Tasks
from filmgate.services.beat import every

_TICK_SECONDS = 0.5


class Board:
    """One per worker process; ``run`` is its loop."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._progress: dict[str, int] = {}
        self._cancelled: set[str] = set()
        self._waiting: dict[str, asyncio.Event] = {}

    def report(self, task_id: str, percent: int) -> None:
        """Note how far a task is; written with the next tick."""
        self._progress[task_id] = max(percent, self._progress.get(task_id, 0))

    def is_cancelled(self, task_id: str) -> bool:
        """Whether the task's owner wants it stopped."""
        return task_id in self._cancelled

    async def pause(self, task_id: str, seconds: float) -> None:
        """Sleep, but no longer than until the task's owner wants it stopped."""
        if self.is_cancelled(task_id):
            return
        stopped = self._waiting[task_id] = asyncio.Event()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), seconds)
        finally:
            self._waiting.pop(task_id, None)

    async def run(self) -> None:
        """Exchange news with the database until cancelled."""
        await every(_TICK_SECONDS, self.tick)

    async def tick(self) -> None:
        """One exchange. What could not be written is kept for the next one."""
        self._cancelled = await self._tasks.cancel_requests()
        for task_id in self._cancelled & self._waiting.keys():
            self._waiting[task_id].set()
        news = self._progress
        if news:
            self._progress = {}
            try:
                await self._tasks.note_progress(news)
            except Exception:
                self._progress = news | self._progress
                raise
