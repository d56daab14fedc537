"""What each error means over HTTP: the status, type and code that every dialect starts from."""

from __future__ import annotations

import math
from typing import NamedTuple

from filmgate.core.errors import (
    BodyTooLarge,
    FilmgateError,
    Forbidden,
    Inexpressible,
    InsufficientBalance,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    NotSubmitted,
    RateLimited,
    Refused,
    StillRunning,
    TaskFailed,
    Unauthenticated,
    Unavailable,
    UnknownModel,
    UnsupportedMedia,
)
from filmgate.core.task import FailureCode
from filmgate.dialects.base import Reply

_OURS = (
    "Something went wrong on our side. Try again; if it keeps happening, tell support the "
    "X-Request-Id of this answer."
)

# By class, most exact first: HTTP status, OpenAI's type, snake_case code.
_MEANINGS: tuple[tuple[type[FilmgateError], int, str, str], ...] = (
    (UnknownModel, 404, "invalid_request_error", "model_not_found"),
    (InvalidRequest, 400, "invalid_request_error", "invalid_value"),
    (Unauthenticated, 401, "authentication_error", "invalid_api_key"),
    (Forbidden, 403, "permission_error", "permission_denied"),
    (InsufficientBalance, 403, "insufficient_quota", "insufficient_quota"),
    (NotFound, 404, "invalid_request_error", "not_found"),
    (MethodNotAllowed, 405, "invalid_request_error", "method_not_allowed"),
    (UnsupportedMedia, 415, "invalid_request_error", "unsupported_media_type"),
    (BodyTooLarge, 413, "invalid_request_error", "request_too_large"),
    (RateLimited, 429, "rate_limit_error", "rate_limit_exceeded"),
    (Refused, 400, "invalid_request_error", "invalid_request"),
    (Inexpressible, 400, "invalid_request_error", "unsupported_parameter"),
    (Unavailable, 503, "server_error", "service_unavailable"),
    (NotSubmitted, 502, "server_error", "upstream_error"),
    (StillRunning, 502, "server_error", "upstream_error"),
)
_FAILURES: dict[FailureCode, tuple[int, str]] = {
    "invalid_argument": (400, "invalid_request_error"),
    "permission_denied": (403, "permission_error"),
    "failed_precondition": (400, "invalid_request_error"),
    "service_unavailable": (503, "server_error"),
    "internal_error": (500, "server_error"),
}
# The same idempotency key with another body (contracts, section 1.4).
KEY_REUSED = "idempotency_key_reused"


class Refusal(NamedTuple):
    """An error as HTTP words: ``code`` is snake_case, ``param`` the field at fault or ``""``."""

    status: int
    type: str
    code: str
    message: str
    param: str
    headers: dict[str, str]


def refusal(error: FilmgateError) -> Refusal:
    """Any of our errors in HTTP words. What is our own fault is told without details."""
    status, kind, code = next(
        (words[1:] for words in _MEANINGS if isinstance(error, words[0])),
        (500, "server_error", "internal_error"),
    )
    message, param = error.message, ""
    if isinstance(error, InvalidRequest):
        code, param = (error.code or code), error.param
        status = 422 if code == KEY_REUSED else status
    elif isinstance(error, NotFound):
        code = f"{error.what}_not_found"
    elif isinstance(error, Inexpressible):
        param = error.field
        message = f"No upstream for this model can take {param}. Leave it out or change the model."
    elif isinstance(error, TaskFailed):
        code = error.failure.code
        status, kind = _FAILURES[error.failure.code]
    ours = status == 500 and not isinstance(error, TaskFailed)
    if ours or not message.strip():
        message = _OURS
    # A lone surrogate from a caller's JSON must not keep the answer from being written.
    message = message.encode("utf-8", "replace").decode()
    return Refusal(status, kind, code, message, param, _headers(error))


def _headers(error: FilmgateError) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed) and error.allow:
        return {"Allow": ", ".join(error.allow)}
    if isinstance(error, RateLimited | Unavailable | NotSubmitted | StillRunning):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    return {}


def openai_error(words: Refusal) -> Reply:
    """``{"error": {message, type, param, code}}``, as OpenAI's clients read it."""
    return Reply(status=words.status, body={"error": error_object(words)}, headers=words.headers)


def error_object(words: Refusal) -> dict[str, str | None]:
    """OpenAI's error object."""
    return {
        "message": words.message,
        "type": words.type,
        "param": words.param or None,
        "code": words.code,
    }
