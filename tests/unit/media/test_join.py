"""The joining process: what it writes is measured frame by frame and sample by sample."""

from __future__ import annotations

import asyncio
import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from filmgate.core.errors import TaskFailed
from filmgate.core.upstream import Clip
from filmgate.media.join.job import Facts
from filmgate.media.join.run import Joiner
from filmgate.media.mp4 import check_whole

LEVELS = range(20, 236, 3)  # of grey; neighbours are told apart after two encodings
JOINER = Joiner(1)


def film(
    path: Path,
    first: int,
    frames: int,
    *,
    fps: Fraction | int = 24,
    size: tuple[int, int] = (96, 64),
    tone: float | None = 440.0,
    sound_rate: int = 48_000,
    layout: str = "stereo",
    codec: str = "libx264",
    matrix: int = 1,
    tint: int = 128,
    start: int = 0,
    keyframes: int = 250,
) -> Path:
    """An MP4 whose frame ``n`` is grey ``LEVELS[first + n]``, with a tone that runs on with it."""
    with av.open(str(path), "w", format="mp4") as container:
        options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
        options["g"] = str(keyframes)
        video = container.add_stream(codec, rate=fps, options=options)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.codec_context.colorspace = matrix
        audio = container.add_stream("aac", rate=sound_rate, layout=layout) if tone else None
        for index in range(frames):
            plane = np.full((size[1] * 3 // 2, size[0]), tint, np.uint8)
            plane[: size[1]] = LEVELS[first + index]
            frame = av.VideoFrame.from_ndarray(plane, format="yuv420p")
            frame.pts, frame.time_base = index + start, 1 / Fraction(fps)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio:
            channels = 2 if layout == "stereo" else 1
            t = float(first / fps) + np.arange(round(frames / fps * sound_rate)) / sound_rate
            wave = np.tile((0.5 * np.sin(2 * np.pi * tone * t)).astype(np.float32), (channels, 1))
            sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout=layout)
            sound.sample_rate, sound.pts = sound_rate, round(start / fps * sound_rate)
            sound.time_base = Fraction(1, sound_rate)
            container.mux(audio.encode(sound))
            container.mux(audio.encode())
    return path


def levels(path: Path) -> list[int]:
    """Which of ``LEVELS`` each frame is."""
    with av.open(str(path)) as container:
        shown = [frame.to_ndarray()[: frame.height].mean() for frame in container.decode(video=0)]
    return [round((level - LEVELS.start) / LEVELS.step) for level in shown]


def sound(path: Path) -> np.ndarray:
    """Its samples, without what fills up the last AAC frame."""
    with av.open(str(path)) as container:
        length = round(container.streams.audio[0].duration)
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(parts, axis=1)[:, :length]


def steps(path: Path) -> set[Fraction]:
    """The distances of neighbouring frames in seconds."""
    with av.open(str(path)) as container:
        times = sorted(
            packet.pts * packet.time_base
            for packet in container.demux(video=0)
            if packet.pts is not None
        )
    return {later - earlier for earlier, later in pairwise(times)}


async def joined(folder: Path, *pieces: tuple[Path, float]) -> Path:
    made = await JOINER.join(pieces, folder / "joined.mp4")
    assert made == Clip(path=made.path, seconds=made.seconds, width=96, height=64)
    return made.path


async def test_every_frame_once_and_in_step(tmp_path: Path) -> None:
    """A clip and two extensions, each of them beginning with the second before it."""
    one = film(tmp_path / "1.mp4", 0, 36)
    two = film(tmp_path / "2.mp4", 12, 36)
    three = film(tmp_path / "3.mp4", 24, 36)
    path = await joined(tmp_path, (one, 0.0), (two, 1.0), (three, 1.0))
    assert list(range(60)) == levels(path)
    assert {Fraction(1, 24)} == steps(path)
    assert 2.5 == check_whole(path).duration_seconds


async def test_one_unbroken_track_of_sound(tmp_path: Path) -> None:
    """The tone runs on through the seam: no sample of it is far from where it should be."""
    one = film(tmp_path / "1.mp4", 0, 36)
    two = film(tmp_path / "2.mp4", 12, 36, sound_rate=44_100, layout="mono")
    heard = sound(await joined(tmp_path, (one, 0.0), (two, 1.0)))
    assert 2 * 48_000 == heard.shape[1]
    t = np.arange(heard.shape[1]) / 48_000
    wanted = 0.5 * np.sin(2 * np.pi * 440 * t)
    middle = slice(4800, -4800)
    assert 0.05 > np.abs(heard - wanted)[:, middle].max()


async def test_sound_and_pictures_that_begin_late(tmp_path: Path) -> None:
    # A low tone: the file's clock rounds the beginning to a millisecond.
    late = film(tmp_path / "1.mp4", 0, 36, start=7, tone=40.0)
    heard = sound(await joined(tmp_path, (late, 0.0)))
    t = np.arange(heard.shape[1]) / 48_000
    assert 0.15 > np.abs(heard - 0.5 * np.sin(2 * np.pi * 40 * t))[:, 4800:-4800].max()


async def test_silence_where_a_part_has_none(tmp_path: Path) -> None:
    one = film(tmp_path / "1.mp4", 0, 24)
    two = film(tmp_path / "2.mp4", 0, 48, tone=None)
    heard = sound(await joined(tmp_path, (one, 0.0), (two, 1.0)))
    assert 0.3 < np.sqrt((heard[:, 4800:43_200] ** 2).mean())
    assert 0.001 > np.abs(heard[:, 50_400:]).max()


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"size": (192, 128)}, range(48)),
        ({"codec": "libx265"}, range(48)),
        ({"start": 7}, range(48)),
        # At half the rate each picture is shown twice, and nearest is never off by a whole one.
        ({"fps": 12}, [*range(24), *(24 + n // 2 for n in range(24))]),
    ],
)
async def test_an_upstream_that_encodes_anew(
    tmp_path: Path, changed: dict[str, Any], shown: list[int]
) -> None:
    fps = changed.get("fps", 24)
    one = film(tmp_path / "1.mp4", 0, 24)
    two = film(tmp_path / "2.mp4", 24 - fps, 2 * fps, **changed)
    path = await joined(tmp_path, (one, 0.0), (two, 1.0))
    actual = levels(path)
    assert 48 == len(actual)
    assert all(
        abs(level - wanted) <= (fps == 12) for level, wanted in zip(actual, shown, strict=True)
    )
    assert {Fraction(1, 24)} == steps(path)


@pytest.mark.parametrize("given", [0.98, 1.0, 1.02])
async def test_the_input_need_not_be_named_to_the_frame(tmp_path: Path, given: float) -> None:
    one = film(tmp_path / "1.mp4", 0, 24)
    two = film(tmp_path / "2.mp4", 0, 48)
    assert list(range(24)) == levels(await joined(tmp_path, (one, 0.0), (two, given)))[:24]
    assert list(range(24, 47)) == levels(tmp_path / "joined.mp4")[24:47]


async def test_a_rate_that_is_no_whole_number(tmp_path: Path) -> None:
    rate = Fraction(24_000, 1001)
    one = film(tmp_path / "1.mp4", 0, 30, fps=rate)
    two = film(tmp_path / "2.mp4", 10, 40, fps=rate)
    path = await joined(tmp_path, (one, 0.0), (two, 20 / float(rate)))
    assert list(range(50)) == levels(path)
    assert {1 / rate} == steps(path)


async def test_no_error_of_rounding_adds_up(tmp_path: Path) -> None:
    """Three times 13 frames at 25 a second are 37.44 frames at 24."""
    one = film(tmp_path / "1.mp4", 0, 24)
    more = film(tmp_path / "2.mp4", 0, 38, fps=25)
    path = await joined(tmp_path, (one, 0.0), (more, 1.0), (more, 1.0), (more, 1.0))
    assert 24 + 37 == len(levels(path))


async def test_the_format(tmp_path: Path) -> None:
    path = await joined(tmp_path, (film(tmp_path / "1.mp4", 0, 24), 0.0))
    with av.open(str(path)) as container:
        video = container.streams.video[0].codec_context
        audio = container.streams.audio[0].codec_context
        frame = next(container.decode(video=0))
        assert ("h264", "High", "yuv420p") == (video.name, video.profile, video.pix_fmt)
        assert (1, 1, 1) == (frame.colorspace, video.color_primaries, video.color_trc)
        assert ("aac", 48_000, "stereo") == (audio.name, audio.sample_rate, audio.layout.name)
    assert check_whole(path).faststart
    assert ["1.mp4", "joined.mp4"] == sorted(file.name for file in tmp_path.iterdir())


def colour(path: Path) -> np.ndarray:
    """The last frame's mean colour, as its own tags say."""
    with av.open(str(path)) as container:
        *_, last = container.decode(video=0)
        rgb = last.reformat(format="rgb24", src_colorspace=last.colorspace)
    return rgb.to_ndarray().mean(axis=(0, 1))


async def test_other_colours_are_converted(tmp_path: Path) -> None:
    """What came in BT.601 looks the same in BT.709."""
    one = film(tmp_path / "1.mp4", 0, 24)
    two = film(tmp_path / "2.mp4", 0, 48, matrix=5, tint=160)
    path = await joined(tmp_path, (one, 0.0), (two, 1.0))
    assert 4 > np.abs(colour(path) - colour(two)).max()


async def test_the_encoder_places_its_own_keyframes(tmp_path: Path) -> None:
    one = film(tmp_path / "1.mp4", 0, 24, keyframes=1)
    with av.open(str(await joined(tmp_path, (one, 0.0)))) as container:
        assert 1 == sum(packet.is_keyframe for packet in container.demux(video=0))


async def test_a_tail(tmp_path: Path) -> None:
    clip, tail = film(tmp_path / "1.mp4", 0, 60), tmp_path / "tail.mp4"
    await JOINER.tail(clip, 1.5, tail)
    assert list(range(24, 60)) == levels(tail)
    heard = sound(tail)
    t = 1 + np.arange(heard.shape[1]) / 48_000
    assert 0.05 > np.abs(heard - 0.5 * np.sin(2 * np.pi * 440 * t))[:, 2400:-2400].max()
    await JOINER.tail(clip, 9.0, tail)
    assert list(range(60)) == levels(tail)


@pytest.mark.parametrize("tone", [440.0, None])
async def test_facts(tmp_path: Path, tone: float | None) -> None:
    clip = film(tmp_path / "1.mp4", 0, 36, tone=tone)
    assert Facts(1.5, 96, 64, tone is not None) == await JOINER.probe(clip)
    assert 1.5 == await JOINER.seconds(clip)


async def test_progress_rises(tmp_path: Path) -> None:
    told: list[int] = []
    clip = film(tmp_path / "1.mp4", 0, 48)
    await JOINER.join([(clip, 0.0)], tmp_path / "joined.mp4", told.append)
    assert sorted(set(told)) == told
    assert len(told) > 10


@pytest.mark.parametrize("damage", ["cut", "text", "holes"])
async def test_a_damaged_clip(tmp_path: Path, damage: str) -> None:
    good, bad = film(tmp_path / "1.mp4", 0, 24), tmp_path / "bad.mp4"
    data = good.read_bytes()
    media = data.index(b"mdat") + 1000  # behind the encoder's own remarks
    bad.write_bytes(
        {
            "cut": data[: len(data) // 2],
            "text": b"<html>502 Bad Gateway</html>",
            "holes": data[:media] + bytes(400) + data[media + 400 :],
        }[damage]
    )
    with pytest.raises(TaskFailed, match="The video that was made"):
        await JOINER.join([(good, 0.0), (bad, 0.5)], tmp_path / "joined.mp4")
    assert {good, bad} == set(tmp_path.iterdir())


async def test_a_result_that_adds_nothing(tmp_path: Path) -> None:
    clip = film(tmp_path / "1.mp4", 0, 24)
    with pytest.raises(TaskFailed, match="ends after"):
        await JOINER.join([(clip, 0.0), (clip, 1.0)], tmp_path / "joined.mp4")


async def test_nothing_is_left_running_after_a_cancel(tmp_path: Path) -> None:
    clip = film(tmp_path / "1.mp4", 0, 70)
    before = _children()
    work = asyncio.create_task(JOINER.join([(clip, 0.0)] * 40, tmp_path / "joined.mp4"))
    while not (children := _children() - before):  # noqa: ASYNC110 - another process tells nobody
        await asyncio.sleep(0.02)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not children & _children()
    assert not (tmp_path / "joined.mp4").exists()


def _children() -> set[int]:
    mine = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            mine.add(int(entry.parent.name))
    return mine
