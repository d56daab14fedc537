"""Clips made from text and images, as files."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from filmgate.providers.sandbox.job import Done
from tests.unit.sandbox.media import boxes, done, image, job, loudness, pictures, refused, run


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    asked = job(folder, prompt="lake at sunrise", seconds=2, aspect_ratio="16:9", seed=5)
    assert Done(2.0, 0.0, 854, 480, 24) == done(asked)
    return folder / "clip.mp4"


def test_the_file_is_exact(lake: Path) -> None:
    with av.open(str(lake)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        context = video.codec_context
        assert ("h264", "High", "yuv420p") == (context.name, context.profile, context.pix_fmt)
        assert (1, 1, 1, 1) == (
            context.color_primaries,
            context.color_trc,
            context.colorspace,
            context.color_range,
        )
        assert (854, 480, 24, 48) == (
            context.width,
            context.height,
            video.average_rate,
            video.frames,
        )
        assert ("aac", "LC", 48_000, 2) == (
            audio.codec_context.name,
            audio.codec_context.profile,
            audio.codec_context.sample_rate,
            audio.codec_context.channels,
        )
        assert 2_000_000 == container.duration
        assert 2 == video.duration * video.time_base
        assert 2 == audio.duration * audio.time_base
        assert "not AI" in container.metadata["title"]
        assert "not AI" in container.metadata["comment"]
        assert 48 == sum(1 for _ in container.decode(video))


def test_the_index_comes_first_and_nothing_is_left_behind(lake: Path) -> None:
    kinds = boxes(lake)
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    assert {"clip.mp4", "poster.webp"} == {path.name for path in lake.parent.iterdir()}


def test_the_poster_is_a_still_of_it(lake: Path) -> None:
    with Image.open(lake.parent / "poster.webp") as poster:
        assert ("WEBP", (854, 480)) == (poster.format, poster.size)
        still = np.asarray(poster.convert("RGB"), np.int16)
    assert np.abs(pictures(lake)[16] - still).mean() < 6


def test_every_frame_has_the_badge(lake: Path) -> None:
    assert all(frame[:17, -150:].std() > 20 for frame in pictures(lake))


def test_sound_is_heard_unless_it_was_declined(lake: Path, tmp_path: Path) -> None:
    assert loudness(lake, 0.5, 1.5) > 0.01
    done(job(tmp_path, audio=False))
    assert loudness(tmp_path / "clip.mp4", 0, 1) < 1e-4


def test_progress_rises_and_the_answer_ends_with_done(tmp_path: Path) -> None:
    lines = run(job(tmp_path, seconds=2))
    told = [line.progress for line in lines[:-1]]
    assert told == sorted(set(told))
    assert (0, 100) == (told[0], told[-1])
    assert lines[-1].done


def test_two_processes_make_the_same_frames(tmp_path: Path) -> None:
    frames = []
    for name in "ab":
        (tmp_path / name).mkdir()
        done(job(tmp_path / name, prompt="neon city in the rain", seed=9))
        frames.append(np.stack(pictures(tmp_path / name / "clip.mp4")))
    assert np.array_equal(*frames)


def test_one_image_comes_alive(tmp_path: Path) -> None:
    source = image(tmp_path / "i.jpg", 900, 500)
    done(job(tmp_path, prompt="orbit", images=[str(source)]))
    first, last = (pictures(tmp_path / "clip.mp4")[i].astype(int) for i in (0, -1))
    assert np.abs(first - last).mean() > 0.5
    assert (first[60:350, :, 0] > 220).any()  # the crop to a square kept the bright block


def test_references_follow_the_prompt(tmp_path: Path) -> None:
    sources = []
    for name, colour in (("red", (200, 0, 0)), ("green", (0, 180, 0)), ("blue", (0, 0, 220))):
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (300, 300), colour).save(path)
        sources.append(str(path))
    done(job(tmp_path, prompt="@图三 变成 @图一", seconds=3, images=sources))
    frames = pictures(tmp_path / "clip.mp4")
    middle = [frames[i][200:300, 200:300].mean((0, 1)).argmax() for i in (2, 36, 70)]
    assert [2, 0, 1] == middle


def test_an_unknown_shape_is_refused(tmp_path: Path) -> None:
    error = refused(job(tmp_path, aspect_ratio="5:4"))
    assert ("invalid_argument", "") == (error.code, error.reason)
