"""Prices: exact for what is generated, the dearest case held for what is edited or extended."""

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.core.catalog import Catalog, read_catalog
from filmgate.core.pricing import Prices, Quote, quote
from filmgate.core.video import Media, VideoRequest

CATALOG: Catalog = read_catalog(
    tomllib.loads(files("filmgate").joinpath("catalog.toml").read_text())
)
IMAGE = Media(url="https://example.com/a.png")
VIDEO = Media(url="https://example.com/a.mp4")


def price(request: VideoRequest) -> Quote:
    return quote(CATALOG[request.model].prices, request)


@pytest.mark.parametrize(
    ("model", "resolution", "seconds", "images", "micros"),
    [
        ("grok-imagine-video", "480p", 6, 0, 300_000),
        ("grok-imagine-video", "720p", 15, 0, 1_050_000),
        ("grok-image-video", "720p", 10, 7, 714_000),
        ("grok-imagine-video-1.5", "1080p", 1, 0, 250_000),
        ("grok-video-1.5", "480p", 4, 1, 330_000),
        ("grok-imagine-video-1.5-lite", "720p", 5, 0, 150_000),
    ],
)
def test_generation_is_priced_by_the_second_and_the_image(
    model: str, resolution: str, seconds: int, images: int, micros: int
) -> None:
    request = VideoRequest(
        model=model,
        prompt="p",
        seconds=seconds,
        resolution=resolution,  # type: ignore[arg-type]  # a table of words
        references=(IMAGE,) * images,
    )
    quoted = price(request)
    assert quoted.hold == micros
    assert quoted.charge(seconds_made=seconds, input_seconds=0, short_side=480) == micros


def test_an_extension_charges_what_was_added_and_what_was_given() -> None:
    quoted = price(
        VideoRequest(
            model="grok-imagine-video", prompt="p", operation="extend", seconds=6, video=VIDEO
        )
    )
    assert quoted.hold == 6 * 70_000 + 15 * 10_000
    due = quoted.charge(seconds_made=6.0, input_seconds=3.0, short_side=480)
    assert due == 6 * 50_000 + 3 * 10_000


def test_an_edit_charges_the_length_of_its_input() -> None:
    quoted = price(
        VideoRequest(model="grok-imagine-video", prompt="p", operation="edit", video=VIDEO)
    )
    assert quoted.hold == 8_700 * 70 + 8_700 * 10
    due = quoted.charge(seconds_made=2.5, input_seconds=2.5, short_side=720)
    assert due == 2_500 * 70 + 2_500 * 10


@given(
    st.floats(min_value=0, max_value=60), st.floats(min_value=0, max_value=60), st.integers(1, 4320)
)
def test_the_charge_is_whole_and_never_more_than_the_hold(
    made: float, given_seconds: float, side: int
) -> None:
    prices = Prices(per_second={"480p": 33_333, "720p": 77_777}, per_input_second=11)
    quoted = Quote(hold=1_000_000, prices=prices, fixed=False)
    due = quoted.charge(seconds_made=made, input_seconds=given_seconds, short_side=side)
    assert isinstance(due, int)
    assert 0 <= due <= quoted.hold


@pytest.mark.parametrize(
    ("settle", "cost", "due"),
    [
        ("quoted", None, 300_000),
        ("quoted", 1, 300_000),
        ("duration", None, 250_000),
        ("cost", 123_456, 123_456),
        ("cost", 10**9, 300_000),  # never more than was held
        ("cost", -5, 0),
        ("cost", None, 300_000),
    ],
)
def test_the_price_list_says_what_settles_a_clip(settle: str, cost: int | None, due: int) -> None:
    prices = Prices(per_second={"480p": 50_000}, settle=settle)  # type: ignore[arg-type]  # a table
    quoted = Quote(hold=300_000, prices=prices)
    assert quoted.charge(seconds_made=5.0, input_seconds=0, short_side=480, cost=cost) == due
