"""Fetching finished clips over bad lines: whole or not at all, and never from inside."""

from __future__ import annotations

import hashlib
import re
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from filmgate.core.errors import StillRunning, TaskFailed
from filmgate.core.task import Failure
from filmgate.core.upstream import Clip, Upstream
from filmgate.providers import download as module
from filmgate.providers.download import Downloads, Fetched, LinkGone, NotFetched, download
from filmgate.providers.outbound import Wire
from tests.unit.providers.scripted import (
    KEY,
    Script,
    Step,
    channel,
    hang,
    part,
    say,
    task,
    upstream,
)

BODY = bytes(range(256)) * 2000
HALF = len(BODY) // 2
ETAG = '"v1"'


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALL_SECONDS", 0.4)


def rest(body: bytes = BODY, etag: str = ETAG) -> Step:
    """Answer a Range request like a proper server."""

    async def step(request: web.Request) -> web.Response:
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if not asked or request.headers.get("If-Range") != etag:
            return web.Response(body=body, headers={"ETag": etag})
        start = int(asked[1])
        span = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return web.Response(
            status=206, body=body[start:], headers={"ETag": etag, "Content-Range": span}
        )

    return step


async def fetch(wire: Wire, there: Script, sink: Path, path: str = "/clip.mp4") -> Fetched:
    at = channel("xai", there.url)
    return await download(wire, at, there.url + path, sink, credential=KEY, deadline=5.0)


async def brought(wire: Wire, there: Script, tmp_path: Path) -> list[str]:
    """Fetch, check what came, and tell which ranges were asked for."""
    fetched = await fetch(wire, there, tmp_path / "clip")
    expected = (tmp_path / "clip", len(BODY), hashlib.sha256(BODY).hexdigest())
    assert expected == (fetched.path, fetched.size, fetched.sha256)
    assert fetched.path.read_bytes() == BODY
    return [seen.headers.get("Range", "") for seen in there.seen]


async def test_a_whole_clip(wire: Wire, tmp_path: Path) -> None:
    async with upstream(say(200, BODY)) as there:
        assert await brought(wire, there, tmp_path) == [""]


async def test_a_broken_line_is_taken_up_where_it_broke(wire: Wire, tmp_path: Path) -> None:
    steps = (part(BODY, HALF, ETag=ETAG), rest())
    async with upstream(*steps) as there:
        assert await brought(wire, there, tmp_path) == ["", f"bytes={HALF}-"]


async def test_without_a_validator_it_begins_anew(wire: Wire, tmp_path: Path) -> None:
    async with upstream(part(BODY, HALF), say(200, BODY)) as there:
        assert await brought(wire, there, tmp_path) == ["", ""]


@pytest.mark.parametrize("headers", [{"ETag": 'W/"v1"'}])
async def test_a_weak_tag_is_no_validator(wire: Wire, tmp_path: Path, headers: Any) -> None:
    async with upstream(part(BODY, HALF, **headers), say(200, BODY)) as there:
        assert await brought(wire, there, tmp_path) == ["", ""]


async def test_a_date_is_a_validator(wire: Wire, tmp_path: Path) -> None:
    date = formatdate(usegmt=True)
    async with upstream(part(BODY, HALF, Last_Modified=date), rest(etag=date)) as there:
        assert await brought(wire, there, tmp_path) == ["", f"bytes={HALF}-"]
        assert there.seen[1].headers["If-Range"] == date


async def test_a_clip_that_changed_begins_anew(wire: Wire, tmp_path: Path) -> None:
    other = bytes(reversed(BODY))
    async with upstream(part(other, HALF, ETag='"v0"'), rest()) as there:
        assert await brought(wire, there, tmp_path) == ["", f"bytes={HALF}-"]


@pytest.mark.parametrize(
    "wrong",
    [
        say(206, BODY[:10], Content_Range=f"bytes 0-9/{len(BODY)}"),
        say(206, BODY[HALF:], Content_Range=f"bytes {HALF}-{len(BODY)}/{len(BODY) + 1}"),
        say(206, BODY[HALF:]),
        say(416, None, Content_Range=f"bytes */{len(BODY)}"),
    ],
)
async def test_the_wrong_piece_is_not_used(wire: Wire, tmp_path: Path, wrong: Step) -> None:
    async with upstream(part(BODY, HALF, ETag=ETAG), wrong, rest()) as there:
        assert await brought(wire, there, tmp_path) == ["", f"bytes={HALF}-", ""]


async def test_a_piece_that_nobody_asked_for_is_not_used(wire: Wire, tmp_path: Path) -> None:
    span = f"bytes 0-9/{len(BODY)}"
    async with upstream(say(206, BODY[:10], Content_Range=span), rest()) as there:
        assert await brought(wire, there, tmp_path) == ["", ""]


async def test_a_length_that_is_too_long(wire: Wire, tmp_path: Path) -> None:
    async with upstream(part(BODY, len(BODY), len(BODY) + 9), say(200, BODY)) as there:
        assert await brought(wire, there, tmp_path) == ["", ""]


@pytest.mark.parametrize("step", [say(503), say(500), say(429, Retry_After="1"), hang])
async def test_a_busy_server_is_asked_again(wire: Wire, tmp_path: Path, step: Step) -> None:
    async with upstream(step, say(200, BODY)) as there:
        assert await brought(wire, there, tmp_path) == ["", ""]


