"""Documents 003 and 004, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from filmgate.core.catalog import Catalog
from filmgate.core.errors import Inexpressible, InvalidRequest, NotFound, UnknownModel
from filmgate.core.task import Failure, Task
from filmgate.core.video import Media, VideoRequest
from filmgate.dialects.base import Call, View
from filmgate.dialects.newapi import NewApi

NEWAPI = NewApi()
MANY = [f"https://example.com/{n}.png" for n in range(8)]


def read(catalog: Catalog, **body: Any) -> VideoRequest:
    plain = {"model": "grok-image-video", "prompt": "a boat"}
    return NEWAPI.decode(Call(body=plain | body), catalog)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"model": ""}, "model field is required"),
        ({"model": "m", "prompt": ""}, 'unsupported model "m"'),
        ({"prompt": " ", "aspect_ratio": "9:1"}, "prompt is required"),
        (
            {"model": "grok-video-1.5", "aspect_ratio": "1:1"},
            "grok-video-1.5 supports aspect_ratio",
        ),
        ({"resolution": "1080p", "image_urls": MANY}, "grok-image-video supports resolution"),
        ({"model": "grok-video-1.5"}, "grok-video-1.5 only supports exactly one reference image"),
        (
            {"model": "grok-video-1.5", "image_urls": [*MANY[:2]]},
            "grok-video-1.5 only supports exactly one reference image",
        ),
        (
            {"image_urls": [*MANY[:7], "iVBORw0KGgo="]},
            "grok-image-video supports at most 7 reference images",
        ),
        ({"image_urls": ["iVBORw0KGgo="]}, "Bare base64 is not accepted"),
    ],
)
def test_refusals_in_order(catalog: Catalog, fault: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(catalog, **fault)
    reply = NEWAPI.encode_error(refused.value)
    assert reply.status == 400
    assert text in reply.body["message"]
    assert reply.body["message"] == reply.body["error"]["message"]


def test_unknown_model_is_400_here() -> None:
    reply = NEWAPI.encode_error(UnknownModel("m"))
    assert reply.status == 400
    assert reply.body["message"] == 'unsupported model "m"'


@pytest.mark.parametrize(
    ("asked", "images", "seconds"),
    [(None, 0, 4), (0, 0, 4), (-3, 0, 4), ("6", 0, 6), (99, 0, 15), (12, 2, 10), (12, 1, 12)],
)
def test_seconds_are_clamped(catalog: Catalog, asked: Any, images: int, seconds: int) -> None:
    assert read(catalog, seconds=asked, image_urls=MANY[:images]).seconds == seconds
    assert read(catalog, duration=asked, image_urls=MANY[:images]).seconds == seconds


@pytest.mark.parametrize(
    ("body", "frame"),
    [
        ({}, ("16:9", "720p")),
        ({"size": "854x480"}, ("16:9", "480p")),
        ({"size": "1024x1792"}, ("9:16", "720p")),
        ({"size": "1920x1080"}, ("16:9", "720p")),
        ({"size": "1:1"}, ("1:1", "720p")),
        ({"size": "854x480", "aspectRatio": "3:4", "resolution": "720p"}, ("3:4", "720p")),
    ],
)
def test_frame(catalog: Catalog, body: dict[str, Any], frame: tuple[str, str]) -> None:
    request = read(catalog, **body)
    assert frame == (request.aspect_ratio, request.resolution)


def test_images_of_every_spelling_are_merged(catalog: Catalog) -> None:
    request = read(
        catalog,
        images=[{"url": MANY[1]}, MANY[0]],
        image=MANY[0],
        imageUrls=[MANY[2]],
        input_reference={"image_url": MANY[3]},
    )
    assert request.references == tuple(Media(url=MANY[n]) for n in (2, 0, 1, 3))
    request = read(catalog, input_reference=MANY[0], reference_images=[MANY[1], MANY[0]])
    assert request.references == (Media(url=MANY[0]), Media(url=MANY[1]))


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"seconds": 0, "duration": 2}, 2),
        ({"seconds": "-1", "duration": "5"}, 5),
        ({"seconds": 6, "duration": 2}, 6),
        ({"seconds": 0, "duration": 0}, 4),
    ],
)
def test_the_first_length_above_zero(catalog: Catalog, body: dict[str, Any], seconds: int) -> None:
    request = read(catalog, **body)
    assert seconds == request.seconds
    again = read(catalog, **(NEWAPI.encode_request(request).body or {}))
    assert seconds == again.seconds


@pytest.mark.parametrize(
    "image", [{}, {"image_url": ""}, {"url": None}, {"image_url": {"url": ""}}]
)
def test_an_empty_image_is_none(catalog: Catalog, image: Any) -> None:
    assert read(catalog, image=image, images=[image]).images == ()


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ({"metadata": {"duration": "6", "size": "480x854"}}, (6, "9:16", "480p", 0)),
        ({"metadata": {"resolution": "480p", "aspectRatio": "1:1"}}, (4, "1:1", "480p", 0)),
        ({"seconds": 5, "metadata": {"duration": 9, "seconds": 8}}, (5, "16:9", "720p", 0)),
        ({"seconds": 0, "metadata": {"seconds": 8}}, (8, "16:9", "720p", 0)),
        ({"size": "1280x720", "metadata": {"resolution": "480p"}}, (4, "16:9", "720p", 0)),
        ({"size": "1:1", "metadata": {"resolution": "480p"}}, (4, "1:1", "480p", 0)),
        ({"metadata": {"image_urls": MANY[:2], "seconds": 12}}, (10, "16:9", "720p", 2)),
        ({"image": MANY[0], "metadata": {"images": MANY[1:4]}}, (4, "16:9", "720p", 1)),
        ({"metadata": {"resolution_name": "480p"}}, (4, "16:9", "480p", 0)),
        ({"metadata": '{"seconds": 8}'}, (8, "16:9", "720p", 0)),
        ({"metadata": "a note"}, (4, "16:9", "720p", 0)),
    ],
)
def test_metadata_fills_in_what_is_not_said(
    catalog: Catalog, body: dict[str, Any], meant: tuple[int, str, str, int]
) -> None:
    request = read(catalog, **body)
    images = len(request.images)
    assert meant == (request.seconds, request.aspect_ratio, request.resolution, images)
    # An upstream that lets metadata win must make what was paid for.
    again = read(catalog, **(NEWAPI.encode_request(request).body or {}))
    assert meant == (again.seconds, again.aspect_ratio, again.resolution, len(again.images))


def test_metadata_keeps_what_is_not_ours(catalog: Catalog) -> None:
    request = read(catalog, metadata={"seconds": 6, "prompt": "no", "note": {"url": "x"}})
    assert request.prompt == "a boat"
    assert NEWAPI.encode_request(request).body == {
        "model": "grok-image-video",
        "prompt": "a boat",
        "seconds": 6,
        "metadata": {"prompt": "no", "note": {"url": "x"}},
    }
    with pytest.raises(InvalidRequest) as refused:
        read(catalog, metadata={"size": "big"})
    assert refused.value.param == "metadata.size"


def test_a_body_of_its_own_travels_unchanged(catalog: Catalog) -> None:
    body = {
        "model": "grok-image-video",
        "prompt": "a boat",
        "referenceImages": MANY[0],
        "image": {},
        "metadata": {"a": 1, "b": {}},
        "future": None,
    }
    assert NEWAPI.encode_request(NEWAPI.decode(Call(body=body), catalog)).body == body


def test_every_file_is_an_image(catalog: Catalog) -> None:
    png = [f"data:image/png;base64,{n}" for n in "abcde"]
    form = {
        "model": "grok-image-video",
        "prompt": "a boat",
        "picture": [png[2], png[3]],
        "extra[]": png[4],
        "reference_images": png[1],
        "image": png[0],
    }
    files = ("picture", "picture", "extra[]", "reference_images", "image")
    request = NEWAPI.decode(Call(body=form, files=files), catalog)
    assert request.references == tuple(Media(url=url) for url in png)
    assert NEWAPI.encode_request(request).body == {
        "model": "grok-image-video",
        "prompt": "a boat",
        "image": png[0],
        "reference_images": png[1:],
    }


@pytest.mark.parametrize("resolution", ["480p", "1080p"])
def test_the_models_name_selects(catalog: Catalog, resolution: str) -> None:
    name = "grok-imagine-1.0-video-10s-hd"
    request = read(catalog, model=name, seconds=3, resolution=resolution)
    assert (request.seconds, request.resolution) == (10, "720p")


def test_a_user_is_a_text(catalog: Catalog) -> None:
    assert read(catalog, user=17).user == "17"
    request = read(catalog, user={"id": 1})
    assert request.user == ""
    assert (NEWAPI.encode_request(request).body or {})["user"] == {"id": 1}


def test_the_same_image_in_two_spellings_is_one(catalog: Catalog) -> None:
    request = read(
        catalog, model="grok-video-1.5", image=MANY[0], images=[{"url": MANY[0]}], seconds=12
    )
    assert (request.image, request.seconds) == (Media(url=MANY[0]), 12)


def test_clamped_values_alone_are_rewritten(catalog: Catalog) -> None:
    request = read(catalog, seconds=99, size="1920x1080", metadata={"a": 1})
    assert NEWAPI.encode_request(request).body == {
        "model": "grok-image-video",
        "prompt": "a boat",
        "seconds": 15,
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "metadata": {"a": 1},
    }


def test_a_stored_file_is_replaced_in_the_body(catalog: Catalog) -> None:
    request = read(catalog, image="https://example.com/a.png", note="n")
    request.original["image"] = "object:inputs/1"
    assert (NEWAPI.encode_request(request).body or {})["image_urls"] == [
        "https://example.com/a.png"
    ]


@pytest.mark.parametrize(
    "field",
    [
        {"operation": "edit"},
        {"preset": "fun"},
        {"seed": 1},
        {"audio": False},
        {"last_frame": Media(url="https://a")},
        {"references": (Media(url="https://a"),)},
        {"image": Media(object_key="k")},
        {"image": Media(file_id="f")},
    ],
)
def test_what_relays_have_no_field_for(field: dict[str, Any]) -> None:
    with pytest.raises(Inexpressible):
        NEWAPI.encode_request(VideoRequest(model="m", prompt="p", **field))


def test_created(task_of: Any) -> None:
    assert NEWAPI.encode_created(View(task_of())).body == {
        "id": "task_0190a1b2c3d4e5f60718293a4b5c6d7e",
        "task_id": "task_0190a1b2c3d4e5f60718293a4b5c6d7e",
        "object": "video",
        "model": "grok-imagine-video",
        "status": "queued",
        "progress": 0,
        "created_at": 1780000000,
    }


def poll(task: Task, link: str = "", expired: bool = False) -> tuple[str, str, str, str]:
    body = NEWAPI.encode_task(View(task, link, expired)).body
    data = body["data"]
    assert (body["code"], body["message"]) == ("success", "")
    assert list(data) == ["task_id", "status", "progress", "result_url", "fail_reason"]
    return data["status"], data["progress"], data["result_url"], data["fail_reason"]


def test_polls(task_of: Any) -> None:
    failure = Failure("invalid_argument", "Image URL could not be fetched: 400.")
    assert poll(task_of()) == ("QUEUED", "0%", "", "")
    assert poll(task_of(status="submitting")) == ("SUBMITTED", "0%", "", "")
    assert poll(task_of(status="in_progress", progress=30)) == ("IN_PROGRESS", "30%", "", "")
    assert poll(task_of(status="in_progress", progress=100))[1] == "99%"
    assert poll(task_of(status="unknown", progress=30)) == ("IN_PROGRESS", "30%", "", "")
    assert poll(task_of(status="completed"), "https://x") == ("SUCCESS", "100%", "https://x", "")
    failed = task_of(status="failed", failure=failure)
    assert poll(failed) == ("FAILURE", "100%", "", "Image URL could not be fetched: 400.")
    for task, expired in (
        (task_of(status="cancelled"), False),
        (task_of(status="completed", moderated=True), False),
        (task_of(status="completed"), True),
    ):
        status, progress, url, reason = poll(task, "https://x", expired)
        assert (status, progress, url) == ("FAILURE", "100%", "")
        assert reason


def test_no_such_task() -> None:
    reply = NEWAPI.encode_error(NotFound("task", "No such task."))
    assert (reply.status, reply.body["code"], reply.body["data"]) == (404, "task_not_exist", None)
