"""Images and clips come as strings, objects and nested objects; prompts name them in many ways."""

from __future__ import annotations

from typing import Any

import pytest

from filmgate.core.errors import InvalidRequest
from filmgate.core.video import Media
from filmgate.dialects.placeholders import placeholders
from filmgate.dialects.sources import pictures, read_all, read_media

URL = "https://example.com/a.png"
UUID = "01900190-0190-7190-8190-019001900190"


@pytest.mark.parametrize(
    ("value", "media"),
    [
        (URL, Media(url=URL)),
        (f"  {URL} ", Media(url=URL)),
        ("data:image/png;base64,AAAA", Media(url="data:image/png;base64,AAAA")),
        ({"url": URL}, Media(url=URL)),
        ({"image_url": URL}, Media(url=URL)),
        ({"imageUrl": URL}, Media(url=URL)),
        ({"type": "image_url", "image_url": {"url": URL, "detail": "high"}}, Media(url=URL)),
        ({"file_id": "file_1"}, Media(file_id="file_1")),
        ({"id": "video_1", "url": ""}, Media(file_id="video_1")),
        ({"file_id": "file_1", "image_url": {"url": ""}}, Media(file_id="file_1")),
        ({"voice_id": "eve"}, Media(voice_id="eve")),
        ("file_abc", Media(file_id="file_abc")),
        ("file-abc", Media(file_id="file-abc")),
        (UUID, Media(file_id=UUID)),
    ],
)
def test_source(value: object, media: Media) -> None:
    assert read_media(value, "image") == media


@pytest.mark.parametrize(
    "value",
    [7, None, True, [], {}, {"url": 5}, {"file_id": 5}, {"file_id": "../x"}, {"url": {"url": {}}}]
    + ["ftp://a/b", "file:///etc/passwd", "a.png", "https://a b", "object:inputs/1"],
)
def test_no_source(value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_media(value, "image")
    assert refused.value.param.startswith("image")


def test_bare_base64_is_told_the_way_out() -> None:
    with pytest.raises(InvalidRequest, match=r"data URL.*Bare base64 is not accepted"):
        read_media("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", "image")


def test_sources_are_merged_once_and_in_order() -> None:
    items = [("image", "https://b"), ("images", {"url": "https://a"}), ("images", "https://b")]
    assert read_all(items) == (Media(url="https://b"), Media(url="https://a"))
    assert pictures(items[:1]) == {"image": Media(url="https://b")}
    assert pictures([]) == {}


@pytest.mark.parametrize(
    ("typed", "at", "tag"),
    [
        ("@图一 变成 @图二", "@image1 变成 @image2", "<IMAGE_0> 变成 <IMAGE_1>"),
        ("@图1和@图12", "@image1和@image12", "<IMAGE_0>和<IMAGE_11>"),
        ("@图片三 @图十 @图十二", "@image3 @image10 @image12", "<IMAGE_2> <IMAGE_9> <IMAGE_11>"),
        ("@IMAGE2 <IMAGE_0>", "@image2 @image1", "<IMAGE_1> <IMAGE_0>"),
        ("mail@image.com @图 @image0", "mail@image.com @图 @image0", "mail@image.com @图 @image0"),
    ],
)
def test_placeholders(typed: str, at: str, tag: str) -> None:
    assert (at, tag) == (placeholders(typed), placeholders(typed, "tag"))
