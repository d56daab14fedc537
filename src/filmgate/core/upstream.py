"""What a maker of videos says about a job of ours, whoever it is and whatever it speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from filmgate.core.task import Failure


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """What an upstream's answer says about a task of ours.

    ``status`` is one of four words; a word nobody knows reads as ``in_progress``. ``progress`` is
    0..100 or ``None`` where the answer has none. ``cost_ticks`` is the upstream's own price in
    10^-10 USD where it says one, ``body`` the answer itself, for callers of the same dialect.
    """

    status: Literal["queued", "in_progress", "completed", "failed"]
    progress: int | None = None
    url: str = ""
    seconds: float | None = None
    failure: Failure | None = None
    moderated: bool = False
    cost_ticks: int | None = None
    body: dict[str, Any] | None = None


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """A finished MP4 in a local file, not yet in the object store. Lengths are in seconds."""

    path: Path
    seconds: float
    width: int = 0
    height: int = 0
    input_seconds: float = 0.0
    poster: Path | None = None
