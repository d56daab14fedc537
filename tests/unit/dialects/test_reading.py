"""Any spelling of a number, switch, frame size or field name is read; anything else is named."""

from __future__ import annotations

from typing import Any

import pytest

from filmgate.core.errors import InvalidRequest, MalformedBody
from filmgate.dialects.reading import (
    Fields,
    decimal,
    pixels,
    read_ratio,
    read_resolution,
    switch,
    unfold,
    whole,
)


@pytest.mark.parametrize("value", [6, 6.0, "6", " 6 ", "6.0", "6s", "6 seconds", "6秒", "+6"])
def test_whole_number(value: object) -> None:
    assert whole(value, "seconds") == 6


@pytest.mark.parametrize(
    "value",
    [True, False, None, "", "six", "6.5", 6.5, [], {}, float("nan"), float("inf"), "1e400"]
    + [10**400, "9" * 5000],
)
def test_not_a_whole_number(value: object) -> None:
    with pytest.raises(InvalidRequest) as refused:
        whole(value, "seconds")
    assert (refused.value.param, refused.value.code) == ("seconds", "invalid_type")


@pytest.mark.parametrize(("value", "number"), [("0.5", 0.5), (1, 1.0), (2.25, 2.25)])
def test_decimal(value: object, number: float) -> None:
    assert decimal(value, "timestamp_s") == number


@pytest.mark.parametrize("value", [True, "x", None, float("inf"), 10**400])
def test_not_a_decimal(value: object) -> None:
    with pytest.raises(InvalidRequest):
        decimal(value, "timestamp_s")


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), ("true", True), ("True", True), (1, True), ("1", True), ("on", True)]
    + [(False, False), ("false", False), (0, False), ("0", False), (0.0, False)],
)
def test_switch(value: object, meant: bool) -> None:
    assert switch(value, "stream") is meant


@pytest.mark.parametrize("value", [2, "maybe", [], {}, 0.5])
def test_not_a_switch(value: object) -> None:
    with pytest.raises(InvalidRequest):
        switch(value, "stream")


@pytest.mark.parametrize(
    ("size", "ratio", "resolution"),
    [
        ("1280x720", "16:9", "720p"),
        ("1280*720", "16:9", "720p"),
        ("1280×720", "16:9", "720p"),
        ("720X1280", "9:16", "720p"),
        ("1024x1024", "1:1", "720p"),
        ("1792x1024", "16:9", "720p"),
        ("1024x1792", "9:16", "720p"),
        ("854x480", "16:9", "480p"),
        ("1920x1080", "16:9", "1080p"),
        ("320x240", "4:3", "480p"),
        ("3:2", "3:2", None),
        ("16：9", "16:9", None),
    ],
)
def test_sizes(size: str, ratio: str, resolution: str | None) -> None:
    fields = Fields({"size": size})
    assert (ratio, None, resolution) == (fields.ratio(), fields.resolution(), fields.size_class())


@pytest.mark.parametrize("value", ["21:9", "wide", "0x0", "16:0", "1920x100", 1.78, True, []])
def test_no_such_ratio(value: object) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_ratio(value, "aspect_ratio")
    assert refused.value.param == "aspect_ratio"


@pytest.mark.parametrize("value", ["720p", "720P", "720", 720, "1280x720"])
def test_resolution(value: object) -> None:
    assert read_resolution(value, "resolution") == "720p"


@pytest.mark.parametrize("value", ["4k", "2160p", 0, -1, 10**400, True, "16:9", []])
def test_no_such_resolution(value: object) -> None:
    with pytest.raises(InvalidRequest):
        read_resolution(value, "resolution")


def test_pixels_are_even() -> None:
    assert pixels("16:9", "480p") == (854, 480)
    assert pixels("2:3", "720p") == (720, 1080)
    assert pixels("1:1", "1080p") == (1080, 1080)


def test_camel_case_and_blanks() -> None:
    fields = Fields({"aspectRatio": "1:1", "aspect_ratio": " ", "imageUrls": ["a"], "x": None})
    assert fields.text("aspect_ratio") == "1:1"
    assert fields.items("image_urls") == [("imageUrls", "a")]
    assert fields.find("x", "y") == ("x", None)


@pytest.mark.parametrize(
    "value", [{}, [], [{}], {"url": ""}, {"image_url": {"url": " "}, "detail": None}, {"urls": []}]
)
def test_an_object_of_nothing_is_absent(value: object) -> None:
    fields = Fields({"image": value})
    assert (fields.find("image"), fields.items("image")) == (("image", None), [])


@pytest.mark.parametrize("value", [{"url": 0}, [False], {"a": {"b": "c"}}])
def test_an_object_of_something_is_there(value: object) -> None:
    assert Fields({"image": value}).find("image") == ("image", value)


def test_an_exact_name_wins() -> None:
    assert Fields({"aspect_ratio": "1:1", "aspectRatio": "3:2"}).text("aspect_ratio") == "1:1"


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_body_is_an_object(body: Any) -> None:
    with pytest.raises(MalformedBody):
        Fields(body)


def test_brackets_are_unfolded() -> None:
    form = {
        "prompt": "a",
        "input_reference[image_url]": "u",
        "video[id]": "video_1",
        "reference_images[][url]": ["a", "b"],
        "images[0]": "x",
        "images[1]": "y",
        "expires_after[anchor]": "created_at",
        "expires_after[seconds]": "3600",
    }
    assert unfold(form) == {
        "prompt": "a",
        "input_reference": {"image_url": "u"},
        "video": {"id": "video_1"},
        "reference_images": [{"url": "a"}, {"url": "b"}],
        "images": ["x", "y"],
        "expires_after": {"anchor": "created_at", "seconds": "3600"},
    }
    assert unfold([1]) == [1]
