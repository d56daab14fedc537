"""Decide what a GET or HEAD on one stored file is answered: whole, part, not modified or refused.

The rules are RFC 9110, sections 13 (conditional requests), 14 (ranges) and 15 (statuses). Nothing
here does I/O: ``answer`` says which status, which headers and which bytes; the caller sends them.
"""

from __future__ import annotations

import calendar
import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from email.utils import formatdate

# RFC 9110 section 14.2 lets a server ignore Range whenever it likes. These bounds are where we do:
# a player asks for one range, a download manager for a few.
MAX_RANGE_LENGTH = 500
MAX_PARTS = 8
MAX_OVERLAPS = 2


@dataclass(frozen=True, slots=True)
class Representation:
    """The stored file as clients see it.

    ``etag`` is strong and quoted (``"abc"``). ``last_modified`` is in unix seconds; it must be a
    strong validator too (RFC 9110 section 8.8.2.2), which holds for files that never change.
    """

    size: int
    etag: str
    last_modified: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Span:
    """``length`` bytes of the file from byte ``start``."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """The first byte after the span."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send: a status, headers, and a body of literal bytes and spans of the file."""

    status: int
    headers: Mapping[str, str]
    body: tuple[bytes | Span, ...] = ()


def answer(method: str, headers: Mapping[str, str], file: Representation) -> Answer:
    """Answer a request for ``file``: 200, 206, 304, 412 or 416. Never raises, whatever is asked.

    ``method`` is GET or HEAD. ``headers`` are found by lower-case name, repeated ones joined by
    ``", "``. The order of the checks is that of RFC 9110 section 13.2.2.
    """
    validators = {"ETag": file.etag, "Last-Modified": formatdate(file.last_modified, usegmt=True)}
    if not _may_proceed(headers, file):
        return Answer(412, {**validators, "Content-Length": "0"})
    if not _is_modified(headers, file):
        return Answer(304, validators)

    validators["Accept-Ranges"] = "bytes"
    spans: Sequence[Span] | None = None
    if method == "GET" and "range" in headers and _range_still_applies(headers, file):
        spans = _requested_spans(headers["range"], file.size)
    if spans is None:
        return _whole(method, file, validators)
    if not spans:
        unsatisfied = {"Content-Range": f"bytes */{file.size}", "Content-Length": "0"}
        return Answer(416, validators | unsatisfied)
    if len(spans) == 1:
        return _one_part(spans[0], file, validators)
    return _many_parts(spans, file, validators)


# -- bodies -------------------------------------------------------------------------------------


def _whole(method: str, file: Representation, validators: dict[str, str]) -> Answer:
    described = {"Content-Type": file.content_type, "Content-Length": str(file.size)}
    body = (Span(0, file.size),) if method == "GET" and file.size else ()
    return Answer(200, validators | described, body)


def _one_part(span: Span, file: Representation, validators: dict[str, str]) -> Answer:
    described = {
        "Content-Type": file.content_type,
        "Content-Range": _content_range(span, file.size),
        "Content-Length": str(span.length),
    }
    return Answer(206, validators | described, (span,))


def _many_parts(spans: Sequence[Span], file: Representation, validators: dict[str, str]) -> Answer:
    # Derived rather than drawn, so that the same request gets the same bytes; a file cannot hold
    # its own digest-of-a-digest by accident or design.
    boundary = hashlib.sha256(f"{file.etag} {spans}".encode()).hexdigest()[:32]
    body: list[bytes | Span] = []
    for span in spans:
        lines = (
            f"--{boundary}",
            f"Content-Type: {file.content_type}",
            f"Content-Range: {_content_range(span, file.size)}",
            "\r\n",
        )
        before = "\r\n" if body else ""
        body += [(before + "\r\n".join(lines)).encode("latin-1"), span]
    body.append(f"\r\n--{boundary}--\r\n".encode())
    length = sum(piece.length if isinstance(piece, Span) else len(piece) for piece in body)
    described = {
        "Content-Type": f"multipart/byteranges; boundary={boundary}",
        "Content-Length": str(length),
    }
    return Answer(206, validators | described, tuple(body))


def _content_range(span: Span, size: int) -> str:
    return f"bytes {span.start}-{span.end - 1}/{size}"


# -- preconditions: section 13 ------------------------------------------------------------------

_ENTITY_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_ONE_TAG = re.compile(_ENTITY_TAG)


def _list_of(element: str) -> str:
    """A pattern for ``#element``, empty elements allowed (section 5.6.1.2).

    The possessive ``*+`` at its end keeps a run of blanks from being tried in many ways, which
    would take exponential time.
    """
    return rf"(?:{element})?(?:[ \t]*,[ \t]*(?:{element})?)*+"


_TAG_LIST = re.compile(_list_of(_ENTITY_TAG))


def _may_proceed(headers: Mapping[str, str], file: Representation) -> bool:
    """If-Match, or without it If-Unmodified-Since (sections 13.1.1 and 13.1.4)."""
    if "if-match" in headers:
        return _lists(headers["if-match"], file.etag, weakly=False)
    since = _parse_date(headers.get("if-unmodified-since", ""))
    return since is None or file.last_modified <= since


