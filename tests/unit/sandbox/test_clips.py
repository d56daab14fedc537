"""Videos from strangers."""

from fractions import Fraction
from pathlib import Path

import pytest

from filmgate.providers.sandbox.clips import open_footage
from filmgate.providers.sandbox.job import Refusal
from tests.unit.sandbox.media import job, refused, turned, video

HLS = b"#EXTM3U\n#EXTINF:4,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
FFCONCAT = b"ffconcat version 1.0\nfile /etc/hostname\n"


def opened(path: Path, shortest: float = 1.0, longest: float = 15.0) -> tuple[int, int, int, float]:
    footage = open_footage(path, shortest, longest)
    frames = list(footage.pictures(round(footage.seconds * footage.fps)))
    assert {(footage.height, footage.width, 3)} == {frame.shape for frame in frames}
    return footage.width, footage.height, footage.fps, round(footage.seconds, 3)


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [
        ("libx264", "yuv420p"),
        ("libx264", "yuv420p10le"),
        ("libx264", "yuv444p"),
        ("libx265", "yuv420p"),
        ("libx265", "yuv420p10le"),
        ("libsvtav1", "yuv420p"),
        ("libsvtav1", "yuv420p10le"),
    ],
)
def test_codecs(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    path = video(tmp_path / "v.mp4", codec=codec, pix_fmt=pix_fmt, size=(128, 96))
    assert (128, 96, 24, 2.0) == opened(path)


@pytest.mark.parametrize(("fps", "kept"), [(5, 5), (25, 25), (30, 30), (60, 60)])
def test_whole_rates_are_kept(tmp_path: Path, fps: int, kept: int) -> None:
    assert (160, 90, kept, 2.0) == opened(video(tmp_path / "v.mp4", fps=fps))


def test_a_variable_rate_becomes_24(tmp_path: Path) -> None:
    times = [*range(0, 600, 20), *range(600, 1800, 60)]  # 50 then 17 pictures a second
    path = video(tmp_path / "v.mp4", times=times, clock=1000)
    footage = open_footage(path, 1, 15)
    levels = [float(frame.mean()) for frame in footage.pictures(round(footage.seconds * 24))]
    assert 24 == footage.fps
    assert sorted(levels) == levels
    assert 0.6 == pytest.approx(levels[14] / 255, abs=0.03)  # 0.6 s in: 30 of 50 pictures shown


def test_a_turned_video_is_set_upright(tmp_path: Path) -> None:
    assert (90, 160, 24, 2.0) == opened(turned(video(tmp_path / "v.mp4")))


def test_wide_pixels_are_made_square(tmp_path: Path) -> None:
    path = video(tmp_path / "v.mp4", size=(120, 96), pixel_shape=Fraction(4, 3))
    assert (160, 96, 24, 2.0) == opened(path)


def test_an_odd_size_is_cut_to_even(tmp_path: Path) -> None:
    assert (130, 96, 24, 2.0) == opened(
        video(tmp_path / "v.mp4", size=(131, 97), pix_fmt="yuv444p")
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"size": (62, 90)}, "each side must be from 64 to 2048 pixels"),
        ({"size": (2176, 96)}, "each side must be from 64 to 2048 pixels"),
        ({"fps": 4}, "pictures a second"),
        ({"fps": 120}, "pictures a second"),
        ({"seconds": 0.5}, "it must be from 1 to 15 s"),
        ({"seconds": 15.5, "fps": 10}, "it must be from 1 to 15 s"),
        ({"codec": "mpeg4"}, "must be H.264, H.265 or AV1"),
        ({"seconds": 16, "fps": 240}, "too many pictures"),
    ],
)
def test_unfit_videos_are_refused(tmp_path: Path, fields: dict[str, object], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        opened(video(tmp_path / "v.mp4", **fields))  # type: ignore[arg-type]  # a table of fields


@pytest.mark.parametrize("data", [HLS, FFCONCAT, b"", b"\0" * 4000, b"RIFF\0\0\0\0AVI LIST"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(data)
    with pytest.raises(Refusal, match=r"MP4|cut off"):
        opened(path)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_truncated_video_is_refused(tmp_path: Path, kept: float) -> None:
    path = video(tmp_path / "v.mp4")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(Refusal, match="cut off"):
        opened(path)


def test_garbage_instead_of_pictures_is_refused(tmp_path: Path) -> None:
    path = video(tmp_path / "v.mp4")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(255 - byte for byte in data[start:])
    path.write_bytes(data)
    with pytest.raises(Refusal, match=r"damaged|decoded"):
        opened(path)


def test_too_many_streams_are_refused(tmp_path: Path) -> None:
    import av

    source, path = video(tmp_path / "s.mp4"), tmp_path / "v.mp4"
    with av.open(str(source)) as a, av.open(str(path), "w") as b:
        copies = [b.add_stream_from_template(a.streams.video[0]) for _ in range(5)]
        for packet in a.demux(video=0):
            if packet.dts is not None:
                for copy in copies:
                    packet.stream = copy
                    b.mux(packet)
    with pytest.raises(Refusal, match="more than 4 streams"):
        opened(path)


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    with path.open("wb") as file:
        file.truncate(64 * 1024**2 + 1)
    with pytest.raises(Refusal, match="larger than 64 MB"):
        opened(path)


def test_the_refusal_reaches_the_parent(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(HLS)
    error = refused(job(tmp_path, operation="edit", video=str(path)))
    assert ("invalid_argument", "The video is not an MP4 file.") == (error.code, error.message)
