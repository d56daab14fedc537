"""Reads chat streams as document 000 shows them: frames, what they say, the progress they tell."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.contract.shapes import shape

Frame = dict[str, Any] | str  # a chunk, or the closing [DONE]
_PERCENT = re.compile(r"\d+(?=%)")


def read_frames(stream: str) -> list[Frame]:
    """The payloads of a stream's ``data:`` lines, in order; comments are passed over."""
    payloads = [line[6:] for line in stream.splitlines() if line.startswith("data: ")]
    return [json.loads(text) if text.startswith("{") else text for text in payloads]


def chunks(frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """The frames that are JSON."""
    return [frame for frame in frames if isinstance(frame, dict)]


def contents(frames: Sequence[Frame]) -> list[str]:
    """The pieces of text that the frames say, in order."""
    deltas = [choice["delta"] for chunk in chunks(frames) for choice in chunk["choices"]]
    return [delta["content"] for delta in deltas if "content" in delta]


def link(frames: Sequence[Frame]) -> str:
    """The video's address."""
    (address,) = (text for text in contents(frames) if text.startswith("http"))
    return address


def percentages(frames: Sequence[Frame]) -> list[int]:
    """The progress that the frames tell, in order."""
    said = (text for text in contents(frames) if not text.startswith("http"))
    return [int(number) for text in said for number in _PERCENT.findall(text)]


def frame_shapes(frames: Sequence[Frame]) -> list[str]:
    """The frames' shapes as JSON text; equal neighbours (progress) count once.

    What a frame says is kept but for numbers and the address, so that the streams of two videos
    have equal shapes exactly when they say the same things in the same form and order.
    """
    shapes: list[str] = []
    for frame in frames:
        text = json.dumps(_form(frame), ensure_ascii=False)
        if text not in shapes[-1:]:
            shapes.append(text)
    return shapes


def _form(frame: Frame) -> Any:
    if isinstance(frame, str):
        return frame
    form = shape(frame)
    for choice, said in zip(form["choices"], frame["choices"], strict=True):
        if "content" in said["delta"]:
            choice["delta"]["content"] = _wording(said["delta"]["content"])
    return form


def _wording(content: str) -> str:
    return "URL" if content.startswith("http") else _PERCENT.sub("N", content)
