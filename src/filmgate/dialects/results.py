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


def seconds(view: View) -> int:
    """The clip's real length, or the length asked for until there is a clip.

    To the nearest whole second, since document 002 makes it an integer; never 0 for a clip.
    """
    asset = view.task.asset
    return max(1, round(asset.seconds)) if asset else view.task.request.seconds
