"""The words of a prompt and what they choose."""

import pytest

from filmgate.providers.sandbox import vocabulary
from filmgate.providers.sandbox.grades import STYLES
from filmgate.providers.sandbox.grammar import image_order, read_prompt
from filmgate.providers.sandbox.palettes import PALETTES
from filmgate.providers.sandbox.scenes import SCENES
from filmgate.providers.sandbox.weather import KINDS


@pytest.mark.parametrize(
    ("prompt", "scene", "palette"),
    [
        ("calm lake, sunrise, mist over water", "water", "sunrise"),
        ("red sports car, rainy neon street, night", "city", "neon"),
        ("水晶火箭从火星沙丘发射", "dunes", "mars"),
        ("small red ball bouncing once on a white tabletop", "studio", "day"),
        ("product showcase, luxury lighting", "studio", "day"),
        ("海上日落,帆船", "water", "sunset"),
        ("雪夜森林,孔明灯", "hills", "night"),
        ("ringed planet and nebula", "space", "dream"),
        ("aurora over mountains", "hills", "aurora"),
        ("暴风雨中的大海", "water", "storm"),
        ("", "silk", "aurora"),
        ("xyzzy", "silk", "aurora"),
    ],
)
def test_scene_and_light(prompt: str, scene: str, palette: str) -> None:
    plan = read_prompt(prompt, None)
    assert (scene, palette) == (plan.scene, plan.palette)


def test_subjects_weather_camera_and_colour() -> None:
    plan = read_prompt("Push in on a BLUE sports car in the rain", 7)
    assert "car" in plan.subjects
    assert (("rain",), "push", "#2468dc") == (plan.particles, plan.camera, plan.colour)


def test_words_match_whole_but_touch_chinese() -> None:
    assert "silk" == read_prompt("carpet scarce", None).scene  # neither car
    assert "city" == read_prompt("红色sports car驶过", None).scene
    assert "water" == read_prompt("two LAKES", None).scene
    assert "pull" == read_prompt("zoom out slowly", None).camera


def test_every_word_leads_to_something_that_can_be_drawn() -> None:
    assert set(vocabulary.SCENES) == set(SCENES)
    assert set(vocabulary.PALETTES) == set(PALETTES)
    assert set(vocabulary.PARTICLES) == set(KINDS)
    assert {*vocabulary.LOOKS, "film"} == set(STYLES)


def test_randomness_depends_on_prompt_seed_and_part_only() -> None:
    def draw(prompt: str, seed: int | None, part: str) -> float:
        return float(read_prompt(prompt, seed).rng(part).random())

    assert draw("a", 1, "x") == draw("a", 1, "x")
    assert draw("a", None, "x") == draw("a", 0, "x")
    assert 4 == len({draw("a", 1, "x"), draw("b", 1, "x"), draw("a", 2, "x"), draw("a", 1, "y")})


@pytest.mark.parametrize(
    ("prompt", "order"),
    [
        ("no names", [0, 1, 2]),
        ("@图二 变成 @图一", [1, 0, 2]),
        ("@图3, then @image1", [2, 0, 1]),
        ("<IMAGE_2> meets <IMAGE_0>", [2, 0, 1]),
        ("@图9 @图0 @图二", [1, 0, 2]),
        ("@Image 2 and @image2 again", [1, 0, 2]),
    ],
)
def test_images_come_in_the_order_of_the_prompt(prompt: str, order: list[int]) -> None:
    assert order == image_order(prompt, 3)
