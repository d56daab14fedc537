"""The object store, on a disk and in memory."""

from __future__ import annotations

import hashlib
import os
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filmgate.core.errors import Unavailable
from filmgate.media.objects import CHUNK, ObjectMissing, Objects

CONTENT = os.urandom(CHUNK * 6 + 12_345)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["path", "file", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    root = tmp_path / "a store"
    urls = {"path": str(root), "file": root.as_uri(), "memory": "memory:///"}
    return Objects.open(urls[request.param])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    return path


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def files_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_a_file_comes_back_as_it_went_in(objects: Objects, clip: Path) -> None:
    stored = await objects.put_file("clips/1/video.mp4", clip, content_type="video/mp4")
    found = await objects.head("clips/1/video.mp4")

    assert ("clips/1/video.mp4", len(CONTENT), SHA256) == (stored.key, stored.size, stored.sha256)
    assert abs(stored.last_modified - time.time()) < 5
    assert found is not None
    assert (stored.size, stored.last_modified) == (found.size, found.last_modified)
    assert found.sha256 in {None, SHA256}
    assert await joined(objects.stream("clips/1/video.mp4", 0, len(CONTENT))) == CONTENT


async def test_streaming_a_span_in_pieces(objects: Objects) -> None:
    await objects.put_bytes("a", CONTENT, content_type="video/mp4")
    span = objects.stream("a", 1000, 3 * CHUNK)
    pieces = [piece async for piece in span]
    assert CONTENT[1000 : 1000 + 3 * CHUNK] == b"".join(pieces)
    assert max(map(len, pieces)) <= CHUNK
    assert len(pieces) <= 7
    assert await joined(objects.stream("a", 5, 0)) == b""
    assert await joined(objects.stream("a", len(CONTENT) - 1, 1)) == CONTENT[-1:]


async def test_a_span_beyond_the_end_is_not_passed_off_as_whole(objects: Objects) -> None:
    await objects.put_bytes("a", b"1234", content_type="text/plain")
    with pytest.raises(ObjectMissing):
        await joined(objects.stream("a", 2, 3))


async def test_putting_again_replaces(objects: Objects) -> None:
    await objects.put_bytes("a", b"old and long", content_type="text/plain")
    await objects.put_bytes("a", b"new", content_type="text/plain")
    assert await joined(objects.stream("a", 0, 3)) == b"new"


async def test_fetching_to_a_file(objects: Objects, tmp_path: Path) -> None:
    await objects.put_bytes("a", CONTENT, content_type="video/mp4")
    await objects.fetch_to("a", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == CONTENT


async def test_what_is_missing(objects: Objects, tmp_path: Path) -> None:
    assert await objects.head("nothing/here") is None
    with pytest.raises(ObjectMissing, match="'nothing/here'"):
        await joined(objects.stream("nothing/here", 0, 10))
    with pytest.raises(ObjectMissing):
        await objects.fetch_to("nothing/here", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    await objects.delete("nothing/here")


async def test_delete_and_list(objects: Objects) -> None:
    for key in ("clips/1/video.mp4", "clips/1/poster.webp", "clips/10/video.mp4", "files/1"):
        await objects.put_bytes(key, b"12", content_type="video/mp4")
    await objects.delete("files/1")
    keys = {stored.key async for stored in objects.list()}
    below = {(stored.key, stored.size) async for stored in objects.list("clips/1")}
    assert keys == {"clips/1/video.mp4", "clips/1/poster.webp", "clips/10/video.mp4"}
    assert below == {("clips/1/video.mp4", 2), ("clips/1/poster.webp", 2)}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "..",
        "../a",
        "a/../b",
        "a/..",
        "a/./b",
        "a//b",
        "a/",
        ".hidden",
        "a/.staging/b",
        "a b",
        "a\\b",
        "a%2fb",
        "a\0b",
        "a\n",
        "ключ",
        "a:b",
        "~root",
        "a#1",
        "x" * 129,
        "/".join("abcdefghi"),
    ],
)
async def test_a_key_that_is_none(objects: Objects, tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        await objects.put_bytes(key, b"1", content_type="text/plain")
    with pytest.raises(ValueError, match="is not a key"):
        await objects.put_file(key, tmp_path, content_type="text/plain")
    with pytest.raises(ValueError, match="is not a key"):
        await objects.head(key)
    with pytest.raises(ValueError, match="is not a key"):
        await joined(objects.stream(key, 0, 1))
    with pytest.raises(ValueError, match="is not a key"):
        await objects.delete(key)


@pytest.mark.parametrize("url", ["https://example.com/", "ftp://example.com", "gopher://x"])
def test_a_url_that_is_no_store(url: str) -> None:
    with pytest.raises(ValueError, match="s3://"):
        Objects.open(url)


def test_clouds_open_without_a_call() -> None:
    Objects.open("s3://bucket/prefix")
    Objects.open("gs://bucket/prefix")


# -- on a disk: whole or not at all -------------------------------------------------------------


class NoSpaceLeft(OSError):
    pass


@pytest.mark.parametrize("broken", ["os.fsync", "os.replace", "os.open"])
async def test_a_failing_disk_shows_nothing(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    root = tmp_path / "store"
    objects = Objects.open(str(root))
    (root / "clips").mkdir()
    module, name = broken.split(".")
    assert module == "os"

    def fail(*_: object, **__: object) -> None:
        raise NoSpaceLeft

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        with pytest.raises(Unavailable):
            await objects.put_file("clips/a.mp4", clip, content_type="video/mp4")
    # os.open is only used to sync the directory, after the whole file got its name.
    expected = ["clips/a.mp4"] if broken == "os.open" else []
    assert expected == files_below(root)


async def test_a_full_disk_leaves_the_old_file(tmp_path: Path, clip: Path) -> None:
    objects = Objects.open(str(tmp_path / "store"))
    await objects.put_bytes("a", b"old", content_type="text/plain")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK, before[1]))
    try:
        with pytest.raises(Unavailable, match="file store"):
            await objects.put_file("a", clip, content_type="video/mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert await joined(objects.stream("a", 0, 3)) == b"old"
    assert files_below(tmp_path / "store") == ["a"]


async def test_bytes_are_durable_before_they_get_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "store"
    objects = Objects.open(str(root))
    order: list[str] = []
    sync, replace = os.fsync, os.replace

    def traced_sync(descriptor: int) -> None:
        order.append(os.path.relpath(os.readlink(f"/proc/self/fd/{descriptor}"), root))
        sync(descriptor)

    def traced_replace(source: str, target: str) -> None:
        order.append(f"-> {os.path.relpath(target, root)}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", traced_sync)
    monkeypatch.setattr(os, "replace", traced_replace)
    await objects.put_bytes("clips/1/a.mp4", b"1", content_type="video/mp4")
    staged = order.pop(0)
    assert staged.startswith(".staging/")
    assert order == [".", "clips", "-> clips/1/a.mp4", "clips/1"]


async def test_a_reader_keeps_the_file_it_opened(tmp_path: Path) -> None:
    objects = Objects.open(str(tmp_path))
    await objects.put_bytes("a", CONTENT, content_type="video/mp4")
    stream = objects.stream("a", 0, len(CONTENT))
    first = await anext(stream)
    await objects.put_bytes("a", b"other", content_type="video/mp4")
    await objects.delete("a")
    assert first + await joined(stream) == CONTENT


async def test_leftovers_of_killed_writers(tmp_path: Path) -> None:
    objects = Objects.open(str(tmp_path))
    old, young = tmp_path / ".staging" / "old", tmp_path / ".staging" / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(old, (two_days_ago, two_days_ago))
    assert [stored async for stored in objects.list()] == []
    Objects.open(str(tmp_path))
    assert files_below(tmp_path) == [".staging/young"]