async def test_it_gives_up(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRIES", 2)
    async with upstream(say(503)) as there:
        with pytest.raises(NotFetched, match="busy"):
            await fetch(wire, there, tmp_path / "clip")
        assert len(there.seen) == 2


async def test_one_deadline_holds_for_all(wire: Wire, tmp_path: Path) -> None:
    async with upstream(hang) as there:
        at = channel("xai", there.url)
        with pytest.raises(NotFetched, match="in time"):
            await download(wire, at, there.url + "/x", tmp_path / "clip", deadline=0.3)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_link_that_is_gone(wire: Wire, tmp_path: Path, status: int) -> None:
    async with upstream(say(status)) as there:
        with pytest.raises(LinkGone):
            await fetch(wire, there, tmp_path / "clip")


@pytest.mark.parametrize("step", [say(204), say(418), say(200, b"x", Content_Encoding="br")])
async def test_what_is_no_clip(wire: Wire, tmp_path: Path, step: Step) -> None:
    async with upstream(step) as there:
        with pytest.raises(NotFetched):
            await fetch(wire, there, tmp_path / "clip")


@pytest.mark.parametrize("declared", [True, False])
async def test_too_large(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: bool
) -> None:
    monkeypatch.setattr(module, "MAX_CLIP_BYTES", 1000)

    async def chunked(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(BODY)
        return response

    async with upstream(say(200, BODY) if declared else chunked) as there:
        with pytest.raises(NotFetched, match="larger"):
            await fetch(wire, there, tmp_path / "clip")


# -- where it leads -------------------------------------------------------------------------------


async def test_five_redirects_are_followed(wire: Wire, tmp_path: Path) -> None:
    hops = [say(302, None, Location=f"/hop/{n}") for n in range(5)]
    async with upstream(*hops, say(200, BODY)) as there:
        await brought(wire, there, tmp_path)


async def test_six_are_not(wire: Wire, tmp_path: Path) -> None:
    async with upstream(say(302, None, Location="/loop")) as there:
        with pytest.raises(NotFetched, match="5 times"):
            await fetch(wire, there, tmp_path / "clip")
        assert len(there.seen) == 6


async def test_only_the_channels_own_host_may_be_inside(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRIES", 1)
    async with upstream(say(200, BODY)) as inside, upstream(say(200, BODY)) as there:
        elsewhere = inside.url.replace("127.0.0.1", "localhost")
        for url in (elsewhere, "http://10.0.0.1/x", "http://169.254.169.254/x", "file:///etc"):
            with pytest.raises(NotFetched, match="not public"):
                await download(wire, channel("xai", there.url), url, tmp_path / "clip")
        there.steps[:] = [say(302, None, Location=elsewhere)]
        with pytest.raises(NotFetched, match="not public"):
            await fetch(wire, there, tmp_path / "clip")
        assert inside.seen == []


async def test_the_credential_goes_only_below_the_base_url(wire: Wire, tmp_path: Path) -> None:
    async with upstream(say(200, BODY)) as there:
        at = channel("xai", there.url + "/relay")
        for path in ("/relay/v1/videos/1/content", "/cdn/clip.mp4"):
            await download(wire, at, there.url + path, tmp_path / "clip", credential=KEY)
        assert there.keys() == [KEY, ""]
        assert ["X-Relay-Token" in seen.headers for seen in there.seen] == [True, False]


async def test_a_disk_that_fails_is_not_the_upstreams_fault(wire: Wire, tmp_path: Path) -> None:
    async with upstream(say(200, BODY)) as there:
        with pytest.raises(FileNotFoundError):
            await fetch(wire, there, tmp_path / "absent" / "clip")


@pytest.mark.parametrize(
    "url", ["", "clip.mp4", "http://[::1", "http://h:99999/", "data:video/mp4,x", "http://a\ud800/"]
)
async def test_what_is_no_url(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(module, "TRIES", 1)
    with pytest.raises(NotFetched):
        await download(wire, channel("xai", "http://127.0.0.1:9"), url, tmp_path / "clip")


# -- a task's clip --------------------------------------------------------------------------------


async def check(path: Path) -> Clip:
    if path.stat().st_size < len(BODY):
        raise TaskFailed(Failure(code="internal_error", message="the MP4 is cut"))
    return Clip(path=path, seconds=6.04)


async def test_a_clip_and_its_real_length(wire: Wire, tmp_path: Path) -> None:
    async with upstream(say(200, BODY)) as there:
        done = Upstream(status="completed", url=there.url + "/clip.mp4", seconds=6.0)
        clip = await Downloads(wire, check).clip(task(), channel("xai", there.url), done, tmp_path)
    assert clip == Clip(path=tmp_path / "upstream.mp4", seconds=6.04)


async def test_the_upstreams_word_where_the_file_has_none(wire: Wire, tmp_path: Path) -> None:
    async def mute(path: Path) -> Clip:
        return Clip(path=path, seconds=0.0)

    async with upstream(say(200, BODY)) as there:
        done = Upstream(status="completed", url=there.url + "/clip.mp4", seconds=6.0)
        clip = await Downloads(wire, mute).clip(task(), channel("xai", there.url), done, tmp_path)
    assert clip.seconds == 6.0


@pytest.mark.parametrize("step", [say(404), say(200, BODY[:HALF])], ids=["gone", "half"])
async def test_polling_again_may_help_a_few_times(wire: Wire, tmp_path: Path, step: Step) -> None:
    async with upstream(step) as there:
        downloads, at = Downloads(wire, check), channel("xai", there.url)
        done = Upstream(status="completed", url=there.url + "/clip.mp4")
        for _ in range(module.ROUNDS - 1):
            with pytest.raises(StillRunning):
                await downloads.clip(task(), at, done, tmp_path)
        with pytest.raises(TaskFailed) as found:
            await downloads.clip(task(), at, done, tmp_path)
    assert found.value.failure.code == "internal_error"
    assert list(tmp_path.iterdir()) == []
