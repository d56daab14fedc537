"""Identifiers: time-ordered UUIDs (version 7, RFC 9562) and their spellings in each API."""

from __future__ import annotations

import re
import secrets
import time
import uuid

_SPELLINGS = re.compile(
    r"(?:(?:task|video)_)?([0-9a-fA-F]{32})"
    r"|([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"
)


def new_id() -> str:
    """A new identifier: 32 hex digits of a UUIDv7, so ids sort by the time they were made."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | secrets.randbits(80)
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return f"{value:032x}"


def read_task_id(text: str) -> str | None:
    """The task id behind any spelling (``task_…``, ``video_…``, UUID, bare hex), or ``None``."""
    match = _SPELLINGS.fullmatch(text)
    if match is None:
        return None
    return (match[1] or match[2].replace("-", "")).lower()


def as_task(task_id: str) -> str:
    """``task_<32 hex>``, as newapi relays spell it (document 003, section 7)."""
    return f"task_{task_id}"


def as_video(task_id: str) -> str:
    """``video_<32 hex>``, as OpenAI's videos API spells it."""
    return f"video_{task_id}"


def as_uuid(task_id: str) -> str:
    """The dashed form, as xAI spells a ``request_id``."""
    return str(uuid.UUID(task_id))
