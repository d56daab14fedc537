"""Documents 001 and 002, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from filmgate.core.catalog import Catalog
from filmgate.core.errors import (
    Inexpressible,
    InvalidRequest,
    MalformedBody,
    MethodNotAllowed,
    RateLimited,
    UnknownModel,
)
from filmgate.core.task import Failure
from filmgate.core.video import Keyframe, Media, Operation, VideoRequest
from filmgate.dialects.base import Call, View
from filmgate.dialects.xai import Xai

XAI = Xai()
A, B = "https://example.com/a.png", "https://example.com/b.png"
CLIP = "https://example.com/video.mp4"


def read(catalog: Catalog, operation: Operation = "generate", **body: Any) -> VideoRequest:
    return XAI.decode(Call(operation=operation, body={"prompt": "a boat"} | body), catalog)


def test_defaults(catalog: Catalog) -> None:
    request = read(catalog)
    assert request == VideoRequest(
        model="grok-imagine-video",
        prompt="a boat",
        seconds=8,
        aspect_ratio="16:9",
        resolution="480p",
        original={"prompt": "a boat"},
        spoken="xai",
    )
    assert XAI.encode_request(request).body == {"prompt": "a boat"}


def test_every_field(catalog: Catalog) -> None:
    request = read(
        catalog,
        model="grok-imagine-video-1.5",
        seconds="4",
        image={"image_url": A},
        lastFrame={"file_id": "file_1"},
        keyframes=[{"image": {"url": B}, "timestamp_s": "1.5"}],
        reference_audios=[{"voice_id": "eve"}, {"url": "https://example.com/a.mp3"}],
        generate_audio="false",
        seed=7,
        user="u",
    )
    assert request.seconds == 4
    assert request.image == Media(url=A)
    assert request.last_frame == Media(file_id="file_1")
    assert request.keyframes == (Keyframe(Media(url=B), 1.5),)
    assert request.reference_audios == (
        Media(voice_id="eve"),
        Media(url="https://example.com/a.mp3"),
    )
    assert (request.audio, request.seed, request.user) == (False, 7, "u")


def test_one_reference_stays_one(catalog: Catalog) -> None:
    assert read(catalog, reference_images=[{"url": A}]).references == (Media(url=A),)
    assert read(catalog, images=[A, B]).references == (Media(url=A), Media(url=B))
    assert read(catalog, images=[A]).image == Media(url=A)


@pytest.mark.parametrize(
    "video", [CLIP, {"url": CLIP}, {"file_id": "file_1"}, "file_1", "data:video/mp4;base64,AA"]
)
def test_extension(catalog: Catalog, video: Any) -> None:
    request = read(catalog, "extend", video=video)
    assert (request.operation, request.seconds) == ("extend", 6)
    assert (request.aspect_ratio, request.resolution) == ("", "")
    assert XAI.encode_request(request).path == "/v1/videos/extensions"
    assert XAI.encode_request(request).body == request.original


def test_the_models_name_selects(catalog: Catalog) -> None:
    name = "grok-imagine-1.0-video-30s-hd"
    for asked in ({}, {"duration": 3, "resolution": "480p"}, {"duration": 99}):
        request = read(catalog, model=name, **asked)
        assert (request.seconds, request.resolution) == (30, "720p")
    extension = read(catalog, "extend", model=name, video=CLIP)
    assert (extension.seconds, extension.resolution) == (6, "")


def test_empty_objects_are_absent(catalog: Catalog) -> None:
    request = read(catalog, image={"url": ""}, last_frame={}, reference_images=[{"url": A}, {}])
    assert list(request.media()) == [Media(url=A)]


@pytest.mark.parametrize(("user", "read_as"), [(7, "7"), (1.5, "1.5"), (True, ""), (["u"], "")])
def test_user(catalog: Catalog, user: Any, read_as: str) -> None:
    request = read(catalog, user=user)
    assert request.user == read_as
    assert XAI.encode_request(request).body == {"prompt": "a boat", "user": user}


def test_edit(catalog: Catalog) -> None:
    request = read(catalog, "edit", video=CLIP, duration=5)
    assert (request.operation, request.seconds, request.video) == ("edit", 0, Media(url=CLIP))
    assert read(catalog, video_url=CLIP).operation == "edit"


@pytest.mark.parametrize(
    ("operation", "fault", "param", "status"),
    [
        ("generate", {"prompt": ""}, "prompt", 400),
        ("generate", {"prompt": 5}, "prompt", 422),
        ("generate", {"duration": 16}, "duration", 400),
        ("generate", {"duration": 0}, "duration", 400),
        ("generate", {"duration": True}, "duration", 422),
        ("generate", {"duration": 11, "reference_images": [A, B]}, "duration", 400),
        ("generate", {"aspect_ratio": "21:9"}, "aspect_ratio", 400),
        ("generate", {"resolution": "1080p"}, "resolution", 400),
        ("generate", {"resolution": "4k"}, "resolution", 400),
        ("generate", {"image": {"url": A}, "reference_images": [B]}, "reference_images", 400),
        ("generate", {"reference_images": [f"{A}?{n}" for n in range(8)]}, "reference_images", 400),
        ("generate", {"image": 7}, "image", 422),
        ("generate", {"keyframes": [5]}, "keyframes", 422),
        ("generate", {"keyframes": [{"image": A, "timestamp_s": 99}]}, "keyframes", 400),
        ("extend", {}, "video", 400),
        ("extend", {"video": CLIP, "duration": 1}, "duration", 400),
        ("extend", {"video": CLIP, "duration": 11}, "duration", 400),
        ("extend", {"video": CLIP, "aspect_ratio": "16:9"}, "aspect_ratio", 400),
        ("extend", {"video": CLIP, "resolution": "720p"}, "resolution", 400),
        ("edit", {"video": [CLIP, A]}, "video", 400),
    ],
)
def test_refusals(
    catalog: Catalog, operation: Operation, fault: dict[str, Any], param: str, status: int
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(catalog, operation, **fault)
    assert refused.value.param == param
    reply = XAI.encode_error(refused.value)
    assert (reply.status, reply.body["code"]) == (status, "invalid-argument")


def test_the_empty_prompt_in_the_documents_words(catalog: Catalog) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(catalog, prompt=" ")
    text = "Prompt cannot be empty. Please provide a prompt."
    assert XAI.encode_error(refused.value).body == {"code": "invalid-argument", "error": text}


def test_other_errors() -> None:
    assert XAI.encode_error(MalformedBody("Not JSON.")).status == 400
    assert XAI.encode_error(UnknownModel("m")).status == 404
    assert XAI.encode_error(InvalidRequest("no", code="idempotency_key_reused")).status == 400
    limited = XAI.encode_error(RateLimited("Slow down.", 7))
    assert (limited.status, limited.body["code"]) == (429, "resource-exhausted")
    assert limited.headers == {"Retry-After": "7"}
    assert XAI.encode_error(MethodNotAllowed("no", ("GET",))).headers == {"Allow": "GET"}


def test_polls(task_of: Any) -> None:
    pending = XAI.encode_task(View(task_of(status="in_progress", progress=30)))
    assert pending.status == 202
    assert pending.body == {"status": "pending", "progress": 30, "model": "grok-imagine-video"}
    done = XAI.encode_task(View(task_of(status="completed", charged=502_000), "https://x/y.mp4"))
    assert done.status == 200
    assert done.body == {
        "status": "done",
        "progress": 100,
        "model": "grok-imagine-video",
        "video": {"url": "https://x/y.mp4", "duration": 10, "respect_moderation": True},
        "usage": {"cost_in_usd_ticks": 5_020_000_000},
    }
    assert isinstance(done.body["video"]["duration"], int)
    failure = Failure("invalid_argument", "No.")
    failed = XAI.encode_task(View(task_of(status="failed", failure=failure)))
    error = {"code": "invalid_argument", "message": "No."}
    assert failed.body == {"status": "failed", "error": error}
    withheld = XAI.encode_task(View(task_of(status="completed", moderated=True), "https://x"))
    assert withheld.body["status"] == "done"
    assert withheld.body["video"] == {"url": "", "duration": 10, "respect_moderation": False}
    cancelled = XAI.encode_task(View(task_of(status="cancelled")))
    assert cancelled.body["error"]["message"] == "The task was cancelled."
    expired = XAI.encode_task(View(task_of(status="completed"), "", True))
    assert expired.body == {"status": "expired", "model": "grok-imagine-video"}


def test_created(task_of: Any) -> None:
    reply = XAI.encode_created(View(task_of()))
    assert reply.body == {"request_id": "0190a1b2-c3d4-e5f6-0718-293a4b5c6d7e"}


def test_a_body_of_its_own_travels_unchanged(catalog: Catalog) -> None:
    body = {
        "model": "grok-imagine-video",
        "prompt": "@图一",
        "duration": "10",
        "aspectRatio": "16:9",
        "image": {"url": A, "detail": "high"},
        "storage_options": {"filename": "a"},
        "output": {"upload_url": "https://example.com/put"},
        "future": None,
    }
    request = XAI.decode(Call(body=body), catalog)
    assert XAI.encode_request(request).body == body


def test_a_preset_has_no_words_here() -> None:
    with pytest.raises(Inexpressible):
        XAI.encode_request(VideoRequest(model="m", prompt="p", preset="fun"))
