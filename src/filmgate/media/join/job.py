"""What the joining process is asked and what it answers: one job in, a line per step out.

The server imports this module, so it loads nothing heavy. Everything travels as JSON: one job line
on the child's standard input, answer lines on its standard output. Paths are local files.
"""

from __future__ import annotations

import msgspec


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clip from ``begin`` to its end; below 0, that many seconds before its end."""

    path: str
    begin: float = 0.0


class Join(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="join"):
    """Play the pieces one after the other, as one MP4 of the first one's size and frame rate."""

    pieces: tuple[Piece, ...]
    output: str
    """Appears under this name only when it is whole."""


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="probe"):
    """Measure one MP4."""

    path: str


Job = Join | Probe


class Facts(msgspec.Struct, frozen=True):
    """An MP4 as measured: its pictures' length in seconds, and its size in pixels."""

    seconds: float
    width: int
    height: int
    has_audio: bool


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the answer. Exactly one field is set; ``facts`` and ``fault`` end the answer."""

    progress: int | None = None
    """Rising, 0 to 99."""
    facts: Facts | None = None
    """Of the clip that was made or measured."""
    fault: str = ""
    """What is wrong with a clip that was given."""


class Unreadable(Exception):
    """A clip that was given is at fault; the message says how, as the end of a sentence."""
