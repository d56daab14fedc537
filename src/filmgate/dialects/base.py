"""What a dialect is: one API's two-sided codec, free of I/O.

Facing a caller it reads requests and writes answers; facing an upstream that speaks the same API it
writes requests and reads answers. A new API is one module with one ``Dialect`` and one line in
``dialects.registry``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from filmgate.core.catalog import Catalog
from filmgate.core.errors import FilmgateError
from filmgate.core.task import Task
from filmgate.core.upstream import Upstream
from filmgate.core.video import Operation, VideoRequest


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A create request as a caller sent it: ``body`` is the JSON object or the form as one.

    A form's file parts arrive as ``data:`` URLs, repeated fields as lists; ``files`` names the
    fields that were files. ``operation`` is what the path says.
    """

    operation: Operation = "generate"
    body: dict[str, Any] = {}
    files: tuple[str, ...] = ()


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a caller: HTTP status, JSON body, extra headers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = {}


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """A request to an upstream. ``path`` is below the base URL, which carries no ``/v1``."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    body: dict[str, Any] | None = None


class View(msgspec.Struct, frozen=True):
    """A task as its owner may see it: ``link`` is the result's URL, ``""`` until there is one.

    ``expired`` marks a finished task whose clip is gone.
    """

    task: Task
    link: str = ""
    expired: bool = False


class Stream(Protocol):
    """Writes one task's progress as server-sent events; each method returns ready bytes."""

    def opening(self) -> bytes:
        """What is sent before any progress."""

    def progress(self, percent: int) -> bytes:
        """A step; never repeats and never goes down (``b""`` when there is nothing to say)."""

    def ending(self, view: View) -> bytes:
        """The result or the failure, then the end of the stream."""

    def keep_alive(self) -> bytes:
        """A comment that keeps proxies from closing a quiet stream."""


class Dialect(Protocol):
    """One API, both ways. ``name`` is stored on tasks and channels, so it never changes."""

    name: ClassVar[str]

    # --- facing a caller ---

    def decode(self, call: Call, catalog: Catalog) -> VideoRequest:
        """Read a create request, with this API's defaults, aliases and clamps.

        Raises ``InvalidRequest`` (or a subclass) in the order and words of the document.
        """

    def encode_created(self, view: View) -> Reply:
        """The answer to a create."""

    def encode_task(self, view: View) -> Reply:
        """The answer to a status poll."""

    def encode_error(self, error: FilmgateError) -> Reply:
        """Any error of ours in this API's words; never fails."""

    # --- facing an upstream ---

    def encode_request(self, request: VideoRequest) -> Outbound:
        """Write a create request. Raises ``Inexpressible`` rather than drop a field."""

    def decode_created(self, body: Any) -> str:
        """The upstream's id for the new task, from a successful create's JSON.

        Raises ``SubmitUnknown`` when the answer has none: the upstream may have taken the job.
        """

    def encode_poll(self, upstream_id: str) -> Outbound:
        """Write a status poll."""

    def decode_task(self, status: int, body: Any) -> Upstream:
        """Read a successful status answer (HTTP ``status`` 2xx or 400 with a verdict)."""

    def decode_error(self, status: int, body: Any, headers: Mapping[str, str]) -> FilmgateError:
        """Read an upstream's refusal as one of our errors; ``body`` may be any JSON or ``None``."""


class StreamingDialect(Dialect, Protocol):
    """An API whose create answers with an event stream (document 000)."""

    def stream(self, view: View) -> Stream:
        """An encoder for one task's stream."""

    def decode_events(self, events: Iterable[str]) -> Upstream:
        """What an upstream's stream has said so far, from its ``data:`` payloads in order."""
