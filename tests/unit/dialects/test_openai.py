"""OpenAI's videos API, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from filmgate.core.catalog import Catalog
from filmgate.core.errors import Inexpressible, InvalidRequest
from filmgate.core.task import Failure
from filmgate.core.video import Media, Operation, VideoRequest
from filmgate.dialects.base import Call, View
from filmgate.dialects.openai import OpenAi

OPENAI = OpenAi()
A, B = "https://example.com/a.png", "https://example.com/b.png"


def read(catalog: Catalog, operation: Operation = "generate", **body: Any) -> VideoRequest:
    return OPENAI.decode(Call(operation=operation, body={"prompt": "a boat"} | body), catalog)


@pytest.mark.parametrize(
    ("body", "seconds", "ratio", "resolution"),
    [
        ({}, 4, "9:16", "720p"),
        ({"seconds": "8", "size": "1280x720"}, 8, "16:9", "720p"),
        ({"seconds": "8", "size": "1792x1024"}, 8, "16:9", "720p"),
        ({"duration": 5, "aspect_ratio": "1:1", "resolution": "480p"}, 5, "1:1", "480p"),
        ({"size": "1920x1080"}, 4, "16:9", "720p"),
        ({"size": "1920x1080", "model": "grok-imagine-video-1.5"}, 4, "16:9", "1080p"),
    ],
)
def test_create(
    catalog: Catalog, body: dict[str, Any], seconds: int, ratio: str, resolution: str
) -> None:
    request = read(catalog, **body)
    assert (seconds, ratio, resolution) == (
        request.seconds,
        request.aspect_ratio,
        request.resolution,
    )


def test_a_form_is_read(catalog: Catalog) -> None:
    request = read(catalog, **{"input_reference[file_id]": "file_1", "seconds": "8"})
    assert request.image == Media(file_id="file_1")
    assert request.original["input_reference"] == {"file_id": "file_1"}
    request = read(catalog, **{"reference_images[][url]": [A, B]})
    assert request.references == (Media(url=A), Media(url=B))
    png = "data:image/png;base64,AA"
    assert read(catalog, input_reference=png).image == Media(url=png)


def test_an_object_as_text_is_read(catalog: Catalog) -> None:
    request = read(catalog, input_reference=f' {{"image_url": "{A}"}}')
    assert request.image == Media(url=A)
    assert request.original["input_reference"] == {"image_url": A}
    request = read(catalog, reference_images=f'["{A}", {{"file_id": "file_1"}}]')
    assert request.references == (Media(url=A), Media(file_id="file_1"))
    request = read(catalog, "edit", video='{"id": "video_1"}', prompt='{"a": 1}')
    assert (request.video, request.prompt) == (Media(file_id="video_1"), '{"a": 1}')
    with pytest.raises(InvalidRequest):
        read(catalog, input_reference='{"image_url": ')


@pytest.mark.parametrize(("operation", "known"), [("generate", "image[]"), ("edit", "video")])
def test_a_file_of_unknown_name_is_refused(
    catalog: Catalog, operation: Operation, known: str
) -> None:
    body = {"prompt": "a boat", known: "data:image/png;base64,AA"}
    call = Call(operation=operation, body=body, files=(known,))
    assert len(list(OPENAI.decode(call, catalog).media())) == 1
    body["picture"] = "data:image/png;base64,AA"
    with pytest.raises(InvalidRequest, match=r"picture.*input_reference") as refused:
        OPENAI.decode(Call(operation=operation, body=body, files=(known, "picture")), catalog)
    assert refused.value.param == "picture"


def test_the_models_name_selects(catalog: Catalog) -> None:
    name = "grok-imagine-1.0-video-20s-hd"
    request = read(catalog, model=name, seconds="3", resolution="480p")
    assert (request.seconds, request.resolution) == (20, "720p")
    extension = read(catalog, "extend", model=name, video={"id": "video_1"}, seconds="3")
    assert (extension.seconds, extension.resolution) == (3, "")


def test_edit_and_extension(catalog: Catalog) -> None:
    edit = read(catalog, "edit", video={"id": "video_1"}, seconds="8")
    assert (edit.seconds, edit.video) == (0, Media(file_id="video_1"))
    extension = read(catalog, "extend", **{"video[id]": "video_1", "seconds": "8"})
    assert (extension.seconds, extension.video) == (8, Media(file_id="video_1"))
    written = OPENAI.encode_request(extension)
    assert (written.path, written.body) == ("/v1/videos/extensions", extension.original)


@pytest.mark.parametrize(
    ("operation", "fault", "param"),
    [
        ("generate", {"prompt": ""}, "prompt"),
        ("generate", {"seconds": "99"}, "seconds"),
        ("generate", {"size": "big"}, "size"),
        ("generate", {"resolution": "1080p"}, "resolution"),
        ("edit", {}, "video"),
        ("extend", {"video": {"id": "video_1"}, "seconds": 1}, "seconds"),
    ],
)
def test_refusals(
    catalog: Catalog, operation: Operation, fault: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(catalog, operation, **fault)
    reply = OPENAI.encode_error(refused.value)
    assert (reply.status, reply.body["error"]["param"]) == (400, param)
    assert set(reply.body["error"]) == {"message", "type", "param", "code"}


def test_video_object(task_of: Any) -> None:
    reply = OPENAI.encode_task(View(task_of(status="in_progress", progress=30)))
    assert reply.body == {
        "id": "video_0190a1b2c3d4e5f60718293a4b5c6d7e",
        "object": "video",
        "created_at": 1780000000,
        "completed_at": None,
        "expires_at": None,
        "status": "in_progress",
        "progress": 30,
        "model": "grok-imagine-video",
        "prompt": "a boat",
        "seconds": "10",
        "size": "854x480",
        "remixed_from_video_id": None,
        "error": None,
    }
    assert reply.headers == {"openai-poll-after-ms": "2000"}
    done = OPENAI.encode_task(View(task_of(status="completed", finished_at=1_780_000_009.7))).body
    assert (done["status"], done["progress"], done["completed_at"]) == (
        "completed",
        100,
        1780000009,
    )
    failure = Failure("service_unavailable", "Busy.")
    failed = OPENAI.encode_task(View(task_of(status="failed", failure=failure))).body
    assert failed["status"] == "failed"
    assert failed["error"] == {"code": "service_unavailable", "message": "Busy."}


def test_a_finished_clip_is_at_its_content_path(task_of: Any) -> None:
    body = OPENAI.encode_task(View(task_of(status="completed"))).body
    read = OPENAI.decode_task(200, body)
    assert read.url == "/v1/videos/video_0190a1b2c3d4e5f60718293a4b5c6d7e/content"
    assert read.seconds == 10


def test_a_clip_goes_by_id_only() -> None:
    request = VideoRequest(model="m", prompt="p", operation="edit", video=Media(url="https://a"))
    with pytest.raises(Inexpressible):
        OPENAI.encode_request(request)
