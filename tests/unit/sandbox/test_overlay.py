"""The badge and the caption."""

import numpy as np
import pytest

from filmgate.providers.sandbox.overlay import Overlay, has_han

SIZE = 854, 480


def drawn(prompt: str, t: float, seconds: float = 6.0) -> np.ndarray:
    picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    Overlay(prompt, *SIZE, seconds, chinese=has_han(prompt)).draw(picture, t)
    return picture


def badge(picture: np.ndarray) -> np.ndarray:
    return picture[:17, -150:]


def caption(picture: np.ndarray) -> np.ndarray:
    return picture[380:, :600]


@pytest.mark.parametrize("t", [0.0, 1.0, 5.9])
@pytest.mark.parametrize("prompt", ["a lake", "湖", ""])
def test_the_badge_is_always_there(prompt: str, t: float) -> None:
    assert badge(drawn(prompt, t)).std() > 20


def test_a_second_badge_covers_the_first() -> None:
    once = drawn("a lake", 5.9)
    twice = once.copy()
    Overlay("a lake", *SIZE, 6.0, chinese=False).draw(twice, 5.9)
    assert np.array_equal(once, twice)


def test_the_caption_leaves_after_three_and_a_half_seconds() -> None:
    assert caption(drawn("a lake", 2.0)).max() > 240
    assert caption(drawn("a lake", 3.6)).std() == 0
    assert caption(drawn("a lake", 0.75, seconds=1)).std() == 0  # never reaches a clip's end


def test_a_long_caption_has_two_lines() -> None:
    rows = np.flatnonzero(
        caption(drawn("many words in a long prompt " * 20, 2.0)).max((1, 2)) > 240
    )
    lines = 1 + np.count_nonzero(np.diff(rows) > 1)
    assert 2 <= lines <= 4  # dots of i and descenders may stand apart
    assert rows[-1] < 100 - 10


@pytest.mark.parametrize("prompt", ["สวัสดี", "مرحبا", "party 🎉", "שלום"])
def test_a_caption_that_cannot_be_set_is_left_out(prompt: str) -> None:
    assert caption(drawn(prompt, 2.0)).std() == 0


@pytest.mark.parametrize("prompt", ["日本語の湖", "Москва", "café naïve", "vs. 50%?"])
def test_other_scripts_are_set(prompt: str) -> None:
    assert caption(drawn(prompt, 2.0)).max() > 240


@pytest.mark.parametrize("size", [(64, 64), (2048, 64), (64, 2048), (160, 90)])
def test_the_badge_fits_every_video_we_take(size: tuple[int, int]) -> None:
    width, height = size
    picture = np.full((height, width, 3), 90, np.uint8)
    Overlay("a lake", width, height, 6.0, chinese=False).draw(picture, 1.0)
    assert picture[:8, -40:].std() > 5
