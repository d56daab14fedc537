"""Reads what upstreams answer, whichever dialect's words they chose: ids, task states, refusals.

Relays mix one another's shapes, so one liberal reader serves all dialects (contracts, section 9).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from filmgate.core.errors import (
    FilmgateError,
    InvalidRequest,
    NotSubmitted,
    SubmitUnknown,
    Unavailable,
)
from filmgate.core.task import FAILURE_CODES, Failure, FailureCode
from filmgate.core.upstream import Upstream

Word = Literal["queued", "in_progress", "completed", "failed"]

_WORDS: dict[Word, str] = {
    "queued": "queued submitted not_start waiting created",
    "completed": "completed complete done success succeeded succeed finished",
    "failed": "failed failure fail error cancelled canceled expired rejected",
}
_STATUS = {word: status for status, words in _WORDS.items() for word in words.split()}
_ID = re.compile(r"(?!\.+$)[\w.:=-]{1,200}", re.ASCII)
_DATA_URL = re.compile(r"data:[^\s\"']{64,}")
_KEY = re.compile(r"\b(?:sk|xai)-[\w-]{8,}", re.ASCII)
_MODERATED = "content-moderated"
_UNFETCHED = "could not be fetched"


class ReadsAnswers:
    """The upstream side that dialects share; one that differs overrides a method."""

    def decode_created(self, body: Any) -> str:
        """The new task's id. Raises ``SubmitUnknown``."""
        return read_id(body)

    def decode_task(self, status: int, body: Any) -> Upstream:
        """Read a poll; an empty 202 is pending."""
        return read_task(status, body)

    def decode_error(self, status: int, body: Any, headers: Mapping[str, str]) -> FilmgateError:
        """Read a refused submit."""
        return read_refusal(status, body, headers)


def read_id(body: Any) -> str:
    """The new task's id: ``request_id``, ``task_id`` or ``id``, in the body or in its ``data``.

    Raises ``SubmitUnknown`` when there is none that could stand in a path.
    """
    for place in _places(body):
        for name in ("request_id", "task_id", "id"):
            if found := _identifier(place.get(name)):
                return found
    # Older relays answer {"code": "success", "data": "<id>"}.
    if isinstance(body, dict) and (found := _identifier(body.get("data"))):
        return found
    raise SubmitUnknown("The upstream took the request but its answer names no task.")


