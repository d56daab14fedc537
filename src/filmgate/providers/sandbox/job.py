"""What the sandbox renderer is asked and what it answers: one job in, a line per step out.

The parent process imports this module, so it loads nothing heavy. Everything travels as
JSON: one job line on the child's standard input, answer lines on its standard output.
"""

from typing import Literal

import msgspec

Operation = Literal["generate", "edit", "extend"]
ErrorCode = Literal["invalid_argument", "internal_error"]
Reason = Literal["", "image_shape"]

GENERATE_SECONDS = (1, 30)
EXTEND_SECONDS = (2, 10)
MAX_IMAGES = 7


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One clip to make. All paths are local files that the parent has already fetched."""

    operation: Operation
    prompt: str
    output: str
    """The MP4 to write; appears under this name only when it is whole."""
    poster: str
    """The WebP still to write beside it."""
    seconds: int = 0
    """generate: length of the clip; extend: seconds to add; edit: ignored."""
    aspect_ratio: str = ""
    """As in ``16:9``; empty for edit and extend, which keep the input's shape."""
    resolution: str = ""
    """``480p``, ``720p`` or ``1080p``; empty for edit and extend."""
    seed: int | None = None
    images: tuple[str, ...] = ()
    video: str | None = None
    audio: bool = True
    """False: the clip has a sound track, but a silent one."""


class Done(msgspec.Struct, frozen=True):
    """The facts of a finished clip; lengths are in seconds."""

    seconds: float
    input_seconds: float
    width: int
    height: int
    fps: int


class Error(msgspec.Struct, frozen=True):
    """Why there is no clip. ``reason`` is set where a dialect has words of its own for it."""

    code: ErrorCode
    message: str
    reason: Reason = ""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the answer. Exactly one field is set; ``done`` and ``error`` end the answer."""

    progress: int | None = None
    """Rising, 0 to 100."""
    done: Done | None = None
    error: Error | None = None


class Refusal(Exception):
    """The job itself is at fault (its fields or its media); the message says what to change."""

    def __init__(self, message: str, reason: Reason = "") -> None:
        super().__init__(message)
        self.error = Error(code="invalid_argument", message=message, reason=reason)


def decode_job(raw: bytes) -> Job:
    """Read a job. Raises `Refusal` when it is malformed or its fields contradict each other."""
    try:
        job = msgspec.json.decode(raw, type=Job)
    except msgspec.DecodeError as error:
        raise Refusal(f"The job is not valid: {error}.") from error
    if job.operation == "generate":
        _require_between("seconds", job.seconds, GENERATE_SECONDS)
        if len(job.images) > MAX_IMAGES:
            raise Refusal(f"Send at most {MAX_IMAGES} images.")
    elif job.video is None:
        raise Refusal(f"To {job.operation} a video, send the video.")
    if job.operation == "extend":
        _require_between("seconds", job.seconds, EXTEND_SECONDS)
    return job


def encode_line(line: Line) -> bytes:
    """One answer as JSON, with its newline."""
    return msgspec.json.encode(line) + b"\n"


def decode_line(raw: bytes) -> Line:
    """Read one answer. Raises `msgspec.DecodeError` when the child wrote something else."""
    return msgspec.json.decode(raw, type=Line)


def _require_between(name: str, value: int, bounds: tuple[int, int]) -> None:
    low, high = bounds
    if not low <= value <= high:
        raise Refusal(f"{name} must be from {low} to {high}, not {value}.")
