"""Long clips: what one upstream call cannot make is generated, extended, and joined; one task, one
price, one progress, one MP4.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from filmgate.core.channel import Channel
from filmgate.core.plan import Part, part_request, plan, tail_seconds
from filmgate.core.ports import Joiner, Objects, Tasks
from filmgate.core.task import Failure, Task
from filmgate.core.upstream import Clip
from filmgate.core.video import Media, VideoRequest
from filmgate.services.routing import Choice

_TRIES = 3
# Failures that may pass by themselves; anything else is about the request.
_PASSING = frozenset({"service_unavailable", "internal_error"})


class Parts:
    """The parts of long tasks. A finished part is kept in the object store until the last one."""

    def __init__(self, tasks: Tasks, objects: Objects, joiner: Joiner) -> None:
        self._tasks = tasks
        self._objects = objects
        self._joiner = joiner
        self._failed: Counter[tuple[str, int]] = Counter()

    def count(self, task: Task, channel: Channel) -> int:
        """How many calls the task takes at that channel."""
        return len(_plan(task, channel))

    def several(self, task: Task, channel: Channel) -> bool:
        """Whether the task takes more than one call at that channel."""
        return self.count(task, channel) > 1

    def more(self, task: Task, channel: Channel) -> bool:
        """Whether another part follows the one that is being made."""
        return task.part + 1 < self.count(task, channel)

    def progress(self, task: Task, channel: Channel, percent: int) -> int:
        """The whole task's progress from that of its current part."""
        return (task.part * 100 + percent) // self.count(task, channel)

    async def request(self, task: Task, choice: Choice) -> VideoRequest:
        """What to ask the channel for now: the request itself, or the part that is due."""
        parts = _plan(task, choice.channel)
        if len(parts) == 1:
            return choice.request
        previous = Media(object_key=_tail_key(task, task.part - 1)) if task.part else None
        return part_request(choice.request, parts[task.part], previous)

    async def keep(self, task: Task, channel: Channel, clip: Clip, cost: int | None) -> None:
        """Store a finished part and put the task back in line for the next one."""
        tail = clip.path.with_name("tail.mp4")
        await self._joiner.tail(clip.path, tail_seconds(clip.seconds), tail)
        await self._objects.put_file(_key(task, task.part), clip.path, content_type="video/mp4")
        await self._objects.put_file(_tail_key(task, task.part), tail, content_type="video/mp4")
        total = (task.cost or 0) + cost if cost is not None else None
        await self._tasks.move(task.id, "queued", part=task.part + 1, cost=total)

    async def retry(self, task: Task, channel: Channel, failure: Failure) -> bool:
        """Put a failed part back in line, alone; ``False`` where the whole task has failed."""
        if not self.several(task, channel) or failure.code not in _PASSING:
            return False
        self._failed[task.id, task.part] += 1
        if self._failed[task.id, task.part] >= _TRIES:
            return False
        return await self._tasks.move(task.id, "queued")

    async def join(self, task: Task, channel: Channel, clip: Clip, folder: Path) -> Clip:
        """The whole clip, once its last part is there."""
        if not self.several(task, channel):
            return clip
        pieces: list[tuple[Path, float]] = []
        given = 0.0
        for number in range(task.part):
            piece = folder / f"part-{number}.mp4"
            await self._objects.fetch_to(_key(task, number), piece)
            pieces.append((piece, given))
            given = tail_seconds(await self._joiner.seconds(piece))
        pieces.append((clip.path, given))
        return await self._joiner.join(pieces, folder / "joined.mp4")


def _plan(task: Task, channel: Channel) -> tuple[Part, ...]:
    return plan(task.request, channel.call_seconds, channel.references_call_seconds)


def _key(task: Task, part: int) -> str:
    return f"parts/{task.id}/{part}.mp4"


def _tail_key(task: Task, part: int) -> str:
    return f"parts/{task.id}/{part}-tail.mp4"
