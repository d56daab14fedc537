"""Brings a finished clip from its upstream to a local file, whole, over whatever line there is."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin

import msgspec
import structlog

from filmgate.core.channel import Channel
from filmgate.core.errors import StillRunning, TaskFailed
from filmgate.core.task import Failure, Task
from filmgate.core.upstream import Clip, Upstream
from filmgate.dialects import answers
from filmgate.providers.outbound import Incoming, NoAnswer, NotSent, Wire

MAX_CLIP_BYTES = 512 << 20
MAX_REDIRECTS = 5
DEADLINE_SECONDS = 900.0
STALL_SECONDS = 30.0
TRIES = 5  # in a row that bring nothing new
ROUNDS = 4  # of asking for a fresh link
PIECE = 1 << 18

Check = Callable[[Path], Awaitable[Clip]]
"""What a local MP4 says of itself. Raises ``TaskFailed`` when it is not a whole one."""

_log = structlog.get_logger()
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_LOST = Failure(
    code="internal_error",
    message="The video was made but could not be fetched from its upstream; try again.",
)


class LinkGone(Exception):
    """The address no longer leads to the clip (401, 403, 404 or 410): a fresh one may."""


class NotFetched(Exception):
    """The clip could not be brought here. The message names no address."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole clip in a local file: its size in bytes and its SHA-256 in hex."""

    path: Path
    size: int
    sha256: str


class Downloads:
    """Fetches the clips of all channels. ``check`` says whether a file is a whole MP4.

    One serves the whole process: it remembers for how many rounds a task's clip was not to be had.
    """

    def __init__(self, wire: Wire, check: Check) -> None:
        self._wire = wire
        self._check = check
        self._rounds: dict[str, int] = {}

    async def clip(
        self, task: Task, channel: Channel, done: Upstream, folder: Path, *, credential: str = ""
    ) -> Clip:
        """The finished clip in ``folder``.

        Raises ``StillRunning`` to be polled again, for a fresh link or a better line, and
        ``TaskFailed`` after ``ROUNDS`` of that.
        """
        url = channel.base_url.rstrip("/") + done.url if done.url.startswith("/") else done.url
        sink = folder / "upstream.mp4"
        try:
            await download(self._wire, channel, url, sink, credential=credential)
            clip = await self._check(sink)
        except (LinkGone, NotFetched, TaskFailed) as error:
            sink.unlink(missing_ok=True)
            rounds = self._rounds[task.id] = self._rounds.get(task.id, 0) + 1
            _log.warning("clip.not_fetched", task=task.id, channel=channel.name, why=str(error))
            if rounds >= ROUNDS:
                self.forget(task)
                raise TaskFailed(_LOST) from None
            raise StillRunning("the clip cannot be fetched just now", 5.0 * rounds) from None
        self.forget(task)
        # The file itself knows best; the upstream's word is for files that do not say.
        return msgspec.structs.replace(clip, seconds=clip.seconds or done.seconds or 0.0)

    def forget(self, task: Task) -> None:
        """The task has ended."""
        self._rounds.pop(task.id, None)


async def download(
    wire: Wire,
    channel: Channel,
    url: str,
    sink: Path,
    *,
    credential: str = "",
    deadline: float = DEADLINE_SECONDS,
) -> Fetched:
    """Fetch a clip of at most ``MAX_CLIP_BYTES`` into ``sink``, within ``deadline`` seconds.

    A broken line is taken up again where it broke, if the server can say that the clip is still the
    same (RFC 9110, sections 13.1.5 and 14), and begun anew otherwise. Raises ``LinkGone``,
    ``NotFetched``; ``sink`` may be left half-written then.
    """
    part = _Part(await asyncio.to_thread(sink.open, "wb"))
    end, tries = time.monotonic() + deadline, 0
    try:
        while True:
            had, pause = part.size, min(0.25 * 2**tries, 8.0)
            try:
                await _fill(wire, channel, url, credential, part, end)
                return Fetched(sink, part.size, part.digest.hexdigest())
            except (NotSent, NoAnswer) as trouble:
                tries = 1 if part.size > had else tries + 1
                why = str(trouble)
            except _Busy as busy:
                tries, pause = tries + 1, max(pause, busy.seconds)
                why = f"its server is busy (HTTP {busy.status})"
            if tries >= TRIES or time.monotonic() + pause >= end:
                raise NotFetched(why)
            await asyncio.sleep(pause)
    finally:
        await asyncio.to_thread(part.file.close)


