"""Refusals in the caller's own dialect, before any money moves, for whatever is not right."""

import json
from typing import Any

import pytest

from tests.gateway import Gateway

PATHS = {
    "newapi": "/v1/video/generations",
    "xai": "/v1/videos/generations",
    "openai": "/v1/videos",
    "chat": "/v1/chat/completions",
}
FAIR: dict[str, dict[str, Any]] = {
    "newapi": {"model": "grok-image-video", "prompt": "p", "seconds": 1},
    "xai": {"model": "grok-imagine-video", "prompt": "p", "duration": 1},
    "openai": {"model": "grok-imagine-video", "prompt": "p", "seconds": "1"},
    "chat": {
        "model": "grok-imagine-1.0-video",
        "messages": [{"role": "user", "content": "p"}],
        "video_config": {"video_length": 1},
        "stream": False,
    },
}
each = pytest.mark.parametrize("dialect", PATHS)


def message(dialect: str, answer: Any) -> str:
    """The sentence for a person, where this dialect's clients look for it."""
    text = answer["error"] if dialect == "xai" else answer["error"]["message"]
    assert isinstance(text, str)
    assert text
    return text


@each
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b'{"model": "m", // a comment\n "prompt": "p"}',
        b"[1, 2]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b"model=x&prompt=y",
    ],
    ids=repr,
)
def test_a_body_that_is_no_json_object(gateway: Gateway, dialect: str, body: bytes) -> None:
    status, answer = gateway.call("POST", PATHS[dialect], body)
    assert status == 400
    assert "JSON" in message(dialect, answer)


@each
@pytest.mark.parametrize("credential", ["", "sk-wrong", "Bearer", "x" * 5000])
def test_no_key_or_a_wrong_one(gateway: Gateway, dialect: str, credential: str) -> None:
    status, answer = gateway.call("POST", PATHS[dialect], FAIR[dialect], key=credential)
    assert status == 401
    assert "Authorization: Bearer" in message(dialect, answer)


@each
@pytest.mark.parametrize("value", [5, True, None, [], {}, [[1]], {"a": {"b": 1}}, 1e300, "x" * 300])
@pytest.mark.parametrize("field", ["model", "seconds", "duration", "image", "messages", "prompt"])
def test_a_field_of_a_wrong_type_never_breaks_the_server(
    gateway: Gateway, dialect: str, field: str, value: Any
) -> None:
    # Without a model nothing can be bought, whatever else is accepted.
    body = {**FAIR[dialect], "model": "no-such-model", field: value or [field]}
    status, answer = gateway.call("POST", PATHS[dialect], body)
    assert status in {400, 404, 422}
    message(dialect, answer)


@each
def test_a_prompt_of_ten_megabytes(gateway: Gateway, dialect: str) -> None:
    text = "x" * 10_000_000
    body = {**FAIR[dialect], "prompt": text, "messages": [{"role": "user", "content": text}]}
    status, answer = gateway.call("POST", PATHS[dialect], body)
    assert status == 400
    assert "too long" in message(dialect, answer)


@each
def test_a_body_beyond_any_honest_size(gateway: Gateway, dialect: str) -> None:
    status, data, _ = gateway.raw(
        "POST", PATHS[dialect], b" " * 10, headers={"Content-Length": str(200 << 20)}
    )
    assert status == 413
    assert "larger than" in message(dialect, json.loads(data))


@each
def test_no_balance(gateway: Gateway, dialect: str) -> None:
    poor = gateway.new_key(f"poor-{dialect}")
    status, answer = gateway.call("POST", PATHS[dialect], FAIR[dialect], key=poor)
    assert status == 403
    assert "balance" in message(dialect, answer).lower()


@each
def test_a_model_that_the_key_may_not_use(gateway: Gateway, dialect: str) -> None:
    narrow = gateway.new_key("narrow", "5", "--model", "grok-video-1.5")
    status, answer = gateway.call("POST", PATHS[dialect], FAIR[dialect], key=narrow)
    assert status == 403
    assert FAIR[dialect]["model"] in message(dialect, answer)
    status, answer = gateway.call("GET", "/v1/models", key=narrow)
    assert (status, [model["id"] for model in answer["data"]]) == (200, ["grok-video-1.5"])
    status, _ = gateway.call("GET", f"/v1/models/{FAIR[dialect]['model']}", key=narrow)
    assert status == 404


@pytest.mark.parametrize(
    ("method", "path", "dialect", "status"),
    [
        ("GET", "/v1/nothing", "openai", 404),
        ("POST", "/v1/video/other", "newapi", 404),
        ("GET", "/grok/v1/other", "xai", 404),
        ("POST", "/v1/chat/other", "chat", 404),
        ("GET", "/", "openai", 404),
        ("PUT", "/v1/videos/generations", "xai", 405),
        ("DELETE", "/v1/video/generations", "newapi", 405),
        ("GET", "/v1/chat/completions", "chat", 405),
        ("PATCH", "/v1/videos", "openai", 405),
    ],
)
def test_unknown_routes_and_wrong_methods(
    gateway: Gateway, method: str, path: str, dialect: str, status: int
) -> None:
    answered, data, headers = gateway.raw(method, path)
    assert answered == status
    message(dialect, json.loads(data))
    assert headers["x-request-id"].startswith("req_")
    if status == 405:
        assert headers["allow"]


ID = "0" * 32


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/video/generations/{}", "newapi"),
        ("/v1/videos/{}", "openai"),
        ("/grok/v1/videos/{}", "xai"),
        ("/v1/videos/{}/content", "openai"),
    ],
)
def test_a_foreign_task_looks_like_an_absent_one(gateway: Gateway, path: str, dialect: str) -> None:
    mine = gateway.create()
    stranger = gateway.new_key("stranger")
    foreign = gateway.call("GET", path.format(mine), key=stranger)
    absent = gateway.call("GET", path.format(f"task_{ID}"), key=stranger)
    assert foreign == absent
    assert foreign[0] == 404
    message(dialect, foreign[1])
    status, _ = gateway.call("GET", path.format(mine), key="")
    assert status == 401


def test_a_form_where_xai_takes_none(gateway: Gateway) -> None:
    status, data, _ = gateway.raw(
        "POST",
        PATHS["xai"],
        b"--b\r\n\r\n--b--",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert status == 415
    assert "JSON" in message("xai", json.loads(data))


def test_nothing_was_charged_for_any_of_this(gateway: Gateway) -> None:
    """A refused create leaves neither a task nor a hold."""
    key = gateway.new_key("frugal", "0.04")
    for dialect, path in PATHS.items():
        assert gateway.call("POST", path, FAIR[dialect], key=key)[0] == 403
        assert gateway.call("POST", path, b"{", key=key)[0] == 400
    # What is left still buys exactly what it could buy before: nothing, and after a top-up, one.
    key = gateway.new_key("frugal", "0.01")
    assert gateway.call("POST", PATHS["xai"], FAIR["xai"], key=key)[0] == 200
    assert gateway.call("POST", PATHS["xai"], FAIR["xai"], key=key)[0] == 403
