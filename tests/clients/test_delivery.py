"""Finished clips over HTTP: one link that opens without a key, expires, and seeks."""

import re
import time
import urllib.parse

import pytest

from tests.gateway import Gateway


@pytest.fixture(scope="module")
def done(gateway: Gateway) -> tuple[str, str]:
    """A finished task's id and link."""
    task_id = gateway.create(seconds=2)
    return task_id, str(gateway.finish(task_id)["result_url"])


def test_the_link_opens_without_a_key(gateway: Gateway, done: tuple[str, str]) -> None:
    status, data, headers = gateway.raw("GET", done[1], key="")
    assert (status, data[4:8]) == (200, b"ftyp")
    assert headers["content-type"] == "video/mp4"
    assert headers["content-length"] == str(len(data))
    assert headers["cache-control"].startswith("private")
    assert headers["accept-ranges"] == "bytes"


def test_the_owner_needs_no_signature(gateway: Gateway, done: tuple[str, str]) -> None:
    task_id, link = done
    whole = gateway.raw("GET", link, key="")[1]
    assert gateway.raw("GET", f"/v1/videos/{task_id}/content")[1] == whole
    assert gateway.raw("GET", f"/v1/videos/{task_id}/content", key="")[0] == 401


def test_ranges(gateway: Gateway, done: tuple[str, str]) -> None:
    whole = gateway.raw("GET", done[1], key="")[1]
    size = len(whole)
    for asked, first, last in [
        ("bytes=0-1023", 0, 1023),
        (f"bytes={size - 10}-", size - 10, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=5-{size * 9}", 5, size - 1),
    ]:
        status, data, headers = gateway.raw("GET", done[1], key="", headers={"Range": asked})
        assert status == 206
        assert headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert data == whole[first : last + 1]
    status, data, headers = gateway.raw("GET", done[1], headers={"Range": f"bytes={size}-"})
    assert (status, data, headers["content-range"]) == (416, b"", f"bytes */{size}")


def test_several_ranges(gateway: Gateway, done: tuple[str, str]) -> None:
    whole = gateway.raw("GET", done[1], key="")[1]
    status, data, headers = gateway.raw("GET", done[1], headers={"Range": "bytes=0-3,100-103"})
    assert status == 206
    assert headers["content-type"].startswith("multipart/byteranges")
    assert whole[:4] in data
    assert whole[100:104] in data
    assert headers["content-length"] == str(len(data))


def test_conditions(gateway: Gateway, done: tuple[str, str]) -> None:
    _, whole, headers = gateway.raw("GET", done[1], key="")
    etag = headers["etag"]
    assert gateway.raw("GET", done[1], headers={"If-None-Match": etag})[0] == 304
    assert gateway.raw("GET", done[1], headers={"If-Match": '"other"'})[0] == 412
    stale = {"Range": "bytes=0-3", "If-Range": '"other"'}
    assert gateway.raw("GET", done[1], headers=stale)[:2] == (200, whole)


def test_head_says_the_size_and_sends_nothing(gateway: Gateway, done: tuple[str, str]) -> None:
    whole = gateway.raw("GET", done[1], key="")[1]
    status, data, headers = gateway.raw("HEAD", done[1], key="")
    assert (status, data, headers["content-length"]) == (200, b"", str(len(whole)))


def test_the_poster(gateway: Gateway, done: tuple[str, str]) -> None:
    status, data, headers = gateway.raw("GET", f"{done[1]}&variant=thumbnail", key="")
    assert (status, data[:4], data[8:12]) == (200, b"RIFF", b"WEBP")
    assert headers["content-type"] == "image/webp"
    assert gateway.raw("GET", f"{done[1]}&variant=hologram", key="")[0] == 400


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"signature=.", "signature=~"),
        (r"signature=[^&]*", "signature="),
        (r"signature=[^&]*", "signature=" + "é" * 24),
        (r"expires=\d", "expires=9"),
        (r"expires=\d+", f"expires={int(time.time()) - 5}"),
        (r"expires=\d+", "expires=99999999999999999999"),
        (r"expires=\d+", "expires=-1"),
        (r"task_.", "task_f"),
    ],
)
def test_an_altered_link_does_not_open(
    gateway: Gateway, done: tuple[str, str], pattern: str, replacement: str
) -> None:
    altered = re.sub(pattern, replacement, done[1], count=1)
    assert altered != done[1]
    quoted = urllib.parse.quote(altered, safe=":/?&=~_-%")
    assert gateway.raw("GET", quoted, key="")[0] == 401


def test_one_identity_in_every_spelling(gateway: Gateway, done: tuple[str, str]) -> None:
    bare = done[0].removeprefix("task_")
    dashed = "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))
    for spelling in (bare, dashed, f"video_{bare}", f"task_{bare}"):
        assert gateway.call("GET", f"/v1/video/generations/{spelling}")[0] == 200
        assert gateway.raw("HEAD", f"/v1/videos/{spelling}/content")[0] == 200


def test_links_stay_the_same_from_poll_to_poll(gateway: Gateway, done: tuple[str, str]) -> None:
    assert gateway.finish(done[0])["result_url"] == done[1]
