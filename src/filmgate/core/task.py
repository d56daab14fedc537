"""A task: one video on its way from request to result, and the table of its legal moves."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

from filmgate.core.pricing import Quote
from filmgate.core.video import VideoRequest

Status = Literal[
    "queued", "submitting", "in_progress", "unknown", "completed", "failed", "cancelled"
]
STATUSES: tuple[Status, ...] = get_args(Status)

# The whole state machine. Docs, tests and the store's guards are made from this table.
MOVES: dict[Status, frozenset[Status]] = {
    "queued": frozenset({"submitting", "failed", "cancelled"}),
    # Back to queued only when the upstream surely did not take the job.
    "submitting": frozenset({"in_progress", "queued", "unknown", "failed"}),
    # Back to queued for the next part of a long clip.
    "in_progress": frozenset({"queued", "completed", "failed", "cancelled"}),
    # A submission whose fate is not known: found at the upstream, surely not there, or given up.
    "unknown": frozenset({"in_progress", "queued", "failed"}),
    "completed": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
FINAL: frozenset[Status] = frozenset(status for status, onward in MOVES.items() if not onward)


def origins(target: Status) -> tuple[Status, ...]:
    """The statuses from which a task may move to ``target``, in the order of ``STATUSES``."""
    return tuple(status for status in STATUSES if target in MOVES[status])


FailureCode = Literal[
    "invalid_argument",
    "permission_denied",
    "failed_precondition",
    "service_unavailable",
    "internal_error",
]
FAILURE_CODES: tuple[FailureCode, ...] = get_args(FailureCode)


class Failure(msgspec.Struct, frozen=True):
    """Why a task failed, in document 002's codes. ``message`` is shown to the task's owner.

    ``reason`` narrows the code where a document fixes the words for a case: ``image_shape`` is an
    image of proportions that the model cannot take (document 000).
    """

    code: FailureCode
    message: str
    reason: Literal["", "image_shape"] = ""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A finished clip in the object store.

    ``key``/``poster_key`` are object-store keys, or ``url`` is the upstream's own address where the
    channel delivers links. ``size`` is bytes, ``seconds`` the real length,
    ``input_seconds`` the length of the clip that was edited or extended (0 when there was none).
    """

    key: str = ""
    url: str = ""
    size: int = 0
    sha256: str = ""
    seconds: float
    width: int = 0
    height: int = 0
    input_seconds: float = 0.0
    poster_key: str = ""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One paid request for a video. Times are unix seconds, ``progress`` is 0..100.

    ``id`` is 32 hex digits; each dialect spells it its own way (``core.ids``). ``dialect`` is the
    one that created it. ``channel`` and ``upstream_id`` say who makes it, once it is submitted;
    ``part`` counts the calls that a long clip takes, from 0. ``charged`` is micro-dollars captured,
    ``cost`` what the upstream charged us for it. ``answer`` is the upstream's own last word, kept
    where it speaks the caller's dialect. ``moderated`` marks a result
    that was made and then withheld by a content check, ``flagged`` says why an operator should
    look at it, ``deleted`` that its owner wants it gone.
    """

    id: str
    customer_id: str
    key_id: str
    dialect: str
    request: VideoRequest
    quote: Quote
    status: Status = "queued"
    progress: int = 0
    failure: Failure | None = None
    asset: Asset | None = None
    moderated: bool = False
    charged: int = 0
    cost: int | None = None
    channel: str = ""
    upstream_id: str = ""
    part: int = 0
    answer: dict[str, Any] | None = None
    cancel_requested: bool = False
    flagged: str = ""
    deleted: bool = False
    created_at: float = 0.0
    submitted_at: float | None = None
    finished_at: float | None = None

    @property
    def final(self) -> bool:
        """Whether the task has ended, well or badly."""
        return self.status in FINAL
