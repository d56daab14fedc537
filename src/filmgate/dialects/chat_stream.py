"""The answers of the chat dialect: its event stream in document 000's chunks, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from filmgate.core import ids
from filmgate.core.task import Failure
from filmgate.core.upstream import Upstream
from filmgate.dialects import answers, results
from filmgate.dialects.base import View

_PROGRESS = re.compile(r"(?:进度|progress)\D{0,4}(\d{1,3})\s*%", re.IGNORECASE)
_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_URL = re.compile(r"https?://[^\s\"'<>()\[\]]+", re.IGNORECASE)
_LAST = 100
# For an image of proportions that the model cannot take (document 000).
_IMAGE_SHAPE = "检测到图片尺寸特殊,请重新上传一张常规图片尺寸的图片生成即可"


class ChatStream:
    """Writes one task's stream.

    Every id comes from the task's, so the same task is always streamed in the same words.
    """

    def __init__(self, view: View) -> None:
        self._task = view.task
        self._shown = 0

    def opening(self) -> bytes:
        """The role, then the thinking that holds the progress lines, which begin at 1%."""
        role = self._chunk(
            {"role": "assistant", "content": ""}, chunk_id=completion_id(self._task.id)
        )
        return role + self._content("<think>\n") + self._step(1)

    def progress(self, percent: int) -> bytes:
        """One line of progress; 100% is kept for the end."""
        return self._step(min(percent, _LAST - 1))

    def ending(self, view: View) -> bytes:
        """The URL, or why there is none with an ``error`` object for programs; then ``[DONE]``."""
        problem = results.problem(view)
        if problem is None:
            return (
                self._step(_LAST)
                + self._content("</think>\n")
                + self._content(view.link)
                + self._chunk({}, finish="stop")
                + self._event({"choices": [], "usage": usage(view)})
                + b"data: [DONE]\n\n"
            )
        return (
            self._content("</think>\n")
            + self._content(told(problem.reason, problem.message))
            + self._chunk({}, error=error_object(problem))
            + self._chunk({}, finish="stop")
            + b"data: [DONE]\n\n"
        )

    def keep_alive(self) -> bytes:
        """A comment, which event-stream readers skip."""
        return b": keep-alive\n\n"

    def _step(self, percent: int) -> bytes:
        if percent <= self._shown:
            return b""
        self._shown = percent
        return self._content(f"正在生成视频中,当前进度{percent}%\n")

    def _content(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def _chunk(
        self,
        delta: dict[str, str],
        *,
        finish: str | None = None,
        error: dict[str, Any] | None = None,
        chunk_id: str = "",
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        rest: dict[str, Any] = {"choices": [choice]}
        return self._event(rest | ({"error": error} if error else {}), chunk_id)

    def _event(self, rest: dict[str, Any], chunk_id: str = "") -> bytes:
        body = {
            "id": chunk_id or ids.as_uuid(self._task.id),
            "object": "chat.completion.chunk",
            "created": int(self._task.created_at),
            "model": self._task.request.model,
            "system_fingerprint": "",
        }
        return b"data: " + msgspec.json.encode(body | rest) + b"\n\n"


def completion_id(task_id: str) -> str:
    """``chatcmpl-`` and 24 hex digits."""
    return f"chatcmpl-{task_id[-24:]}"


def completion(view: View) -> dict[str, Any]:
    """An unstreamed answer; its content is the URL, or the progress until there is one."""
    task = view.task
    content = view.link if task.final else f"正在生成视频中,当前进度{results.percent(view)}%\n"
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content},
        "logprobs": None,
        "finish_reason": "stop" if task.final else None,
    }
    return {
        "id": completion_id(task.id),
        "object": "chat.completion",
        "created": int(task.created_at),
        "model": task.request.model,
        "system_fingerprint": "",
        "choices": [choice],
        "usage": usage(view),
    }


def usage(view: View) -> dict[str, Any]:
    """Document 000's usage object. Videos are not billed by tokens: four bytes count as one."""
    given, made = (len(text.encode()) // 4 for text in (view.task.request.prompt, view.link))
    return {
        "prompt_tokens": given,
        "completion_tokens": made,
        "total_tokens": given + made,
        "prompt_tokens_details": {
            "cached_tokens": 0,
            "text_tokens": 0,
            "audio_tokens": 0,
            "image_tokens": 0,
        },
        "completion_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "reasoning_tokens": 0},
        "input_tokens": 0,
        "output_tokens": 0,
        "input_tokens_details": None,
        "claude_cache_creation_5_m_tokens": 0,
        "claude_cache_creation_1_h_tokens": 0,
    }


def told(code: str, message: str) -> str:
    """What a chat caller is told: document 000 fixes the words of one case."""
    return _IMAGE_SHAPE if code == "image_shape" else message


def error_object(failure: Failure) -> dict[str, Any]:
    """OpenAI's error object for a task that ended badly."""
    kind = "invalid_request_error" if failure.code == "invalid_argument" else "server_error"
    code = failure.reason or failure.code
    return {"message": told(code, failure.message), "type": kind, "param": None, "code": code}


def read_events(events: Iterable[str]) -> Upstream:
    """What an upstream's stream has said so far, from its ``data:`` payloads in order.

    Finished once it stops or says ``[DONE]``: with a URL it is done, without one its words are why
    not. Payloads that are not JSON are skipped.
    """
    text, ended = "", False
    for event in events:
        if event.strip() == "[DONE]":
            ended = True
            continue
        try:
            chunk = msgspec.json.decode(event)
        except (msgspec.DecodeError, RecursionError):
            continue
        if not isinstance(chunk, dict):
            continue
        if chunk.get("error"):
            return answers.read_task(200, chunk | {"status": "failed"})
        content, stopped = _delta(chunk, "delta")
        text += content
        ended = ended or stopped
    return _read_text(text, ended)


def read_completion(status: int, body: Any) -> Upstream:
    """An unstreamed completion, or the error in its place."""
    if status >= 400 or not isinstance(body, dict) or body.get("error"):
        failed = {"status": "failed"} if isinstance(body, dict) and body.get("error") else {}
        return answers.read_task(status, body | failed if isinstance(body, dict) else body)
    text, stopped = _delta(body, "message")
    return _read_text(text, stopped)


def _delta(chunk: dict[str, Any], name: str) -> tuple[str, bool]:
    """A chunk's text and whether it stops the stream."""
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return "", False
    part = choice.get(name)
    content = part.get("content") if isinstance(part, dict) else None
    return content if isinstance(content, str) else "", bool(choice.get("finish_reason"))


def _read_text(text: str, ended: bool) -> Upstream:
    said = _THINKING.sub("", text).strip()
    if not ended:
        steps = _PROGRESS.findall(text)
        return Upstream(status="in_progress", progress=min(int(steps[-1]), 99) if steps else None)
    if match := _URL.search(said):
        return Upstream(status="completed", progress=100, url=match[0])
    message = answers.error_text({"message": said}) or "The upstream ended without a video."
    failure = Failure(code="internal_error", message=message)
    return Upstream(status="failed", progress=100, failure=failure)
