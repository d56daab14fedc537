"""How a task stands in the words that all dialects share: its progress, length and failure."""

from __future__ import annotations

from filmgate.core.task import Failure
from filmgate.dialects.base import View

_NO_REASON = Failure(code="internal_error", message="The video could not be made. Try again.")
_CANCELLED = Failure(code="failed_precondition", message="The task was cancelled.")
_EXPIRED = Failure(
    code="failed_precondition", message="The video has expired and was deleted. Create it again."
)
_WITHHELD = Failure(
    code="invalid_argument",
    message="The video was made but withheld by a content check. Change the prompt or the images.",
)


def percent(view: View) -> int:
    """0..100; 100 only when the task has ended, because clients stop there."""
    return 100 if view.task.final else max(0, min(view.task.progress, 99))


def problem(view: View) -> Failure | None:
    """Why there is no video, once that is certain: failed, cancelled, withheld or expired."""
    task = view.task
    if task.status == "failed":
        return task.failure or _NO_REASON
    if task.status == "cancelled":
        return task.failure or _CANCELLED
    if task.moderated:
        return _WITHHELD
    return _EXPIRED if view.expired else None


def seconds(view: View) -> float:
    """The clip's real length, or the length asked for until there is a clip; whole when it is.

    Encoders end a clip some milliseconds past the second, which is still a whole length.
    """
    length = view.task.asset.seconds if view.task.asset else float(view.task.request.seconds)
    return round(length) if abs(length - round(length)) < 0.05 else round(length, 2)
