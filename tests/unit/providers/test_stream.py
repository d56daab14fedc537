"""Upstreams that answer with an event stream: taken at the first word, lost when the line is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from filmgate.core.errors import (
    CredentialsRefused,
    FilmgateError,
    Inexpressible,
    NotSubmitted,
    RequestRefused,
    SendAgainHere,
    SubmitUnknown,
)
from filmgate.core.upstream import Upstream
from filmgate.dialects.chat import Chat
from filmgate.providers import stream as module
from filmgate.providers.download import Downloads
from filmgate.providers.outbound import Wire
from filmgate.providers.stream import StreamProvider, Streams
from filmgate.providers.upstream import idempotency_key, in_turn
from tests.unit.providers.scripted import (
    CATALOG,
    KEY,
    OTHER_KEY,
    REQUEST,
    SECRETS,
    Step,
    as_it_is,
    channel,
    check,
    hang,
    hang_up,
    part,
    say,
    stream,
    task,
    upstream,
)

TASK = task()
URL = "https://cdn.example/clip.mp4"


def chunk(content: str, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return msgspec.json.encode({"choices": [choice]}).decode()


STEP = chunk("<think>\n正在生成视频中,当前进度30%\n")
RESULT = chunk("</think>\n" + URL)
STOP = chunk("", "stop")
DONE = "[DONE]"


@pytest.fixture
async def streams() -> AsyncIterator[Streams]:
    async with Wire(allow_private=True) as wire:
        streams = Streams(wire)
        yield streams
        await streams.close()


def provider(streams: Streams, url: str, **settings: Any) -> StreamProvider:
    return StreamProvider(
        channel("chat", url, **settings),
        Chat(),
        streams,
        Downloads(streams.wire, check),
        offer=as_it_is,
        models=CATALOG,
    )


async def verdict(made: StreamProvider) -> Upstream:
    """Poll until there is one."""
    async with asyncio.timeout(3):
        while (  # noqa: ASYNC110 - polling is what is tested
            state := await made.poll(TASK)
        ).status == "in_progress":
            await asyncio.sleep(0.01)
    return state


async def refusal(made: StreamProvider) -> FilmgateError:
    with pytest.raises(FilmgateError) as found:
        await made.submit(TASK, REQUEST)
    assert not [secret for secret in SECRETS if secret in str(found.value)]
    assert made._streams.runs == {}
    return found.value


# -- a stream that goes well ----------------------------------------------------------------------


async def test_from_the_first_word_to_the_url(streams: Streams) -> None:
    async with upstream(stream(STEP, RESULT, STOP, DONE, pause=0.05)) as there:
        made = provider(streams, there.url)
        assert await made.submit(TASK, REQUEST) == idempotency_key(TASK)
        assert await made.poll(TASK) == Upstream(status="in_progress", progress=30)
        assert (await verdict(made)).url == URL
        seen = there.seen[0]
    assert (seen.path, seen.body["stream"]) == ("/v1/chat/completions", True)
    assert seen.headers["Idempotency-Key"] == idempotency_key(TASK)
    assert there.keys() == [KEY]
    await made.forget(TASK)
    assert streams.runs == {}


@pytest.mark.parametrize("ending", ["\n\n", "\r\n\r\n", ""])
@pytest.mark.parametrize("size", [1, 7, 4096])
async def test_events_in_any_pieces(streams: Streams, ending: str, size: int) -> None:
    events = [": keep-alive", f"event: x\ndata: {STEP}", f"data:{RESULT}"]
    events += [f"data: {DONE}"] if ending else []  # or the line just ends
    raw = ((ending or "\n\n").join(events) + ending).encode()

    async def step(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for start in range(0, len(raw), size):
            await response.write(raw[start : start + size])
        return response

    async with upstream(step) as there:
        made = provider(streams, there.url)
        await made.submit(TASK, REQUEST)
        assert (await verdict(made)).url == URL


async def test_the_result_counts_before_the_stream_ends(streams: Streams) -> None:
    async with upstream(stream(STEP, RESULT, STOP, then="hang")) as there:
        made = provider(streams, there.url)
        await made.submit(TASK, REQUEST)
        assert (await verdict(made)).url == URL


async def test_an_upstream_that_does_not_stream(streams: Streams) -> None:
    choice = {"message": {"content": URL}, "finish_reason": "stop"}
    async with upstream(say(200, {"choices": [choice]}, Content_Type="application/json")) as there:
        made = provider(streams, there.url)
        await made.submit(TASK, REQUEST)
        assert (await verdict(made)).url == URL


async def test_an_upstream_that_says_why_not(streams: Streams) -> None:
    sorry = chunk("</think>\nsorry, planted-header-value has no balance")
    async with upstream(stream(STEP, sorry, STOP, DONE)) as there:
        made = provider(streams, there.url)
        await made.submit(TASK, REQUEST)
        state = await verdict(made)
    assert state.failure is not None
    assert state.failure.message == "sorry, [key] has no balance"


async def test_a_new_row_of_the_channel_keeps_its_jobs(streams: Streams) -> None:
    async with upstream(stream(STEP, RESULT, DONE)) as there:
        await provider(streams, there.url).submit(TASK, REQUEST)
        assert (await verdict(provider(streams, there.url, weight=2))).url == URL


async def test_the_clip(streams: Streams, tmp_path: Path) -> None:
    async with upstream(say(200, b"mp4")) as there:
        done = Upstream(status="completed", url=there.url + "/clip.mp4")
        clip = await provider(streams, there.url).fetch(TASK, done, tmp_path)
    assert clip.path.read_bytes() == b"mp4"


# -- before the first word ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, CredentialsRefused) for status in (401, 402, 403)),
        *((status, RequestRefused) for status in (400, 404, 405, 413, 415, 422)),
        *((status, NotSubmitted) for status in (307, 429)),
        *((status, SubmitUnknown) for status in (408, 409, 500, 502, 503, 529)),
    ],
)
async def test_each_status(streams: Streams, status: int, expected: type[FilmgateError]) -> None:
    async with upstream(say(status, {"error": {"message": f"no {KEY}"}})) as there:
        assert expected is type(await refusal(provider(streams, there.url)))
        assert len(there.seen) == 1


@pytest.mark.parametrize(
    "step",
    [
        hang,
        hang_up,
        stream(then="hang"),
        stream(then="reset"),
        stream(),
        say(200, b"<html>", Content_Type="text/html"),
        say(200, b"<html>", Content_Type="application/json"),
        part(b"data: ", 3, 60),
    ],
)
@pytest.mark.parametrize(("safe", "expected"), [(False, SubmitUnknown), (True, SendAgainHere)])
async def test_nothing_said(
    streams: Streams, step: Step, safe: bool, expected: type[FilmgateError]
) -> None:
    async with upstream(step) as there:
        made = provider(streams, there.url, submit_deadline=0.2, resubmit_safe=safe)
        assert expected is type(await refusal(made))
        assert len(there.seen) == 1


async def test_never_reached(streams: Streams) -> None:
    async with upstream(hang) as there:
        pass
    assert type(await refusal(provider(streams, there.url))) is NotSubmitted


async def test_the_next_credential_is_tried(streams: Streams) -> None:
    async with upstream(say(401), stream(STEP, RESULT, DONE)) as there:
        made = provider(streams, there.url, credentials=(KEY, OTHER_KEY))
        await made.submit(TASK, REQUEST)
        assert (await verdict(made)).url == URL
        assert there.keys() == in_turn(channel("chat", "", credentials=(KEY, OTHER_KEY)), TASK)


async def test_what_a_chat_has_no_words_for(streams: Streams) -> None:
    made = provider(streams, "http://127.0.0.1:9")
    with pytest.raises(Inexpressible):
        await made.submit(TASK, msgspec.structs.replace(REQUEST, operation="edit"))


async def test_a_submit_that_is_given_up_is_closed(streams: Streams) -> None:
    async with upstream(hang) as there:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await provider(streams, there.url).submit(TASK, REQUEST)
        assert streams.runs == {}


# -- after it -------------------------------------------------------------------------------------


async def lost(made: StreamProvider) -> None:
    with pytest.raises(SubmitUnknown):
        await verdict(made)


@pytest.mark.parametrize("then", ["end", "reset", "hang"])
async def test_a_stream_that_breaks_is_lost(streams: Streams, then: str) -> None:
    async with upstream(stream(STEP, then=then)) as there:
        made = provider(streams, there.url, submit_deadline=0.1)
        await made.submit(TASK, REQUEST)
        await lost(made)


async def test_a_slow_stream_is_not_idle(streams: Streams) -> None:
    steps = [chunk(f"当前进度{n}%\n") for n in range(1, 8)]
    async with upstream(stream("{}", *steps, chunk(URL), DONE, pause=0.1)) as there:
        made = provider(streams, there.url, submit_deadline=0.15)
        await made.submit(TASK, REQUEST)
        assert (await verdict(made)).url == URL


async def test_a_line_that_breaks_after_the_result_still_brought_it(streams: Streams) -> None:
    async with upstream(stream(STEP, RESULT, then="reset")) as there:
        made = provider(streams, there.url)
        await made.submit(TASK, REQUEST)
        assert (await verdict(made)).url == URL


async def test_a_restart_loses_it(streams: Streams) -> None:
    made = provider(streams, "http://127.0.0.1:9")
    await lost(made)
    with pytest.raises(SubmitUnknown):
        await made.find(TASK)


async def test_memory_is_bounded(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STREAM_BYTES", 20_000)
    async with upstream(stream(STEP, *[chunk("x" * 1000)] * 50, then="hang")) as there:
        made = provider(streams, there.url)
        await made.submit(TASK, REQUEST)
        await lost(made)
        assert sum(map(len, streams.runs[TASK.id].events)) < 30_000


async def test_cancel_closes_the_stream(streams: Streams) -> None:
    async with upstream(stream(STEP, then="hang")) as there:
        made = provider(streams, there.url)
        await made.submit(TASK, REQUEST)
        await made.cancel(TASK)
        assert streams.runs == {}
