"""Whole and cut MP4s, made here with PyAV."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filmgate.media.mp4 import BrokenMp4, Mp4Facts, check_whole


def encode(path: Path, movflags: str = "") -> bytes:
    """Two seconds of noise at 64×64, 12 frames a second, with a silent sound track."""
    options = {"movflags": movflags} if movflags else {}
    with av.open(path, "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=12)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("aac", rate=48_000)
        noise = np.random.Generator(np.random.PCG64(1))
        for _ in range(24):
            pixels = noise.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels)))
        for n in range(94):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 48_000, n * 1024
            container.mux(audio.encode(frame))
        container.mux(video.encode())
        container.mux(audio.encode())
    return path.read_bytes()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return encode(tmp_path_factory.mktemp("clip") / "clip.mp4", "faststart")


def facts(data: bytes, tmp_path: Path) -> Mp4Facts:
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    return check_whole(path)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def split(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at : at + size]))
        at += size
    return found


def test_a_whole_clip(clip: bytes, tmp_path: Path) -> None:
    found = facts(clip, tmp_path)
    assert Mp4Facts(len(clip), True, found.duration_seconds, 64, 64) == found
    assert pytest.approx(2.0, abs=0.05) == found.duration_seconds


def test_an_index_at_the_end_is_whole_but_not_faststart(tmp_path: Path) -> None:
    assert not facts(encode(tmp_path / "clip.mp4"), tmp_path).faststart


def test_a_fragmented_clip_is_whole(tmp_path: Path) -> None:
    assert facts(encode(tmp_path / "clip.mp4", "frag_keyframe+empty_moov"), tmp_path).faststart


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_cut_is_refused(clip: bytes, tmp_path: Path, data: st.DataObject) -> None:
    kept = data.draw(st.integers(0, len(clip) - 1))
    with pytest.raises(BrokenMp4):
        facts(clip[:kept], tmp_path)


def test_a_cut_at_each_box_is_refused(clip: bytes, tmp_path: Path) -> None:
    at = 0
    for _, data in split(clip):
        with pytest.raises(BrokenMp4):
            facts(clip[:at], tmp_path)
        at += len(data)


def test_a_byte_too_many_is_refused(clip: bytes, tmp_path: Path) -> None:
    with pytest.raises(BrokenMp4, match="is cut"):
        facts(clip + b"\0", tmp_path)


def open_ended(clip: bytes) -> bytes:
    """The clip with its media box sized 0: to the end of the file."""
    return b"".join(
        b"\0\0\0\0" + data[4:] if kind == b"mdat" else data for kind, data in split(clip)
    )


def test_media_to_the_end_of_the_file(clip: bytes, tmp_path: Path) -> None:
    assert facts(open_ended(clip), tmp_path).faststart
    for cut in (1, 100, 1000):
        with pytest.raises(BrokenMp4, match="ends after"):
            facts(open_ended(clip)[:-cut], tmp_path)


def test_a_64_bit_size(clip: bytes, tmp_path: Path) -> None:
    padding = struct.pack(">I4sQ", 1, b"free", 16 + 5) + bytes(5)
    assert facts(clip + padding, tmp_path).size == len(clip) + 21
    with pytest.raises(BrokenMp4, match="is cut"):
        facts(clip + struct.pack(">I4sQ", 1, b"free", 2**63), tmp_path)


@pytest.mark.parametrize("missing", [b"ftyp", b"moov", b"mdat"])
def test_a_missing_box(clip: bytes, tmp_path: Path, missing: bytes) -> None:
    rest = b"".join(data for kind, data in split(clip) if kind != missing)
    with pytest.raises(BrokenMp4, match=missing.decode()):
        facts(rest, tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>no such video</html>",
        b"#EXTM3U\nhttp://127.0.0.1/x.ts\n",
        bytes(4096),
        b"\0\0\0\7mdat",
        box(b"ftyp", b"isom") * 100_001,
        box(b"ftyp", b"isom") + box(b"moov", b"") + box(b"mdat", b""),
        box(b"ftyp", b"isom") + box(b"moov", b"\xff" * 20) + box(b"mdat", b""),
        box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", bytes(20))) + b"junk" * 3,
    ],
    ids=["empty", "html", "hls", "zeros", "small", "many", "bare index", "noise", "junk"],
)
def test_what_is_no_mp4(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(BrokenMp4):
        facts(data, tmp_path)


def test_an_index_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with path.open("wb") as file:
        file.write(
            box(b"ftyp", b"isom") + box(b"mdat", b"") + struct.pack(">I4s", 1 << 30, b"moov")
        )
        file.truncate(file.tell() - 8 + (1 << 30))
    with pytest.raises(BrokenMp4, match="larger than 32 MB"):
        check_whole(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_damaged_index_never_escapes(clip: bytes, tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(clip)
    index_ends = clip.index(b"mdat")
    for at in data.draw(st.lists(st.integers(0, index_ends), min_size=1, max_size=8)):
        damaged[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BrokenMp4):
        facts(bytes(damaged), tmp_path)