def _identifier(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = f"{value:d}" if isinstance(value, int) and 0 <= value < 2**64 else value
    return text if isinstance(text, str) and _ID.fullmatch(text) else ""


def _places(body: Any) -> Iterator[dict[str, Any]]:
    """Where an answer may keep its fields: ``data`` first, then the body itself."""
    if isinstance(body, dict):
        if isinstance(body.get("data"), dict):
            yield body["data"]
        yield body


def read_task(status: int, body: Any, content: str = "") -> Upstream:
    """A task's state from a poll's answer.

    202, an unknown status word, or a finished task without a URL is still running; 400 with
    ``imagine:content-moderated`` is a moderated result; 400, 404 and 410 are final. ``content`` is
    the path of the clip where the API keeps it beside the task instead of naming its URL; a
    ``url`` that begins with ``/`` is below the upstream's base URL.
    """
    places = list(_places(body))
    cost = _cost(places)
    if status >= 400:
        failure = _failure(body, "The upstream no longer knows this task.")
        if _MODERATED in _error_code(body):
            return Upstream(status="completed", progress=100, moderated=True, cost_ticks=cost)
        return Upstream(status="failed", progress=100, failure=failure, cost_ticks=cost)
    word = _word(places)
    videos = [place["video"] for place in places if isinstance(place.get("video"), dict)]
    moderated = any(video.get("respect_moderation") is False for video in videos)
    url = _url([*videos, *places]) or content
    seconds = _number(next(_named([*videos, *places], "duration", "seconds"), None))
    if word == "failed":
        failure = _failure(body, "The upstream could not make the video.")
        moderated = moderated or _MODERATED in _error_code(body)
        if moderated:
            return Upstream(status="completed", progress=100, moderated=True, cost_ticks=cost)
        return Upstream(status="failed", progress=100, failure=failure, cost_ticks=cost)
    if word == "completed" and (url or moderated):
        return Upstream(
            status="completed",
            progress=100,
            url="" if moderated else url,
            seconds=seconds,
            moderated=moderated,
            cost_ticks=cost,
        )
    running: Word = "queued" if word == "queued" else "in_progress"
    return Upstream(status=running, progress=_progress(places), cost_ticks=cost)


def _word(places: list[dict[str, Any]]) -> Word:
    for value in _named(places, "status", "task_status", "state"):
        if isinstance(value, str):
            return _STATUS.get(value.strip().lower(), "in_progress")
    return "in_progress"


def _named(places: list[dict[str, Any]], *names: str) -> Iterator[Any]:
    for place in places:
        for name in names:
            if place.get(name) not in (None, ""):
                yield place[name]


def _url(places: list[dict[str, Any]]) -> str:
    # Older new-api relays put the finished clip's URL into fail_reason.
    names = ("url", "result_url", "video_url", "download_url", "video", "fail_reason")
    for value in _named(places, *names):
        if isinstance(value, str) and re.match(r"(?:https?:/)?/\S", value, re.IGNORECASE):
            return value
    return ""


def _number(value: Any) -> float | None:
    """A length in seconds, or ``None`` for what is not a sane one."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _progress(places: list[dict[str, Any]]) -> int | None:
    """``"30%"``, ``30`` or ``0.3`` as 30; never 100, which only an ended task has."""
    for value in _named(places, "progress"):
        text = value.strip().rstrip("%").strip() if isinstance(value, str) else value
        if text in (0, "0"):
            return 0
        number = _number(text)
        if number is None:
            continue
        # 1 is one percent where numbers are whole and all of it where they are shares.
        share = isinstance(value, float) and number <= 1
        return min(99, int(round(number * 100) if share else number))
    return None


def _cost(places: list[dict[str, Any]]) -> int | None:
    for usage in _named(places, "usage"):
        ticks = usage.get("cost_in_usd_ticks") if isinstance(usage, dict) else None
        if isinstance(ticks, int | float) and not isinstance(ticks, bool) and 0 <= ticks < 2**63:
            return int(ticks)
    return None


def _error_code(body: Any) -> str:
    """The upstream's own code, wherever it stands."""
    for place in _places(body):
        error = place.get("error")
        for value in (error.get("code") if isinstance(error, dict) else None, place.get("code")):
            if isinstance(value, str) and value != "success":
                return value
    return ""


def error_text(body: Any) -> str:
    """What an upstream says went wrong; ``""`` when it says nothing.

    Its error may be an object with ``message``, a text, or ``fail_reason`` or ``message`` alone.
    It is cut to one short line without data URLs or keys, since callers see it.
    """
    for place in _places(body):
        error = place.get("error")
        candidates = [error.get("message") if isinstance(error, dict) else error]
        candidates += [place.get(name) for name in ("fail_reason", "message", "msg", "detail")]
        for text in candidates:
            if isinstance(text, str) and text.strip():
                text = _KEY.sub("[key]", _DATA_URL.sub("data:…", text[:100_000]))
                return " ".join(text.split())[:500]
    return ""


def _failure(body: Any, otherwise: str) -> Failure:
    """A ``Failure`` in document 002's codes; an image that was not fetched is the caller's."""
    message = error_text(body) or otherwise
    word = _error_code(body).rpartition(":")[2].replace("-", "_").lower()
    code: FailureCode = next((code for code in FAILURE_CODES if code == word), "internal_error")
    if _UNFETCHED in message or "content_moderated" in word:
        code = "invalid_argument"
    return Failure(code=code, message=message)


def read_refusal(status: int, body: Any, headers: Mapping[str, str]) -> FilmgateError:
    """Why an upstream refused a *submit*, as what may be done next.

    429 is ``NotSubmitted`` (send again after ``retry_after``). 408 and 5xx are ``SubmitUnknown``:
    the job may have been taken. 401, 402, 403, 404 and 405 are about our credential, balance or
    route there, never shown as the caller's: ``Unavailable``. Other 4xx are the caller's:
    ``InvalidRequest`` with the upstream's words.
    """
    if status == 429:
        return NotSubmitted("The upstream is busy.", retry_after=retry_after(headers))
    if status == 408 or status >= 500:
        return SubmitUnknown(f"The upstream answered HTTP {status}; it may have taken the job.")
    if status in (401, 402, 403, 404, 405):
        return Unavailable(f"The upstream refused this gateway (HTTP {status}).", retry_after=60)
    message = error_text(body) or f"The upstream refused the request (HTTP {status})."
    code = re.sub(r"\W+", "_", _error_code(body))[:60].lower()
    return InvalidRequest(message, code=code or "invalid_value")


def retry_after(headers: Mapping[str, str]) -> float:
    """``Retry-After`` in seconds, given as a number or a date; at least 1, at most an hour."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    seconds = _number(text)
    if seconds is None:
        try:
            moment = parsedate_to_datetime(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = (moment - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            seconds = 1.0
    return min(max(seconds, 1.0), 3600.0)
