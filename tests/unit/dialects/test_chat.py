"""Document 000, both ways."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from filmgate.core.catalog import Catalog
from filmgate.core.errors import InvalidRequest, Unavailable, UnknownModel
from filmgate.core.task import Failure
from filmgate.core.video import Media, VideoRequest
from filmgate.dialects.base import Call, View
from filmgate.dialects.chat import Chat, wants_stream

CHAT = Chat()
A, B = "https://example.com/a.png", "https://example.com/b.png"
IMAGE_SHAPE = "检测到图片尺寸特殊,请重新上传一张常规图片尺寸的图片生成即可"

# Document 000's last chunk.
USAGE = [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
    "input_tokens",
    "output_tokens",
    "input_tokens_details",
    "claude_cache_creation_5_m_tokens",
    "claude_cache_creation_1_h_tokens",
]


def read(catalog: Catalog, content: Any = "a boat", **body: Any) -> VideoRequest:
    plain = {
        "model": "grok-imagine-1.0-video",
        "messages": [{"role": "user", "content": content}],
    }
    return CHAT.decode(Call(body=plain | body), catalog)


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def test_defaults(catalog: Catalog) -> None:
    request = read(catalog)
    assert (request.seconds, request.aspect_ratio, request.resolution) == (6, "16:9", "480p")
    assert (request.prompt, request.preset, request.image) == ("a boat", "", None)


def test_parts_of_the_last_user_message(catalog: Catalog) -> None:
    request = read(
        catalog,
        messages=[
            {"role": "system", "content": "s"},
            {"role": "user", "content": [image("https://example.com/old.png")]},
            {"role": "assistant", "content": "done"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, image(A), image(B), "b"]},
        ],
    )
    assert request.prompt == "a\nb"
    assert request.references == (Media(url=A), Media(url=B))
    assert read(catalog, ["a", {"type": "image_url", "image_url": A}]).image == Media(url=A)


@pytest.mark.parametrize(
    ("model", "seconds", "resolution"),
    [
        ("grok-imagine-1.0-video", 5, "480p"),
        ("grok-imagine-1.0-video-hd", 5, "720p"),
        ("grok-imagine-1.0-video-10s", 10, "480p"),
        ("grok-imagine-1.0-video-30s-hd", 30, "720p"),
    ],
)
def test_the_model_selects(catalog: Catalog, model: str, seconds: int, resolution: str) -> None:
    config = {"video_length": 5, "resolution_name": "480p"}
    request = read(catalog, model=model, video_config=config)
    assert (seconds, resolution) == (request.seconds, request.resolution)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"content": "  "}, "empty_content"),
        ({"content": [image(A)]}, "empty_content"),
        ({"messages": []}, "empty_content"),
        ({"messages": {"role": "user"}}, "invalid_type"),
        ({"messages": ["a"]}, "invalid_type"),
        ({"content": 5}, "invalid_type"),
        ({"content": [{"type": "video_url"}]}, "invalid_type"),
        ({"video_config": "x"}, "invalid_type"),
        ({"video_config": {"aspect_ratio": "21:9"}}, "invalid_aspect_ratio"),
        ({"video_config": {"video_length": "99"}}, "invalid_video_length"),
        ({"video_config": {"video_length": "long"}}, "invalid_video_length"),
        ({"video_config": {"resolution_name": "4k"}}, "invalid_resolution"),
        ({"video_config": {"resolution_name": "1080p"}}, "invalid_resolution"),
        ({"video_config": {"preset": "wild"}}, "invalid_preset"),
        ({"stream": "perhaps"}, "invalid_type"),
    ],
)
def test_refusals(catalog: Catalog, fault: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(catalog, **fault)
    reply = CHAT.encode_error(refused.value)
    assert (reply.status, reply.body["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"aspect_ratio": "21:9"}, "invalid_aspect_ratio"),
        ({"aspect_ratio": 1.78}, "invalid_aspect_ratio"),
        ({"size": ["16:9"]}, "invalid_aspect_ratio"),
        ({"video_length": 99}, "invalid_video_length"),
        ({"videoLength": True}, "invalid_video_length"),
        ({"seconds": "long"}, "invalid_video_length"),
        ({"resolution_name": "4k"}, "invalid_resolution"),
        ({"resolution_name": 7.2}, "invalid_resolution"),
        ({"resolution": "1080p"}, "invalid_resolution"),
        ({"preset": "wild"}, "invalid_preset"),
        ({"preset": 5}, "invalid_preset"),
    ],
)
def test_a_setting_is_refused_by_name(catalog: Catalog, config: Any, code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(catalog, video_config=config)
    (name,) = config
    assert (code, f"video_config.{name}") == (refused.value.code, refused.value.param)
    assert refused.value.message.startswith(f"video_config.{name} must be ")


def test_refusals_list_what_the_model_takes(catalog: Catalog) -> None:
    def said(model: str, **config: Any) -> str:
        with pytest.raises(InvalidRequest) as refused:
            read(catalog, model=model, video_config=config)
        return refused.value.message

    assert "16:9, 9:16 for" in said("grok-video-1.5", aspect_ratio="wide")
    assert "1:1" not in said("grok-video-1.5", aspect_ratio="wide")
    assert "480p, 720p for" in said("grok-imagine-1.0-video", resolution_name="4k")
    assert "one of 720p for" in said("grok-imagine-1.0-video-hd", resolution_name="4k")


@pytest.mark.parametrize(("model", "most"), [("grok-imagine-1.0-video", 7), ("grok-video-1.5", 1)])
def test_too_many_images(catalog: Catalog, model: str, most: int) -> None:
    content = ["a", *(image(f"{A}?{n}") for n in range(most + 1))]
    with pytest.raises(InvalidRequest, match=f"at most {most} image") as refused:
        read(catalog, content, model=model)
    assert (refused.value.param, refused.value.code) == ("messages", "too_many_images")


def test_an_empty_image_part_is_none(catalog: Catalog) -> None:
    assert read(catalog, ["a", image(""), image(A)]).images == (Media(url=A),)


def test_user(catalog: Catalog) -> None:
    assert (read(catalog, user=5).user, read(catalog, user=[5]).user) == ("5", "")


def test_other_errors() -> None:
    assert CHAT.encode_error(UnknownModel("m")).status == 404
    assert CHAT.encode_error(Unavailable("Away.")).status == 503
    shape = CHAT.encode_error(InvalidRequest("odd", code="image_shape", param="image"))
    assert shape.body["error"]["message"] == IMAGE_SHAPE


@pytest.mark.parametrize(
    ("stream", "wanted"),
    [(None, True), (True, True), ("true", True), (1, True), (False, False), ("false", False)]
    + [(0, False)],
)
def test_stream_is_the_default(stream: Any, wanted: bool) -> None:
    assert wants_stream({"stream": stream}) is wanted
    assert wants_stream({}) is True


def events(sent: bytes) -> list[dict[str, Any]]:
    frames = sent.decode().split("\n\n")
    assert frames.pop() == ""
    payloads = [frame.removeprefix("data: ") for frame in frames]
    if payloads[-1] == "[DONE]":
        payloads.pop()
    return [msgspec.json.decode(payload) for payload in payloads]


def contents(chunks: list[dict[str, Any]]) -> list[str]:
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    return [choice["delta"]["content"] for choice in choices if "content" in choice["delta"]]


def test_stream_of_a_video(task_of: Any) -> None:
    stream = CHAT.stream(View(task_of()))
    sent = stream.opening() + b"".join(stream.progress(step) for step in (0, 5, 3, 5, 95, 100))
    sent += stream.ending(View(task_of(status="completed"), "https://x/y.mp4"))
    chunks = events(sent)
    steps = [f"正在生成视频中,当前进度{n}%\n" for n in (1, 5, 95, 99, 100)]
    assert contents(chunks) == ["", "<think>\n", *steps, "</think>\n", "https://x/y.mp4"]
    assert chunks[0]["id"] == "chatcmpl-c3d4e5f60718293a4b5c6d7e"
    assert {chunk["id"] for chunk in chunks[1:]} == {"0190a1b2-c3d4-e5f6-0718-293a4b5c6d7e"}
    assert chunks[-2]["choices"][0] == {
        "index": 0,
        "delta": {},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert chunks[-1]["choices"] == []
    assert list(chunks[-1]["usage"]) == USAGE
    assert sent.endswith(b"data: [DONE]\n\n")


def test_stream_of_a_failure(task_of: Any) -> None:
    failure = Failure("invalid_argument", "odd", reason="image_shape")
    stream = CHAT.stream(View(task_of()))
    stream.opening()
    sent = stream.ending(View(task_of(status="failed", failure=failure)))
    chunks = events(sent)
    assert contents(chunks) == ["</think>\n", IMAGE_SHAPE]
    assert chunks[2]["error"] == {
        "message": IMAGE_SHAPE,
        "type": "invalid_request_error",
        "param": None,
        "code": "image_shape",
    }
    assert chunks[3]["choices"][0]["finish_reason"] == "stop"
    assert sent.endswith(b"data: [DONE]\n\n")


def test_one_completion(task_of: Any) -> None:
    reply = CHAT.encode_task(View(task_of(status="completed"), "https://x/y.mp4"))
    assert (reply.status, reply.body["object"]) == (200, "chat.completion")
    choice = reply.body["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "https://x/y.mp4"}
    assert choice["finish_reason"] == "stop"
    failure = Failure("service_unavailable", "Busy.")
    failed = CHAT.encode_task(View(task_of(status="failed", failure=failure)))
    assert (failed.status, failed.body["error"]["message"]) == (422, "Busy.")


def test_a_replaced_image_leaves_the_rest(catalog: Catalog) -> None:
    config = {"video_length": "5", "future": 1}
    earlier = {"role": "system", "content": "s"}
    message = {"role": "user", "content": ["a", image(A)], "name": "n"}
    request = read(catalog, messages=[earlier, message], video_config=config, temperature=1)
    changed = msgspec.structs.replace(request, image=Media(url=B), seconds=6)
    assert CHAT.encode_request(changed).body == {
        "model": "grok-imagine-1.0-video",
        "messages": [
            earlier,
            {"role": "user", "content": [{"type": "text", "text": "a"}, image(B)], "name": "n"},
        ],
        "video_config": {"future": 1, "video_length": "6"},
        "temperature": 1,
        "stream": True,
    }


@pytest.mark.parametrize("content", ["[video](https://x/y.mp4)", '<video src="https://x/y.mp4">'])
def test_a_url_is_found_in_any_wrapping(content: str) -> None:
    chunk = {"choices": [{"delta": {"content": content}, "finish_reason": "stop"}]}
    assert CHAT.decode_events([msgspec.json.encode(chunk).decode()]).url == "https://x/y.mp4"


def test_streams_of_upstreams_that_fail() -> None:
    error = CHAT.decode_events(['{"error":{"message":"Busy.","code":"service_unavailable"}}'])
    assert (error.status, error.failure) == ("failed", Failure("service_unavailable", "Busy."))
    words = CHAT.decode_events(['{"choices":[{"delta":{"content":"Sorry."}}]}', "[DONE]"])
    assert words.failure == Failure("internal_error", "Sorry.")
    assert CHAT.decode_events(["nonsense", "5"]).status == "in_progress"
