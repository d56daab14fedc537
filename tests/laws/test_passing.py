"""Same API on both sides: an upstream's answer travels but for the fields on this list."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from filmgate.core.pricing import Prices, Quote
from filmgate.core.task import Asset, Failure, Task
from filmgate.core.video import VideoRequest
from filmgate.dialects.base import View
from filmgate.dialects.registry import DIALECTS

LINK = "https://gate.example/v1/videos/x/content?signature=s"
THEIR_LINK = "https://vidgen.upstream.example/secret/video.mp4"
UNKNOWN = {"x_new": [1, {"deep": None}], "x_word": "二"}

# What the upstream answered, and which of its fields a caller does not get as they were.
DONE: dict[str, tuple[dict[str, Any], set[str]]] = {
    "xai": (
        {
            "status": "done",
            "progress": 100,
            "model": "their-model",
            "video": {
                "url": THEIR_LINK,
                "duration": 6,
                "respect_moderation": True,
                **UNKNOWN,
            },
            "usage": {"cost_in_usd_ticks": 999, "x_tokens": 5},
            **UNKNOWN,
        },
        {"model", "video.url", "usage.cost_in_usd_ticks"},
    ),
    "newapi": (
        {
            "code": "success",
            "message": "",
            "data": {
                "task_id": "task_theirs",
                "status": "SUCCESS",
                "progress": "100%",
                "result_url": THEIR_LINK,
                "fail_reason": "",
                "channel_id": 7,
                "user_id": 9,
                "group": "vip",
                "quota": 12345,
                "submit_time": 1780000000,
                **UNKNOWN,
            },
            **UNKNOWN,
        },
        {
            *("data.task_id", "data.result_url"),
            *("data.channel_id", "data.user_id", "data.group", "data.quota"),
        },
    ),
    "openai": (
        {
            "id": "video_theirs",
            "object": "video",
            "created_at": 1,
            "completed_at": 2,
            "expires_at": None,
            "status": "completed",
            "progress": 100,
            "model": "their-model",
            "prompt": "p",
            "seconds": "6",
            "size": "854x480",
            "remixed_from_video_id": None,
            "error": None,
            "url": THEIR_LINK,
            **UNKNOWN,
        },
        {"id", "model", "created_at", "completed_at", "url"},
    ),
}


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every value of a JSON object that is no object itself, by its path."""
    if not isinstance(value, dict):
        return {path: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= leaves(inner, f"{path}.{key}" if path else key)
    return found


def task(dialect: str, answer: dict[str, Any], **fields: Any) -> Task:
    given: dict[str, Any] = {
        "status": "completed",
        "asset": Asset(key="k", seconds=6.0, width=854, height=480),
        "charged": 300_000,
        "finished_at": 1_780_000_100.0,
    }
    return Task(
        id="0" * 32,
        customer_id="c",
        key_id="k",
        dialect=dialect,
        request=VideoRequest(model="our-model", prompt="p", seconds=6),
        quote=Quote(hold=300_000, prices=Prices(per_second={})),
        progress=100,
        created_at=1_780_000_000.0,
        answer=answer,
        **given | fields,
    )


@pytest.mark.parametrize("dialect", DONE)
def test_only_the_fields_on_the_list_differ(dialect: str) -> None:
    theirs, listed = DONE[dialect]
    told = DIALECTS[dialect].encode_task(View(task(dialect, theirs), LINK)).body
    before, after = leaves(theirs), leaves(told)
    assert {path for path in before | after if before.get(path) != after.get(path)} == listed
    assert THEIR_LINK not in msgspec.json.encode(told).decode()


@pytest.mark.parametrize("dialect", DONE)
def test_an_answer_of_another_dialect_does_not_travel(dialect: str) -> None:
    theirs, _ = DONE[dialect]
    other = next(name for name in DONE if name != dialect)
    plain = DIALECTS[other].encode_task(View(task(other, theirs), LINK)).body
    made_there = task(dialect, theirs)
    assert "x_new" in leaves(plain) or "data.x_new" in leaves(plain)
    told = DIALECTS[other].encode_task(View(made_there, LINK)).body
    assert not [path for path in leaves(told) if "x_" in path]


def test_a_failure_keeps_the_upstreams_words_and_fields() -> None:
    theirs = {
        "status": "failed",
        "model": "their-model",
        "error": {"code": "invalid_argument", "message": "too bold", "x_rule": 7},
    }
    failure = Failure("invalid_argument", "too bold")
    failed = task("xai", theirs, status="failed", failure=failure, asset=None, charged=0)
    told = DIALECTS["xai"].encode_task(View(failed)).body
    assert told == {"status": "failed", "error": theirs["error"]}


def test_an_answer_of_odd_shapes_never_breaks_the_poll() -> None:
    for odd in ({}, {"data": None}, {"data": [1]}, {"video": "x"}, {"usage": 5}):
        for dialect in DONE:
            assert DIALECTS[dialect].encode_task(View(task(dialect, odd), LINK)).status == 200
