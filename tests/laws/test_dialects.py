"""Laws that every dialect keeps: nothing is lost on the way, and nothing crashes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from filmgate.core import errors
from filmgate.core.errors import FilmgateError, Inexpressible
from filmgate.core.task import Failure
from filmgate.core.video import VideoRequest
from filmgate.dialects.base import Call, Dialect, View
from filmgate.dialects.chat import Chat
from filmgate.dialects.placeholders import placeholders
from filmgate.dialects.registry import DIALECTS
from tests.laws.requests import CATALOG, IMAGES, REQUESTS, views

each_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
# Requests that a dialect has no words for are skipped, which is many for the narrow ones.
laws = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def written(dialect: Dialect, request: VideoRequest) -> dict[str, Any]:
    """The body as an upstream would receive it."""
    try:
        body = dialect.encode_request(request).body
    except Inexpressible:
        assume(False)
    return msgspec.json.decode(msgspec.json.encode(body), type=dict[str, Any])


def meaning(request: VideoRequest) -> VideoRequest:
    """A request but for its wording."""
    prompt = placeholders(request.prompt)
    return msgspec.structs.replace(request, prompt=prompt, original={}, spoken="")


@each_dialect
@laws
@given(request=REQUESTS)
def test_what_is_written_is_read_back(dialect: Dialect, request: VideoRequest) -> None:
    body = written(dialect, request)
    read = dialect.decode(Call(operation=request.operation, body=body), CATALOG)
    assert meaning(request) == meaning(read)


@each_dialect
@laws
@given(request=REQUESTS, extra=st.dictionaries(st.from_regex(r"x_[a-z]{3}\Z"), st.integers()))
def test_unknown_words_travel(
    dialect: Dialect, request: VideoRequest, extra: dict[str, int]
) -> None:
    body = written(dialect, request) | extra
    if isinstance(body.get("video_config"), dict):
        body["video_config"] |= extra
    read = dialect.decode(Call(operation=request.operation, body=body), CATALOG)
    assert body == written(dialect, read)


@each_dialect
@laws
@given(request=REQUESTS, image=IMAGES)
def test_only_what_changed_is_rewritten(
    dialect: Dialect, request: VideoRequest, image: object
) -> None:
    assume(request.image and request.image != image)
    body = written(dialect, request) | {"x_future": [1, {"a": None}]}
    read = dialect.decode(Call(body=body), CATALOG)
    changed = msgspec.structs.replace(read, model="theirs", image=image)
    passed = written(dialect, changed)
    fields = {"image", "image_urls", "input_reference", "messages"}
    assert {"model", *(fields & set(body))} == {name for name in body if body[name] != passed[name]}
    again = dialect.decode(Call(body=passed | {"model": request.model}), CATALOG)
    assert image == again.image


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "chat"])
@laws
@given(view=views())
def test_a_task_is_told_as_it_is(name: str, view: View) -> None:
    dialect, task = DIALECTS[name], view.task
    reply = dialect.encode_task(view)
    read = dialect.decode_task(reply.status, reply.body)
    if not task.final:
        assert read.status in ("queued", "in_progress")
        assert read.progress == min(task.progress, 99)
        return
    withheld = task.moderated and name != "xai"  # only xAI tells the two apart
    failed = task.status != "completed" or withheld
    assert read.status == ("failed" if failed else "completed")
    assert (read.failure is None) is not failed
    if task.failure and read.failure:
        told = (
            task.failure if name != "newapi" else Failure(read.failure.code, task.failure.message)
        )
        assert " ".join(told.message.split()) == read.failure.message
        assert told.code == read.failure.code
    if name == "xai" and not failed:
        assert task.moderated is read.moderated
        assert task.charged * 10**4 == read.cost_ticks
    if name != "openai" and not failed:
        assert view.link == read.url


@laws
@given(view=views(), steps=st.lists(st.integers(-5, 120)))
def test_a_stream_is_told_as_it_is(view: View, steps: list[int]) -> None:
    assume(view.task.final)
    chat = Chat()
    stream = chat.stream(view)
    sent = stream.opening() + b"".join(stream.progress(step) for step in steps)
    before = [event.removeprefix("data: ") for event in sent.decode().split("\n\n") if event]
    assert chat.decode_events(before).progress == min(99, max([1, *steps]))
    after = stream.ending(view).decode().split("\n\n")
    read = chat.decode_events([*before, *(event.removeprefix("data: ") for event in after)])
    assert (read.status == "completed") is (
        view.task.status == "completed" and not view.task.moderated
    )
    assert view.link == read.url


def kinds(root: type[FilmgateError] = FilmgateError) -> list[type[FilmgateError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


MADE: dict[type[FilmgateError], FilmgateError] = {
    errors.Inexpressible: errors.Inexpressible("xai", "preset"),
    errors.NotFound: errors.NotFound("task", "No such task."),
    errors.TaskFailed: errors.TaskFailed(Failure("internal_error", "No.")),
    errors.RequestRefused: errors.RequestRefused(Failure("invalid_argument", "No.")),
    errors.MethodNotAllowed: errors.MethodNotAllowed("Use GET.", ("GET", "HEAD")),
}
STATUS = {
    errors.Unauthenticated: {401},
    errors.Forbidden: {403},
    errors.InsufficientBalance: {403},
    errors.NotFound: {404},
    errors.UnknownModel: {400, 404},
    errors.MethodNotAllowed: {405},
    errors.BodyTooLarge: {413},
    errors.UnsupportedMedia: {415},
    errors.RateLimited: {429},
    errors.Unavailable: {503},
    errors.NotSubmitted: {502, 503},
    errors.SendAgainHere: {502, 503},
    errors.CredentialsRefused: {502, 503},
    errors.RequestRefused: {502, 503},
    errors.StillRunning: {502, 503},
    errors.SubmitUnknown: {500},
    errors.ObjectMissing: {500},
    errors.TaskFailed: {500},
    FilmgateError: {500},
}


@each_dialect
@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_error_has_words(dialect: Dialect, kind: type[FilmgateError]) -> None:
    error = MADE.get(kind) or kind("words")
    reply = dialect.encode_error(error)
    message = reply.body["error"]
    message = message if isinstance(message, str) else message["message"]
    assert message.strip()
    assert reply.status in STATUS.get(kind, {400})
    assert ("Retry-After" in reply.headers) is (reply.status in (429, 502, 503))
    assert reply.headers.get("Allow") == ("GET, HEAD" if reply.status == 405 else None)
    assert msgspec.json.encode(reply.body)


KNOWN = [
    "model",
    "prompt",
    "seconds",
    "duration",
    "size",
    "aspect_ratio",
    "aspectRatio",
    "resolution",
    "image",
    "images",
    "image_urls",
    "imageUrls",
    "input_reference",
    "input_reference[image_url]",
    "reference_images",
    "reference_images[][url]",
    "video",
    "video[id]",
    "video_url",
    "last_frame",
    "keyframes",
    "reference_audios",
    "generate_audio",
    "seed",
    "user",
    "messages",
    "video_config",
    "stream",
    "metadata",
]
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.just(10**400),
        st.floats(),
        st.text(),
        st.sampled_from(
            ["6", "16:9", "720p", "1280x720", "0x0", "1e400", "grok-image-video", "\ud800"]
            + ["grok-imagine-1.0-video", "https://a/b.png", "user", "normal", "a prompt"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["url", "image_url", "id", "role", "content", "type", "text", "seconds", "size"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from([*(model.name for model in CATALOG), "?"]),
        "prompt": st.text(max_size=5),
        "messages": st.lists(
            st.fixed_dictionaries({"role": st.just("user"), "content": VALUES}), max_size=2
        ),
        "video_config": st.dictionaries(
            st.sampled_from(["video_length", "aspect_ratio", "resolution_name", "preset"]), VALUES
        ),
    },
)


@each_dialect
@laws
@given(
    asked=ASKED,
    rest=st.dictionaries(st.sampled_from(KNOWN), VALUES, max_size=4),
    operation=st.sampled_from(["generate", "edit", "extend"]),
)
def test_any_body_is_read_or_refused(
    dialect: Dialect, asked: dict[str, Any], rest: dict[str, Any], operation: Any
) -> None:
    try:
        read = dialect.decode(Call(operation=operation, body=rest | asked), CATALOG)
    except FilmgateError as error:
        msgspec.json.encode(dialect.encode_error(error).body)
        return
    with suppress(Inexpressible):
        body = dialect.encode_request(read).body or {}
        again = dialect.decode(Call(operation=read.operation, body=body), CATALOG)
        assert meaning(read) == meaning(again)


@each_dialect
@laws
@given(
    status=st.sampled_from([200, 201, 202, 400, 401, 404, 408, 410, 429, 500, 529]),
    body=st.one_of(
        VALUES,
        st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "request_id",
                    "task_id",
                    "data",
                    "status",
                    "progress",
                    "url",
                    "video",
                    "error",
                    "code",
                    "message",
                    "usage",
                    "choices",
                    "fail_reason",
                    "duration",
                ]
            ),
            st.one_of(VALUES, st.sampled_from(["done", "SUCCESS", "failed", "30%"])),
        ),
    ),
    retry=st.text(),
)
def test_any_answer_is_read(dialect: Dialect, status: int, body: Any, retry: str) -> None:
    dialect.decode_task(status, body)
    refused = dialect.decode_error(status, body, {"retry-after": retry})
    assert isinstance(refused, FilmgateError)
    with suppress(errors.SubmitUnknown):
        assert dialect.decode_created(body)
