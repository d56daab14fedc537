"""Every family of pictures: deterministic, alive, and of any shape."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from filmgate.providers.sandbox.grammar import read_prompt
from filmgate.providers.sandbox.scenes import text_scene
from filmgate.providers.sandbox.weather import KINDS, Weather

PROMPTS = [
    "lake at sunrise, mist",
    "sailboat at sunset",
    "aurora over the sea",
    "red car in a neon city",
    "crystal rocket on mars",
    "desert dunes",
    "red ball bouncing once",
    "rotating diamond",
    "misty mountains, snow",
    "planet and nebula",
    "abstract silk, push in",
]
HASHES = """
import sys, hashlib
from filmgate.providers.sandbox.grammar import read_prompt
from filmgate.providers.sandbox.scenes import text_scene
for prompt in sys.argv[1:]:
    frame = text_scene(read_prompt(prompt, 3), 320, 180).frame(1.5)
    print(hashlib.sha256(frame.tobytes()).hexdigest())
"""


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("size", [(320, 180), (180, 320), (200, 200)])
def test_a_scene_moves_and_can_be_entered_anywhere(prompt: str, size: tuple[int, int]) -> None:
    first, second = (text_scene(read_prompt(prompt, 3), *size) for _ in range(2))
    early, later = first.frame(0.5), first.frame(2.5)
    assert (size[1], size[0], 3) == early.shape
    assert np.uint8 == early.dtype
    assert early.std() > 4
    assert not np.array_equal(early, later)
    assert np.array_equal(later, second.frame(2.5))
    assert (size[1], size[0], 3) == first.frame(40.0).shape


def test_frames_are_the_same_in_another_process() -> None:
    child = subprocess.run(
        [sys.executable, "-c", HASHES, *PROMPTS], capture_output=True, check=True, text=True
    )
    here = [
        hashlib.sha256(text_scene(read_prompt(prompt, 3), 320, 180).frame(1.5).tobytes())
        for prompt in PROMPTS
    ]
    assert [digest.hexdigest() for digest in here] == child.stdout.split()


def test_seeds_differ() -> None:
    one, two = (text_scene(read_prompt("a lake", seed), 160, 90).frame(0) for seed in (1, 2))
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("name", KINDS)
def test_weather_falls(name: str) -> None:
    words = {"embers": "sparks", "fireflies": "firefly", "lanterns": "lantern"}
    plan = read_prompt(words.get(name, name), 1)
    assert (name,) == plan.particles
    weather = Weather(plan, 320, 180)
    before, after = (np.full((180, 320, 3), 60, np.uint8) for _ in range(2))
    weather.draw(before, 1.0)
    weather.draw(after, 1.3)
    assert not np.array_equal(before, after)
    assert before.std() > 1
