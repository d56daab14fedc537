"""Upstreams that are polled: what each answer and each trouble means for the task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from filmgate.core.errors import (
    CredentialsRefused,
    StillRunning,
)
from filmgate.core.task import Failure
from filmgate.core.upstream import Upstream
from filmgate.providers.outbound import Wire
from tests.unit.providers.scripted import (
    KEY,
    Step,
    hang,
    hang_up,
    part,
    polled_provider,
    say,
    task,
    upstream,
)

POLLED = ("xai", "newapi", "openai")
TASK = task()


# -- poll -----------------------------------------------------------------------------------------

URL = "https://cdn.example/clip.mp4"


@pytest.mark.parametrize(
    ("dialect", "path", "status", "body", "expected"),
    [
        ("xai", "/v1/videos/up-1", 202, {"status": "pending", "progress": 40}, 40),
        ("xai", "/v1/videos/up-1", 200, {"status": "done", "video": {"url": URL}}, URL),
        (
            "newapi",
            "/v1/video/generations/up-1",
            200,
            {"code": "success", "data": {"status": "IN_PROGRESS", "progress": "30%"}},
            30,
        ),
        (
            "newapi",
            "/v1/video/generations/up-1",
            200,
            {"code": "success", "data": {"status": "SUCCESS", "result_url": URL}},
            URL,
        ),
        ("openai", "/v1/videos/up-1", 200, {"id": "up-1", "status": "in_progress"}, None),
        (
            "openai",
            "/v1/videos/up-1",
            200,
            {"id": "up-1", "status": "completed"},
            "/v1/videos/up-1/content",
        ),
        (
            "openai",
            "/v1/videos/up-1",
            200,
            {"id": "up-2", "status": "completed"},  # not ours to fetch
            "/v1/videos/up-1/content",
        ),
    ],
)
async def test_each_dialects_polls(
    wire: Wire, dialect: str, path: str, status: int, body: Any, expected: Any
) -> None:
    async with upstream(say(status, body)) as there:
        state = await polled_provider(wire, dialect, there.url).poll(TASK)
        assert (there.seen[0].method, there.seen[0].path) == ("GET", path)
        assert there.keys() == [KEY]
    assert expected == (state.url or state.progress)
    assert state.body == body


@pytest.mark.parametrize("dialect", POLLED)
@pytest.mark.parametrize("raw", [b"", b"<html>", b"{}", b"[]"])
async def test_a_202_is_pending_whatever_it_holds(wire: Wire, dialect: str, raw: bytes) -> None:
    async with upstream(say(202, raw)) as there:
        assert (await polled_provider(wire, dialect, there.url).poll(TASK)).status == "in_progress"


@pytest.mark.parametrize("dialect", POLLED)
@pytest.mark.parametrize("status", [400, 404, 410])
async def test_a_verdict(wire: Wire, dialect: str, status: int) -> None:
    async with upstream(say(status, {"error": {"message": f"gone {KEY}"}})) as there:
        state = await polled_provider(wire, dialect, there.url).poll(TASK)
    assert state.failure == Failure(code="internal_error", message="gone [key]")


async def test_moderated_by_400(wire: Wire) -> None:
    body = {"code": "imagine:content-moderated", "error": "no", "usage": {"cost_in_usd_ticks": 5}}
    async with upstream(say(400, body)) as there:
        state = await polled_provider(wire, "xai", there.url).poll(TASK)
    expected = Upstream(status="completed", progress=100, moderated=True, cost_ticks=5, body=body)
    assert expected == state


@pytest.mark.parametrize("dialect", POLLED)
@pytest.mark.parametrize(
    "step",
    [
        *(say(status) for status in (301, 405, 408, 409, 425, 429, 500, 502, 503, 504, 529)),
        say(200, b"<html>maintenance</html>"),
        say(200, b'{"status": "do'),
        say(200),
        hang_up,
        part(b'{"status": "done"}', 5),
    ],
)
async def test_trouble_is_still_running(wire: Wire, dialect: str, step: Step) -> None:
    async with upstream(step) as there:
        with pytest.raises(StillRunning) as found:
            await polled_provider(wire, dialect, there.url).poll(TASK)
    assert found.value.retry_after == 2.0


async def test_a_poll_that_nobody_answers(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filmgate.providers.upstream.POLL_SECONDS", 0.2)
    async with upstream(hang) as there:
        with pytest.raises(StillRunning):
            await polled_provider(wire, "xai", there.url).poll(TASK)
    with pytest.raises(StillRunning):
        await polled_provider(wire, "xai", there.url).poll(TASK)  # it is gone now


async def test_a_poll_heeds_retry_after(wire: Wire) -> None:
    async with upstream(say(503, None, Retry_After="9")) as there:
        with pytest.raises(StillRunning) as found:
            await polled_provider(wire, "xai", there.url).poll(TASK)
    assert found.value.retry_after == 9.0


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_poll_with_a_dead_key(wire: Wire, status: int) -> None:
    async with upstream(say(status, {"error": f"bad key {KEY}"})) as there:
        with pytest.raises(CredentialsRefused) as found:
            await polled_provider(wire, "xai", there.url).poll(TASK)
    assert KEY not in str(found.value)


# -- fetch, cancel, forget ------------------------------------------------------------------------


async def test_openais_content_is_fetched_with_the_key(wire: Wire, tmp_path: Path) -> None:
    steps = (say(200, {"id": "up-1", "status": "completed"}), say(200, b"mp4"))
    async with upstream(*steps) as there:
        made = polled_provider(wire, "openai", there.url)
        clip = await made.fetch(TASK, await made.poll(TASK), tmp_path)
        assert (there.seen[1].path, there.keys()[1]) == ("/v1/videos/up-1/content", KEY)
    assert clip.path.read_bytes() == b"mp4"


async def test_a_link_that_expired_is_asked_for_again(wire: Wire, tmp_path: Path) -> None:
    async with upstream(say(403), say(200, b"mp4")) as there:
        made = polled_provider(wire, "xai", there.url)
        done = Upstream(status="completed", url=there.url + "/clip.mp4?signature=abc")
        with pytest.raises(StillRunning):
            await made.fetch(TASK, done, tmp_path)
        assert (await made.fetch(TASK, done, tmp_path)).path.read_bytes() == b"mp4"


@pytest.mark.parametrize(("dialect", "expected"), [("openai", ["DELETE"]), ("xai", [])])
@pytest.mark.parametrize("step", [say(200, {"deleted": True}), say(500), hang_up])
async def test_cancel_never_fails(
    wire: Wire, dialect: str, expected: list[str], step: Step
) -> None:
    async with upstream(step) as there:
        made = polled_provider(wire, dialect, there.url)
        await made.cancel(TASK)
        await made.forget(TASK)
        methods = {seen.method for seen in there.seen}
    assert sorted(methods) == expected
