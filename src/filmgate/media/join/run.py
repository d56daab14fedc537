"""Joins, cuts and measures MP4s in confined child processes, a few at a time."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from filmgate.core.confine import child_environment
from filmgate.core.errors import TaskFailed
from filmgate.core.task import Failure
from filmgate.core.upstream import Clip
from filmgate.media.join.job import Facts, Job, Join, Line, Piece, Probe

# A child may be killed for reasons of the machine's own; one that dies each time is given up.
_ATTEMPTS = 2
_WALL_SECONDS = 600.0


class Joiner:
    """Implements ``core.ports.Joiner`` with at most ``workers`` children at once.

    Every method raises ``TaskFailed`` when a clip that it was given cannot be read.
    """

    def __init__(self, workers: int) -> None:
        self._free = asyncio.Semaphore(workers)

    async def join(
        self,
        pieces: Sequence[tuple[Path, float]],
        target: Path,
        note: Callable[[int], None] | None = None,
    ) -> Clip:
        """Write one MP4 of all pieces, each without its first so many seconds, to ``target``.

        The first piece is the generated clip (from 0.0), each other one the whole result of an
        extension from where its input ended. The clip has the first one's size and frame rate,
        H.264 High pictures (BT.709) and AAC sound (48 kHz, stereo), and lasts as long as the pieces
        together, to the nearest frame. ``target`` appears only when it is whole; ``note`` is told
        the percentage done.
        """
        job = Join(tuple(Piece(str(path), begin) for path, begin in pieces), str(target))
        facts = await self._run(job, note)
        return Clip(path=target, seconds=facts.seconds, width=facts.width, height=facts.height)

    async def tail(self, clip: Path, seconds: float, target: Path) -> None:
        """Write a clip's last ``seconds`` to ``target``: what the next extension is given."""
        await self.join([(clip, -seconds)], target)

    async def seconds(self, clip: Path) -> float:
        """How long a clip lasts."""
        return (await self.probe(clip)).seconds

    async def probe(self, clip: Path) -> Facts:
        """The length and size of a clip, measured from its packets."""
        return await self._run(Probe(str(clip)))

    async def _run(self, job: Job, note: Callable[[int], None] | None = None) -> Facts:
        async with self._free:
            for _attempt in range(_ATTEMPTS):
                line = await _run_once(job, note)
                if line and line.facts:
                    return line.facts
                if line:
                    raise _failed(f"The video that was made {line.fault}.")
        raise _failed("The parts of this video could not be put together; please try again.")


def _failed(message: str) -> TaskFailed:
    return TaskFailed(Failure(code="internal_error", message=message))


async def _run_once(job: Job, note: Callable[[int], None] | None) -> Line | None:
    """The last line of one child's answer; ``None`` when it died without one.

    What it complains of goes to our own standard error.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "filmgate.media.join",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=child_environment(),
        # Ctrl-C in a terminal is for the server, which then stops its children.
        start_new_session=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(_WALL_SECONDS):
            child.stdin.write(msgspec.json.encode(job) + b"\n")
            child.stdin.close()
            async for raw in child.stdout:
                line = msgspec.json.decode(raw, type=Line)
                if line.progress is None:
                    return line
                if note:
                    note(line.progress)
        return None
    except (TimeoutError, ConnectionError, msgspec.DecodeError):
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