def _is_modified(headers: Mapping[str, str], file: Representation) -> bool:
    """If-None-Match, or without it If-Modified-Since (sections 13.1.2 and 13.1.3)."""
    if "if-none-match" in headers:
        return not _lists(headers["if-none-match"], file.etag, weakly=True)
    since = _parse_date(headers.get("if-modified-since", ""))
    return since is None or file.last_modified > since


def _range_still_applies(headers: Mapping[str, str], file: Representation) -> bool:
    """If-Range: one strong tag, or the exact date (section 13.1.5)."""
    if "if-range" not in headers:
        return True
    validator = headers["if-range"].strip(" \t")
    return validator == file.etag or _parse_date(validator) == file.last_modified


def _lists(field: str, etag: str, *, weakly: bool) -> bool:
    """Whether a list of entity tags names ``etag`` (section 8.8.3.2); a malformed list does not."""
    field = field.strip(" \t")
    if field == "*":
        return True
    if not _TAG_LIST.fullmatch(field):
        return False
    tags = _ONE_TAG.findall(field)
    return etag in ([tag.removeprefix("W/") for tag in tags] if weakly else tags)


# -- dates: section 5.6.7 -----------------------------------------------------------------------

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_CLOCK = r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)"
_DATE_FORMATS = (
    re.compile(  # Sun, 06 Nov 1994 08:49:37 GMT
        rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}})"
        rf" {_CLOCK} GMT"
    ),
    re.compile(  # Sunday, 06-Nov-94 08:49:37 GMT
        rf"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?P<day>[0-9]{{2}})-{_MONTH}"
        rf"-(?P<year>[0-9]{{2}}) {_CLOCK} GMT"
    ),
    re.compile(  # Sun Nov  6 08:49:37 1994
        rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {_MONTH} (?P<day>[0-9]{{2}}| [0-9])"
        rf" {_CLOCK} (?P<year>[0-9]{{4}})"
    ),
)


def _parse_date(text: str) -> int | None:
    """An HTTP-date in unix seconds, or None for what is not one."""
    text = text.strip(" \t")
    for date_format in _DATE_FORMATS:
        if found := date_format.fullmatch(text):
            break
    else:
        return None
    year = int(found["year"])
    if len(found["year"]) == 2:
        year = _full_year(year)
    try:
        day = date(year, _MONTHS.index(found["month"]) + 1, int(found["day"]))
    except ValueError:  # the thirtieth of February
        return None
    clock = (int(found["hour"]), int(found["minute"]), int(found["second"]))
    return calendar.timegm((*day.timetuple()[:3], *clock))


def _full_year(two_digits: int) -> int:
    """A year that seems more than 50 years ahead is in the past (section 5.6.7)."""
    this_year = time.gmtime().tm_year
    year = this_year - this_year % 100 + two_digits
    return year - 100 if year > this_year + 50 else year


# -- ranges: section 14 -------------------------------------------------------------------------

_RANGE_SPEC = r"(?:[0-9]+-[0-9]*|-[0-9]+)"
_BYTE_RANGES = re.compile(rf"bytes=(?P<specs>{_list_of(_RANGE_SPEC)})", re.IGNORECASE)
_ONE_SPEC = re.compile(r"([0-9]*)-([0-9]*)")


def _requested_spans(field: str, size: int) -> list[Span] | None:
    """The spans to send, in the order asked; ``[]`` when none can be; None to ignore the field."""
    field = field.strip(" \t")
    if len(field) > MAX_RANGE_LENGTH or not (found := _BYTE_RANGES.fullmatch(field)):
        return None
    specs = _ONE_SPEC.findall(found["specs"])
    if not specs or any(first and last and int(last) < int(first) for first, last in specs):
        return None
    spans = [span for first, last in specs if (span := _resolve(first, last, size)) is not None]
    if any(span.length == 0 for span in spans):
        # A suffix of an empty file is satisfiable (section 14.1.2), but no Content-Range can say
        # so: the whole, empty file it is.
        return None
    return _coalesce(spans)


def _resolve(first: str, last: str, size: int) -> Span | None:
    """One range-spec against the file's size; None when it is unsatisfiable (section 14.1.2)."""
    if not first:
        length = min(int(last), size)
        return Span(size - length, length) if int(last) else None
    start = int(first)
    if start >= size:
        return None
    end = min(int(last) + 1, size) if last else size
    return Span(start, end - start)


def _coalesce(spans: list[Span]) -> list[Span] | None:
    """Join spans that overlap or touch; None for a set nobody honest asks for (section 14.2).

    A joined span stands where its earliest-asked member stood (section 15.3.7.2).
    """
    joined: list[tuple[int, Span]] = []
    overlaps = 0
    for place, span in sorted(enumerate(spans), key=lambda placed: placed[1].start):
        if joined and span.start <= joined[-1][1].end:
            first_place, before = joined[-1]
            overlaps += span.start < before.end
            end = max(before.end, span.end)
            joined[-1] = (min(first_place, place), Span(before.start, end - before.start))
        else:
            joined.append((place, span))
    if overlaps > MAX_OVERLAPS or len(joined) > MAX_PARTS:
        return None
    return [span for _, span in sorted(joined, key=lambda placed: placed[0])]