class _Busy(Exception):
    """Not now: a 408, 429 or 5xx."""

    def __init__(self, status: int, seconds: float) -> None:
        super().__init__(status)
        self.status = status
        self.seconds = seconds


@dataclass(slots=True)
class _Part:
    """What has arrived of a clip. ``total`` is -1 until known; ``validator`` names the version."""

    file: BinaryIO
    size: int = 0
    total: int = -1
    validator: str = ""
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def headers(self) -> dict[str, str]:
        """What to ask for: the rest, provided that the clip is still the same."""
        if not self.size or not self.validator:
            return {"Accept": "*/*"}
        return {"Accept": "*/*", "Range": f"bytes={self.size}-", "If-Range": self.validator}

    def begin(self, incoming: Incoming) -> None:
        """Take a whole answer: whatever was there before goes."""
        self.file.seek(0)
        self.file.truncate()
        self.size, self.digest = 0, hashlib.sha256()
        self.total = _length(incoming)
        etag = incoming.headers.get("ETag", "")
        # A weak tag does not promise the same bytes.
        strong = "" if etag.startswith("W/") else etag
        self.validator = strong or incoming.headers.get("Last-Modified", "")

    def add(self, piece: bytes) -> None:
        """Write the next bytes."""
        self.file.write(piece)
        self.digest.update(piece)
        self.size += len(piece)


async def _fill(
    wire: Wire, channel: Channel, url: str, credential: str, part: _Part, end: float
) -> None:
    """One try to bring what is missing, through redirects.

    Raises ``NotSent``, ``NoAnswer``, ``_Busy``, ``LinkGone``, ``NotFetched``.
    """
    for _ in range(MAX_REDIRECTS + 1):
        async with wire.get(
            channel, url, credential=credential, headers=part.headers(), deadline=STALL_SECONDS
        ) as incoming:
            location = incoming.headers.get("Location")
            if incoming.status not in {301, 302, 303, 307, 308} or not location:
                await _take(incoming, part, end)
                return
        try:
            url = urljoin(url, location)
        except ValueError:
            raise NotFetched("it is redirected to no plain URL") from None
    raise NotFetched(f"it is redirected more than {MAX_REDIRECTS} times")


async def _take(incoming: Incoming, part: _Part, end: float) -> None:
    _judge(incoming, part)
    async for piece in incoming.pieces(PIECE):
        await asyncio.to_thread(part.add, piece)
        if part.size > MAX_CLIP_BYTES:
            raise _too_large()
        incoming.wait(min(STALL_SECONDS, end - time.monotonic()))
    if part.total not in (-1, part.size):
        raise NoAnswer("its answer broke off")


def _judge(incoming: Incoming, part: _Part) -> None:
    """Make ``part`` ready for the answer's body, if it has one that is wanted."""
    status, headers = incoming.status, incoming.headers
    if status in {401, 403, 404, 410}:
        raise LinkGone(f"its link is gone (HTTP {status})")
    if status in {408, 429} or status >= 500:
        raise _Busy(status, answers.retry_after(headers) if "Retry-After" in headers else 0.0)
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NotFetched("its server sent it compressed")
    if status == 206 and part.size:
        span = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        if span and int(span[1]) == part.size and span[2] in {"*", str(part.total)}:
            return
    if status in {206, 416}:  # not the piece that was asked for: begin anew
        part.validator = ""
        raise NoAnswer("its server sent another part than asked for")
    if status not in {200, 203}:
        raise NotFetched(f"its server answered HTTP {status}")
    part.begin(incoming)
    if part.total > MAX_CLIP_BYTES:
        raise _too_large()


def _length(incoming: Incoming) -> int:
    text = incoming.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _too_large() -> NotFetched:
    return NotFetched(f"it is larger than {MAX_CLIP_BYTES >> 20} MiB")
