"""Clips made from a video."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from filmgate.providers.sandbox.grades import STYLES, Look
from filmgate.providers.sandbox.job import Done
from filmgate.providers.sandbox.provenance import Provenance, read_comment
from tests.unit.sandbox.media import done, job, loudness, pictures, video

SHAPELESS = {"aspect_ratio": "", "resolution": ""}


def test_an_edit_keeps_length_size_rate_and_sound(tmp_path: Path) -> None:
    source = video(tmp_path / "v.mp4", fps=30, size=(320, 180), sound="aac")
    asked = job(
        tmp_path, operation="edit", prompt="black and white", video=str(source), **SHAPELESS
    )
    assert Done(2.0, 2.0, 320, 180, 30) == done(asked)
    clip = tmp_path / "clip.mp4"
    assert loudness(clip, 0.1, 0.9) < 0.01
    assert 0.354 == pytest.approx(loudness(clip, 1.1, 1.9), abs=0.03)
    levels = [float(frame[60:120].mean()) for frame in pictures(clip)]
    assert sorted(levels) == pytest.approx(levels, abs=3)


def test_an_edit_is_cut_to_its_limit(tmp_path: Path) -> None:
    source = video(tmp_path / "v.mp4", seconds=10, fps=10)
    facts = done(job(tmp_path, operation="edit", prompt="", video=str(source), **SHAPELESS))
    assert (8.7, 10.0) == (facts.seconds, facts.input_seconds)


def test_a_silent_video_stays_silent(tmp_path: Path) -> None:
    source = video(tmp_path / "v.mp4")
    done(job(tmp_path, operation="edit", video=str(source), **SHAPELESS))
    assert loudness(tmp_path / "clip.mp4", 0, 2) < 1e-4


@pytest.mark.parametrize("name", STYLES)
def test_every_look_changes_the_picture(name: str) -> None:
    rng = np.random.default_rng(1)
    picture = np.kron(rng.integers(0, 255, (9, 16, 3)), np.ones((20, 20, 1))).astype(np.uint8)
    before = picture.copy()
    styled = Look(name, 320, 180).apply(picture)
    assert (picture.shape, np.uint8) == (styled.shape, styled.dtype)
    assert np.abs(styled.astype(int) - picture).mean() > 3
    assert np.array_equal(before, picture)


@pytest.mark.parametrize("prompt", ["lake at sunset", "neon city in the rain"])
def test_our_own_clip_goes_on_without_a_jump(tmp_path: Path, prompt: str) -> None:
    done(job(tmp_path, prompt=prompt, seconds=2))
    first = tmp_path / "first.mp4"
    (tmp_path / "clip.mp4").rename(first)
    asked = job(tmp_path, operation="extend", seconds=2, video=str(first), **SHAPELESS)
    assert Done(4.0, 2.0, 480, 480, 24) == done(asked)
    frames = np.stack(
        [
            cv2.resize(frame[:380], (48, 38), interpolation=cv2.INTER_AREA).astype(np.int16)
            for frame in pictures(tmp_path / "clip.mp4")
        ]
    )
    steps = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
    assert 96 == len(frames)
    assert steps[47] < 1.5 * np.median(steps) + 0.5
    with av.open(str(tmp_path / "clip.mp4")) as container:
        past = read_comment(container.metadata["comment"])
        assert 4_000_000 == container.duration
    assert past is not None
    assert (prompt, 4.0) == (past.prompt, past.end)


def test_a_foreign_clip_goes_on_from_its_last_picture(tmp_path: Path) -> None:
    source = video(tmp_path / "v.mp4", fps=25, seconds=3, size=(322, 182), sound="aac")
    asked = job(tmp_path, operation="extend", prompt="", seconds=2, video=str(source), **SHAPELESS)
    assert Done(5.0, 3.0, 322, 182, 25) == done(asked)
    clip = tmp_path / "clip.mp4"
    levels = [float(frame[60:120].mean()) for frame in pictures(clip)]
    assert 125 == len(levels)
    assert levels[74] == pytest.approx(levels[100], abs=3)
    assert 0.354 == pytest.approx(loudness(clip, 1.6, 2.3), abs=0.03)
    assert loudness(clip, 3.5, 4.2) > 0.01


def test_a_lying_comment_is_not_believed(tmp_path: Path) -> None:
    comment = Provenance("lake at sunset", 0, "water", 2.0).encode()
    source = video(tmp_path / "v.mp4", comment=comment)
    done(job(tmp_path, operation="extend", prompt="", seconds=2, video=str(source), **SHAPELESS))
    frames = pictures(tmp_path / "clip.mp4")
    assert frames[60][40:].mean() == pytest.approx(frames[47][40:].mean(), abs=3)


@pytest.mark.parametrize("comment", ["", "{}", "[]", '{"made_by":"x"}', "{" * 70_000, "\udcff"])
def test_a_foreign_comment_says_nothing(comment: str) -> None:
    assert read_comment(comment) is None


def test_an_extension_keeps_quiet_when_told(tmp_path: Path) -> None:
    source = video(tmp_path / "v.mp4", sound="aac")
    done(job(tmp_path, operation="extend", seconds=2, video=str(source), audio=False, **SHAPELESS))
    assert loudness(tmp_path / "clip.mp4", 0, 4) < 1e-4
