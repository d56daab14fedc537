"""Every request, answer and stream of the documents, read and written by the dialects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from filmgate.core.catalog import Catalog, fit
from filmgate.core.errors import InputUnfetchable
from filmgate.core.pricing import quote
from filmgate.core.task import Asset, Failure, Task
from filmgate.core.upstream import Upstream
from filmgate.core.video import Media, VideoRequest
from filmgate.dialects.base import View
from filmgate.dialects.chat import Chat
from filmgate.dialects.registry import DIALECTS
from tests.contract import frames, shapes
from tests.contract.conftest import Decode
from tests.contract.documents import DIALECT, DOCUMENTS, answers, creates, document, rules

TASK_ID = "0123456789abcdef0123456789abcdef"
WIDE = {"aspect_ratio": "16:9", "resolution": "720p"}
TALL = {"aspect_ratio": "9:16", "resolution": "720p"}
WIDE_480 = {"aspect_ratio": "16:9", "resolution": "480p"}
TALL_480 = {"aspect_ratio": "9:16", "resolution": "480p"}


def example(*names: str) -> tuple[Media, ...]:
    return tuple(Media(url=f"https://example.com/{name}") for name in names)


# What each body means, apart from its model and prompt.
MEANING: dict[tuple[str, str], dict[str, Any]] = {
    ("000", "chat"): {
        "seconds": 10,
        **TALL_480,
        "preset": "fun",
        "references": (Media(url="https://xxxxx.png"), Media(url="https://xxxxxx.png")),
    },
    ("001", "text"): {"seconds": 4, **WIDE_480},
    ("001", "image"): {
        "seconds": 4,
        **WIDE_480,
        "image": Media(
            url="https://imageproxy.zhongzhuan.chat/api/proxy/image/"
            "bb9bd34363da4fa486c9e645a6b1349e.png"
        ),
    },
    ("002", "extend"): {"operation": "extend", "seconds": 10, "video": example("video.mp4")[0]},
    ("003", "text"): {"seconds": 6, **WIDE},
    ("003", "one-image"): {"seconds": 6, **TALL, "image": example("product.png")[0]},
    ("003", "several-images"): {
        "seconds": 10,
        **WIDE,
        "references": example("ref-1.png", "ref-2.png"),
    },
    ("003", "image-model"): {"seconds": 4, **WIDE_480, "image": example("reference.png")[0]},
    ("003", "input-reference"): {"seconds": 6, **TALL, "image": example("product.png")[0]},
    ("004", "text"): {"seconds": 6, **WIDE},
    ("004", "one-image"): {"seconds": 6, **WIDE, "image": example("input.png")[0]},
    ("004", "several-images"): {
        "seconds": 8,
        **WIDE,
        "references": example("reference-1.png", "reference-2.png"),
    },
}

# What each answer says about a task.
VERDICT: dict[tuple[str, str], Upstream] = {
    ("002", "done"): Upstream(
        status="completed",
        progress=100,
        url="https://vidgen.x.ai/.../video.mp4",
        seconds=10,
    ),
    ("002", "pending"): Upstream(status="in_progress"),
    ("002", "failed"): Upstream(
        status="failed",
        failure=Failure("invalid_argument", "Prompt cannot be empty. Please provide a prompt."),
    ),
    ("003", "in-progress"): Upstream(status="in_progress", progress=30),
    ("003", "success"): Upstream(
        status="completed", progress=100, url="https://example.com/generated-video.mp4"
    ),
    ("003", "failure"): Upstream(
        status="failed",
        progress=100,
        failure=Failure(
            "invalid_argument",
            "Image URL could not be fetched: "
            "Fetching image failed with HTTP status 400 Bad Request.",
        ),
    ),
    ("004", "success"): Upstream(
        status="completed",
        progress=100,
        url="https://video.junfeiai.hk-proxy.lingzhiwuxian.com/v1/videos/"
        "task_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/content",
    ),
}


TaskOf = Callable[..., Task]


@pytest.fixture
def task_of(catalog: Catalog, decode: Decode) -> TaskOf:
    """Makes a task from a document's first request, in any state."""

    def make(number: str, **state: Any) -> Task:
        request = decode(number, next(iter(creates(number).values())).body)
        return Task(
            id=TASK_ID,
            customer_id="c",
            key_id="k",
            dialect=DIALECT[number],
            request=request,
            quote=quote(catalog[request.model].prices, request),
            created_at=1_780_000_000.0,
            **state,
        )

    return make


def finished(task_of: TaskOf, number: str) -> View:
    """A task of the document that has ended well, and its link."""
    clip = Asset(key="clip.mp4", size=1, sha256="", seconds=10.0, width=848, height=480)
    task = task_of(number, status="completed", progress=100, asset=clip)
    return View(task, link="https://gateway.example/v1/videos/x/content?signature=1")


def said(number: str, body: dict[str, Any]) -> str:
    """The prompt of a body, wherever the document puts it."""
    prompt: str = body["messages"][0]["content"][0]["text"] if number == "000" else body["prompt"]
    return prompt


def test_every_body_has_a_meaning() -> None:
    shown = [(number, name) for number in DOCUMENTS for name in creates(number)]
    assert sorted(MEANING) == sorted(shown)


