"""The sandbox as a provider: renders each task in a child process of its own.

It keeps a folder per accepted job, made in one atomic step, so a submission that was cut short can
always be looked up, and a clip lost with a dead process is simply rendered again: the same prompt
and seed give the same frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from filmgate.core.confine import child_environment
from filmgate.core.errors import NotSubmitted, TaskFailed
from filmgate.core.ports import InputFiles, Tasks
from filmgate.core.task import Failure, Task
from filmgate.core.upstream import Clip, Upstream
from filmgate.core.video import VideoRequest
from filmgate.providers.sandbox.job import Done, Error, Job, decode_line

_log = structlog.get_logger()
# A child that was killed is started again; one that dies by itself each time is given up.
_ATTEMPTS = 3
_WALL_SECONDS = 1200.0
_LOG_CHARACTERS = 2000
_FETCHES = 16
_FETCH_SECONDS = 60.0
_TOO_SLOW = f"The images and clips of this request took longer than {_FETCH_SECONDS:g} s to fetch."
_BROKEN = Error(code="internal_error", message="The sandbox could not render this video.")


class Sandbox:
    """Implements ``core.ports.Provider``. ``folder`` is its workspace, ``workers`` its children."""

    def __init__(self, folder: Path, inputs: InputFiles, workers: int) -> None:
        self._folder = folder
        self._inputs = inputs
        self._free = asyncio.Semaphore(workers)
        self._fetching = asyncio.Semaphore(_FETCHES)
        self._runs: dict[str, _Run] = {}

    async def submit(self, task: Task, request: VideoRequest) -> str:
        # Making the folder is the one step that accepts the job; a second one changes nothing.
        self._workspace(task).mkdir(parents=True, exist_ok=True)
        return task.id

    async def find(self, task: Task) -> str:
        if self._workspace(task).is_dir():
            return task.id
        raise NotSubmitted("the sandbox never saw this job", retry_after=0.0)

    async def poll(self, task: Task) -> Upstream:
        run = self._runs.get(task.id)
        if run is None:
            run = self._runs[task.id] = _Run()
            run.work = asyncio.create_task(self._render(task, run))
        if run.result is None:
            return Upstream(status="in_progress", progress=run.progress)
        if isinstance(run.result, Done):
            return Upstream(status="completed", progress=100, seconds=run.result.seconds)
        failure = Failure(
            code=run.result.code, message=run.result.message, reason=run.result.reason
        )
        return Upstream(status="failed", failure=failure)

    async def fetch(self, task: Task, done: Upstream, folder: Path) -> Clip:
        result = self._runs[task.id].result
        assert isinstance(result, Done)
        return Clip(
            path=self._workspace(task) / "clip.mp4",
            seconds=result.seconds,
            width=result.width,
            height=result.height,
            input_seconds=result.input_seconds,
            poster=self._workspace(task) / "poster.webp",
        )

    async def cancel(self, task: Task) -> None:
        run = self._runs.pop(task.id, None)
        if run and run.work:
            run.work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await run.work

    async def forget(self, task: Task) -> None:
        await self.cancel(task)
        await asyncio.to_thread(shutil.rmtree, self._workspace(task), ignore_errors=True)

    async def tidy(self, tasks: Tasks) -> None:
        """Drop what a crash left of tasks that have ended; call before any job runs."""
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = {folder.name: folder for folder in self._folder.iterdir()}
        live = {task.id for task in await tasks.many(kept) if not task.final}
        for name in kept.keys() - live:
            await asyncio.to_thread(shutil.rmtree, kept[name], ignore_errors=True)

    async def close(self) -> None:
        """Stop every child; their tasks are rendered again after the next start."""
        works = [run.work for run in self._runs.values() if run.work]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)

    def _workspace(self, task: Task) -> Path:
        return self._folder / task.id

    async def _render(self, task: Task, run: _Run) -> None:
        try:
            # A slow host of somebody's images must not keep others from being drawn.
            async with self._fetching, asyncio.timeout(_FETCH_SECONDS):
                job = await self._prepare(task)
            async with self._free:
                for _attempt in range(_ATTEMPTS):
                    run.progress = 0
                    run.result = await _render_once(job, run.note, self._errors(task))
                    if run.result is None or _is_ours(run.result):
                        said = self._errors(task).read_text(errors="replace")[-_LOG_CHARACTERS:]
                        _log.warning("sandbox.child_died", task=task.id, stderr=said)
                    if run.result is not None:
                        return
            run.result = _BROKEN
        except* TaskFailed as group:
            failure = _first(group).failure
            run.result = Error(
                code="invalid_argument", message=failure.message, reason=failure.reason
            )
        except* TimeoutError:
            run.result = Error(code="invalid_argument", message=_TOO_SLOW)
        except* Exception:
            _log.exception("sandbox.trouble", task=task.id)
            run.result = _BROKEN

    def _errors(self, task: Task) -> Path:
        return self._workspace(task) / "render.log"

    async def _prepare(self, task: Task) -> Job:
        """Bring the request's media to local files. Raises ``InputUnfetchable``."""
        folder, request = self._workspace(task), task.request
        folder.mkdir(parents=True, exist_ok=True)
        images = [folder / f"image-{number}" for number in range(len(request.images))]
        video = folder / "input.mp4" if request.video else None
        async with asyncio.TaskGroup() as fetches:
            for media, path in zip(request.images, images, strict=True):
                fetches.create_task(self._inputs.bring(media, "image", path))
            if request.video and video:
                fetches.create_task(self._inputs.bring(request.video, "video", video))
        return Job(
            operation=request.operation,
            prompt=request.prompt,
            output=str(folder / "clip.mp4"),
            poster=str(folder / "poster.webp"),
            seconds=request.seconds,
            aspect_ratio=request.aspect_ratio,
            resolution=request.resolution,
            seed=request.seed,
            images=tuple(map(str, images)),
            video=str(video) if video else None,
            audio=request.audio,
        )


class _Run:
    """One job under way: how far it is, and what came of it."""

    def __init__(self) -> None:
        self.progress = 0
        self.result: Done | Error | None = None
        self.work: asyncio.Task[None] | None = None

    def note(self, percent: int) -> None:
        self.progress = percent


def _is_ours(result: Done | Error) -> bool:
    """Whether a verdict tells of a fault of ours rather than of the request."""
    return isinstance(result, Error) and result.code == "internal_error"


def _first(group: BaseExceptionGroup[TaskFailed]) -> TaskFailed:
    error = group.exceptions[0]
    return error if isinstance(error, TaskFailed) else _first(error)


async def _render_once(job: Job, note: Callable[[int], None], errors: Path) -> Done | Error | None:
    """Run one child, what it complains of going to ``errors``; ``None`` when it died mute."""
    log = errors.open("wb")
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "filmgate.providers.sandbox.render",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env=child_environment(),
        # Ctrl-C in a terminal is for the server, which then stops its children.
        start_new_session=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(_WALL_SECONDS):
            child.stdin.write(msgspec.json.encode(job))
            child.stdin.close()
            async for raw in child.stdout:
                line = decode_line(raw)
                if line.progress is not None:
                    note(line.progress)
                elif line.done or line.error:
                    return line.done or line.error
        return None
    except (TimeoutError, ConnectionError, msgspec.DecodeError):
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        log.close()
