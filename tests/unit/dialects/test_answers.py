"""What upstreams answer, in every shape that relays have been seen to use."""

from __future__ import annotations

from typing import Any

import pytest

from filmgate.core.errors import (
    FilmgateError,
    InvalidRequest,
    NotSubmitted,
    SubmitUnknown,
    Unavailable,
)
from filmgate.core.task import Failure
from filmgate.core.upstream import Upstream
from filmgate.dialects.answers import read_id, read_refusal, read_task


@pytest.mark.parametrize(
    ("body", "upstream_id"),
    [
        ({"request_id": "r-1"}, "r-1"),
        ({"id": "task_1", "task_id": "task_1"}, "task_1"),
        ({"data": {"id": 12}}, "12"),
        ({"code": "success", "data": "task_1"}, "task_1"),
        ({"code": "success", "data": {"task_id": "t"}, "id": "x"}, "t"),
    ],
)
def test_id(body: Any, upstream_id: str) -> None:
    assert read_id(body) == upstream_id


@pytest.mark.parametrize(
    "body", [None, [], {}, {"id": ""}, {"id": True}, {"id": ".."}, {"id": "a/b"}, {"id": 1.5}]
)
def test_no_id(body: Any) -> None:
    with pytest.raises(SubmitUnknown):
        read_id(body)


MODERATED = Upstream(status="completed", progress=100, moderated=True)


@pytest.mark.parametrize(
    ("status", "body", "upstream"),
    [
        (202, None, Upstream(status="in_progress")),
        (
            200,
            {"data": {"status": "SUCCESS", "fail_reason": "https://x/y.mp4"}},
            Upstream(status="completed", progress=100, url="https://x/y.mp4"),
        ),
        (202, {"status": "pending", "progress": 7}, Upstream(status="in_progress", progress=7)),
        (200, {"status": "brewing"}, Upstream(status="in_progress")),
        (200, {"status": "NOT_START", "progress": "0%"}, Upstream(status="queued", progress=0)),
        (200, {"status": "running", "progress": 0.3}, Upstream(status="in_progress", progress=30)),
        (200, {"status": "running", "progress": 100}, Upstream(status="in_progress", progress=99)),
        (200, {"data": {"status": "SUCCESS"}}, Upstream(status="in_progress")),
        (
            200,
            {"status": "done", "video": {"url": "", "respect_moderation": False}},
            MODERATED,
        ),
        (400, {"code": "imagine:content-moderated", "error": "no"}, MODERATED),
        (
            200,
            {"status": "failed", "error": "odd", "usage": {"cost_in_usd_ticks": 5}},
            Upstream(
                status="failed",
                progress=100,
                failure=Failure("internal_error", "odd"),
                cost_ticks=5,
            ),
        ),
        (
            200,
            {"data": {"status": "FAILURE", "fail_reason": "Image URL could not be fetched: 404"}},
            Upstream(
                status="failed",
                progress=100,
                failure=Failure("invalid_argument", "Image URL could not be fetched: 404"),
            ),
        ),
        (
            404,
            {"code": "not-found", "error": "gone"},
            Upstream(status="failed", progress=100, failure=Failure("internal_error", "gone")),
        ),
    ],
)
def test_task(status: int, body: Any, upstream: Upstream) -> None:
    assert read_task(status, body) == upstream


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequest), (422, InvalidRequest), (429, NotSubmitted), (408, SubmitUnknown)]
    + [(500, SubmitUnknown), (529, SubmitUnknown), (401, Unavailable), (403, Unavailable)],
)
def test_refusal(status: int, kind: type[FilmgateError]) -> None:
    assert type(read_refusal(status, None, {})) is kind


@pytest.mark.parametrize(
    "body", [{"code": "c", "error": "odd"}, {"error": {"message": "odd"}}, {"error": "odd"}]
)
def test_three_error_shapes(body: Any) -> None:
    assert read_refusal(400, body, {}).message == "odd"


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("x", 1), ("", 1), ("1e9", 3600)])
def test_retry_after(header: str, seconds: float) -> None:
    refused = read_refusal(429, None, {"Retry-After": header})
    assert isinstance(refused, NotSubmitted)
    assert refused.retry_after == seconds


def test_an_upstreams_words_carry_no_secrets() -> None:
    message = f"bad key xai-abcdefgh1234 for data:image/png;base64,{'A' * 99}\n\nbye"
    assert read_refusal(400, {"error": message}, {}).message == "bad key [key] for data:… bye"