@pytest.mark.parametrize(("number", "name"), MEANING)
def test_request(number: str, name: str, catalog: Catalog, decode: Decode) -> None:
    body = creates(number)[name].body or {}
    request = decode(number, body)
    expected = VideoRequest(
        model=body["model"],
        prompt=said(number, body),
        original=body,
        spoken=DIALECT[number],
        **MEANING[number, name],
    )
    assert expected == request
    fit(catalog[request.model], request)


# How the prompt of document 000 names its images once it is written for another API.
PLACES = {"newapi": "@image1 变成 @image2", "xai": "<IMAGE_0> 变成 <IMAGE_1>"}


def test_chat_images_are_named_for_an_upstream(decode: Decode) -> None:
    # No other API has words for a preset, so the request is written without one.
    request = msgspec.structs.replace(decode("000", creates("000")["chat"].body), preset="")
    prompts = {
        name: (DIALECTS[name].encode_request(request).body or {})["prompt"] for name in PLACES
    }
    assert prompts == PLACES


def test_every_status_answer_has_a_verdict() -> None:
    shown = [
        (number, name) for number in DOCUMENTS for name in answers(number) if name != "created"
    ]
    assert sorted(VERDICT) == sorted(shown)


@pytest.mark.parametrize(("number", "name"), VERDICT)
def test_answer(number: str, name: str) -> None:
    answer, expected = answers(number)[name], VERDICT[number, name]
    read = DIALECTS[DIALECT[number]].decode_task(200, answer)
    if "progress" not in answer.get("data", answer):  # then what we make of it is free
        read = msgspec.structs.replace(read, progress=expected.progress)
    assert expected == read


@pytest.mark.parametrize("number", ["002", "003", "004"])
def test_created_answer_is_read(number: str) -> None:
    created = answers(number)["created"]
    upstream_id = created.get("request_id") or created["task_id"]
    assert upstream_id == DIALECTS[DIALECT[number]].decode_created(created)


@pytest.mark.parametrize("number", ["002", "003", "004"])
def test_created_answer_is_written(number: str, task_of: TaskOf) -> None:
    reply = DIALECTS[DIALECT[number]].encode_created(View(task_of(number)))
    assert reply.status == 200
    assert shapes.lacking(answers(number)["created"], reply.body) == []
    fixed = ("object", "model", "status", "progress")
    expected = {key: value for key, value in answers(number)["created"].items() if key in fixed}
    assert expected == {key: reply.body[key] for key in expected}


@pytest.mark.parametrize(("number", "name"), VERDICT)
def test_status_answer_is_written(number: str, name: str, task_of: TaskOf) -> None:
    documented, verdict = answers(number)[name], VERDICT[number, name]
    if verdict.status == "completed":
        view = finished(task_of, number)
    else:
        task = task_of(
            number,
            status=verdict.status,
            progress=verdict.progress or 0,
            failure=verdict.failure,
        )
        view = View(task)
    reply = DIALECTS[DIALECT[number]].encode_task(view)
    assert (202 if name == "pending" else 200) == reply.status
    assert shapes.lacking(documented, reply.body) == []
    # Read back, our answer says what the document's says.
    read = DIALECTS[DIALECT[number]].decode_task(reply.status, reply.body)
    assert (verdict.status, verdict.failure, bool(verdict.url)) == (
        read.status,
        read.failure,
        bool(read.url),
    )


def test_stream_of_the_document_is_read() -> None:
    payloads = [
        frame if isinstance(frame, str) else json.dumps(frame) for frame in document("000").frames
    ]
    running = Chat().decode_events(payloads[:5])
    assert (running.status, running.progress) == ("in_progress", 19)
    done = Chat().decode_events(payloads)
    assert ("completed", 100) == (done.status, done.progress)
    assert frames.link(document("000").frames) == done.url


def test_stream_is_written_as_the_document_shows(task_of: TaskOf) -> None:
    view = finished(task_of, "000")
    stream = Chat().stream(view)
    steps = [stream.progress(percent) for percent in (1, 5, 47, 47, 30, 95)]
    written = b"".join([stream.opening(), *steps, stream.keep_alive(), stream.ending(view)])
    told = frames.read_frames(written.decode())
    assert frames.frame_shapes(document("000").frames) == frames.frame_shapes(told)
    assert frames.percentages(told) == [1, 5, 47, 95, 100]
    assert {view.task.request.model} == {chunk["model"] for chunk in frames.chunks(told)}
    assert view.link == frames.link(told)


def test_unfetchable_image_fails_in_the_documents_words(task_of: TaskOf) -> None:
    reason = answers("003")["failure"]["data"]["fail_reason"]
    failure = InputUnfetchable(reason).failure
    reply = DIALECTS["newapi"].encode_task(View(task_of("003", status="failed", failure=failure)))
    expected = answers("003")["failure"]["data"] | {"task_id": f"task_{TASK_ID}"}
    assert expected == {key: reply.body["data"][key] for key in expected}


def test_status_words_are_the_documents(task_of: TaskOf) -> None:
    newapi = DIALECTS["newapi"]
    read = {
        word: newapi.decode_task(200, {"code": "success", "data": {"status": word}}).status
        for word in rules("003")["running_statuses"]
    }
    assert {"queued", "in_progress"} >= set(read.values())
    spoken = {
        newapi.encode_task(View(task_of("003", status=status))).body["data"]["status"]
        for status in ("queued", "submitting", "in_progress", "unknown")
    }
    assert spoken <= set(rules("003")["running_statuses"])
