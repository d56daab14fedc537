"""An upstream that answers a create with an event stream and cannot be asked again (document 000).

What it says is read in the background and kept in memory only: after a restart, or a line that
broke, nobody can tell what became of the job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

from filmgate.core.catalog import Catalog
from filmgate.core.channel import Channel
from filmgate.core.errors import CredentialsRefused, NotSubmitted, SubmitUnknown
from filmgate.core.task import Task
from filmgate.core.upstream import Clip, Upstream
from filmgate.core.video import VideoRequest
from filmgate.dialects.base import Outbound, StreamingDialect
from filmgate.providers.download import Downloads
from filmgate.providers.outbound import Answer, Incoming, NoAnswer, NotSent, Wire
from filmgate.providers.upstream import (
    Offer,
    idempotency_key,
    in_turn,
    refused,
    undone,
    written,
)

MAX_STREAM_BYTES = 4 << 20
"""More than any video's stream needs: hundreds of lines of progress, keep-alives and a URL."""


class Streams:
    """The streams that are open or were read to their end, by task.

    One serves the whole process, so that changing a channel's row does not lose its jobs.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.runs: dict[str, _Run] = {}

    async def drop(self, task_id: str) -> None:
        """Close a task's stream, if there is one."""
        run = self.runs.pop(task_id, None)
        if run and run.reader:
            run.reader.cancel()
            await asyncio.gather(run.reader, return_exceptions=True)

    async def close(self) -> None:
        """Close every stream; what their jobs come to will not be known."""
        await asyncio.gather(*map(self.drop, list(self.runs)))


class StreamProvider:
    """Implements ``core.ports.Provider`` for one channel of a streaming dialect."""

    def __init__(
        self,
        channel: Channel,
        dialect: StreamingDialect,
        streams: Streams,
        downloads: Downloads,
        *,
        offer: Offer,
        models: Catalog,
    ) -> None:
        self._channel = channel
        self._dialect = dialect
        self._streams = streams
        self._downloads = downloads
        self._offer = offer
        self._models = models

    async def submit(self, task: Task, request: VideoRequest) -> str:
        """Send it and wait for the first word of the answer; the job is then taken.

        The id is our own: the upstream has none that it could be asked about.
        """
        channel = self._channel
        outbound = await written(request, channel, self._dialect, self._offer, self._models)
        refusal: NotSubmitted | None = None
        for credential in in_turn(channel, task):
            await self._streams.drop(task.id)
            run = self._streams.runs[task.id] = _Run()
            run.reader = asyncio.create_task(self._read(run, task, outbound, credential))
            try:
                answer = await run.opened
                if answer is None:
                    return idempotency_key(task)
                raise refused(channel, self._dialect, answer)
            except CredentialsRefused as error:
                refusal = error
            except (NotSent, NoAnswer, SubmitUnknown) as error:
                await self._streams.drop(task.id)
                raise undone(channel, error) from None
            except BaseException:
                await self._streams.drop(task.id)
                raise
        await self._streams.drop(task.id)
        raise refusal or CredentialsRefused(f"{channel.name} has no credential")

    async def find(self, task: Task) -> str:
        raise undone(self._channel, NoAnswer("an interrupted submission cannot be looked up"))

    async def poll(self, task: Task) -> Upstream:
        run = self._streams.runs.get(task.id)
        if run is None:
            raise SubmitUnknown(f"{self._channel.name}: the stream was lost with a restart")
        state = run.whole or self._dialect.decode_events(run.events)
        if state.status in ("completed", "failed") or not run.ended:
            return state
        # A line that broke right after the result still brought it.
        salvaged = self._dialect.decode_events([*run.events, "[DONE]"])
        if salvaged.status == "completed":
            return salvaged
        raise SubmitUnknown(f"{self._channel.name}: the stream broke off: {run.ended}")

    async def fetch(self, task: Task, done: Upstream, folder: Path) -> Clip:
        credential = in_turn(self._channel, task)[0]
        return await self._downloads.clip(task, self._channel, done, folder, credential=credential)

    async def cancel(self, task: Task) -> None:
        await self._streams.drop(task.id)

    async def forget(self, task: Task) -> None:
        await self._streams.drop(task.id)
        self._downloads.forget(task)

    async def _read(self, run: _Run, task: Task, outbound: Outbound, credential: str) -> None:
        """Read one stream to its end; ``run`` is told of the first word, or of why none came."""
        try:
            async with self._streams.wire.submit(
                self._channel,
                outbound,
                credential=credential,
                idempotency_key=idempotency_key(task),
                deadline=self._channel.submit_deadline,
            ) as incoming:
                if not 200 <= incoming.status < 300:
                    run.open(await incoming.read())
                elif "json" in incoming.headers.get("Content-Type", "").lower():
                    await self._read_whole(run, incoming)
                else:
                    await self._read_events(run, incoming)
            run.end(NoAnswer("it ended without a result"))
        except (NotSent, NoAnswer) as error:
            run.end(error)
        except BaseException:
            run.end(NoAnswer("its reader was stopped"))
            raise

    async def _read_events(self, run: _Run, incoming: Incoming) -> None:
        idle = 2 * self._channel.submit_deadline
        lines, size = _Lines(), 0
        async for piece in incoming.pieces():
            size += len(piece)
            if size > MAX_STREAM_BYTES:
                raise NoAnswer(f"its stream is larger than {MAX_STREAM_BYTES >> 20} MiB")
            run.hear(map(incoming.clean, lines.feed(piece)))
            if run.events and run.events[-1].strip() == "[DONE]":
                return
            if run.events:
                incoming.wait(idle)
        # Not every server ends its last event with a blank line.
        run.hear(map(incoming.clean, lines.feed(b"\n\n")))

    async def _read_whole(self, run: _Run, incoming: Incoming) -> None:
        """An upstream that does not stream says everything at once."""
        answer = await incoming.read()
        if not isinstance(answer.body, dict):
            raise NoAnswer("its answer is neither a stream nor a JSON object")
        run.whole = self._dialect.decode_task(answer.status, answer.body)
        run.open(None)


class _Run:
    """One stream: its events so far, and why there will be no more.

    ``opened`` holds ``None`` once the job is taken, or the answer that refused it. ``whole`` is the
    verdict of an answer that was not streamed.
    """

    def __init__(self) -> None:
        self.opened: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self.events: list[str] = []
        self.whole: Upstream | None = None
        self.ended = ""
        self.reader: asyncio.Task[None] | None = None

    def hear(self, payloads: Iterable[bytes]) -> None:
        for payload in payloads:
            self.events.append(payload.decode(errors="replace"))
            self.open(None)

    def open(self, answer: Answer | None) -> None:
        if not self.opened.done():
            self.opened.set_result(answer)

    def end(self, error: NotSent | NoAnswer) -> None:
        self.ended = str(error)
        if not self.opened.done():
            self.opened.set_exception(error)


class _Lines:
    """Takes an event stream apart into its ``data:`` payloads (WHATWG HTML, section 9.2.6)."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The payloads that ``piece`` completes."""
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            elif not line and self._data:
                yield b"\n".join(self._data)
                self._data = []
