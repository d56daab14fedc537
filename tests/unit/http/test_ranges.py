"""Conditional and range requests, by the labelled corpus beside this file and by properties."""

from __future__ import annotations

import email
import email.policy
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.http.ranges import Answer, Representation, Span, answer

CASES = tomllib.loads(Path(__file__).with_name("ranges_cases.toml").read_text())["case"]
LAST_MODIFIED = 784_111_777  # Sun, 06 Nov 1994 08:49:37 GMT
CONTENT = bytes(n * 7 % 256 for n in range(1000))


def file(size: int = len(CONTENT)) -> Representation:
    return Representation(size, '"v1"', LAST_MODIFIED, "video/mp4")


def sent(reply: Answer) -> bytes:
    """The body as it goes over the wire."""
    return b"".join(
        CONTENT[piece.start : piece.end] if isinstance(piece, Span) else piece
        for piece in reply.body
    )


def parts(reply: Answer) -> list[tuple[str, bytes]]:
    """The parts of a multipart answer as a mail parser sees them: (Content-Range, bytes)."""
    head = f"Content-Type: {reply.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + sent(reply), policy=email.policy.HTTP)
    return [(part["Content-Range"], part.get_payload(decode=True)) for part in message.iter_parts()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_corpus(case: dict[str, Any]) -> None:
    reply = answer(case.get("method", "GET"), case["headers"], file(case.get("size", 1000)))

    spans = [[piece.start, piece.length] for piece in reply.body if isinstance(piece, Span)]
    assert (case["status"], case["spans"]) == (reply.status, spans)
    assert case.get("content_range") == reply.headers.get("Content-Range")
    assert reply.headers["ETag"] == '"v1"'
    assert reply.headers["Last-Modified"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    if case.get("method", "GET") == "GET" and reply.status != 304:
        assert str(len(sent(reply))) == reply.headers["Content-Length"]
    if reply.status in (200, 206, 416):
        assert reply.headers["Accept-Ranges"] == "bytes"


def test_the_corpus_is_large_and_names_no_case_twice() -> None:
    assert len(CASES) >= 70
    assert len(CASES) == len({case["name"] for case in CASES})


def test_head_announces_the_size_without_sending() -> None:
    reply = answer("HEAD", {}, file())
    assert (reply.headers["Content-Length"], sent(reply)) == ("1000", b"")


def test_not_modified_describes_no_body() -> None:
    reply = answer("GET", {"if-none-match": '"v1"'}, file())
    assert {"ETag", "Last-Modified"} == set(reply.headers)


def test_a_mail_parser_reads_the_parts() -> None:
    reply = answer("GET", {"range": "bytes=500-509,0-9,-1"}, file())
    assert [
        ("bytes 500-509/1000", CONTENT[500:510]),
        ("bytes 0-9/1000", CONTENT[0:10]),
        ("bytes 999-999/1000", CONTENT[999:]),
    ] == parts(reply)
    assert "Content-Range" not in reply.headers
    assert b"\r\nContent-Type: video/mp4\r\n" in sent(reply)


def test_a_joined_set_is_sent_as_one_part_and_not_twice() -> None:
    reply = answer("GET", {"range": "bytes=10-19,0-14"}, file())
    assert ("bytes 0-19/1000", CONTENT[:20]) == (reply.headers["Content-Range"], sent(reply))


@pytest.mark.parametrize("field", ["range", "if-match", "if-none-match"])
def test_a_field_full_of_blanks_and_commas_costs_no_time(field: str) -> None:
    hostile = {"range": "bytes=0-0" + ",  " * 150 + "x"}.get(field, '"a"' + ",   " * 20_000 + "x")
    before = time.process_time()
    answer("GET", {field: hostile}, file())
    assert time.process_time() - before < 0.1


numbers = st.one_of(st.integers(0, 1100), st.integers(0, 10**40)).map(str)
specs = st.one_of(
    st.tuples(numbers, numbers).map("-".join), numbers.map("{}-".format), numbers.map("-{}".format)
)
range_fields = st.one_of(
    st.lists(specs, min_size=1, max_size=12).map(lambda found: "bytes=" + ",".join(found)),
    st.text(),
    st.text("0123456789-,= \tbytesBYTES").map("bytes={}".format),
)
conditions = st.one_of(
    st.text(),
    st.sampled_from(['"v1"', 'W/"v1"', '"v2"', "*", "", "Sun, 06 Nov 1994 08:49:37 GMT"]),
    st.text('W/",* \tv1', max_size=40),
)
condition_fields = st.dictionaries(
    st.sampled_from(
        ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"]
    ),
    conditions,
)


@given(range_fields, condition_fields, st.integers(0, 1000))
def test_any_header_text_gets_a_consistent_answer(
    field: str, fields: dict[str, str], size: int
) -> None:
    reply = answer("GET", {**fields, "range": field}, file(size))
    assert reply.status in {200, 206, 304, 412, 416}
    spans = [piece for piece in reply.body if isinstance(piece, Span)]
    assert all(0 <= span.start < span.end <= size for span in spans)
    assert sum(span.length for span in spans) <= size
    if reply.status in {304, 412, 416}:
        assert sent(reply) == b""
    else:
        assert str(len(sent(reply))) == reply.headers["Content-Length"]


@given(st.integers(0, 999), st.integers(0, 2000))
def test_a_range_is_the_slice(first: int, more: int) -> None:
    reply = answer("GET", {"range": f"bytes={first}-{first + more}"}, file())
    assert (206, CONTENT[first : first + more + 1]) == (reply.status, sent(reply))


@given(st.integers(1, 2000))
def test_a_suffix_is_the_tail(length: int) -> None:
    reply = answer("GET", {"range": f"bytes=-{length}"}, file())
    assert (206, CONTENT[-length:]) == (reply.status, sent(reply))


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=1, max_size=8))
def test_a_set_is_sent_whole_and_each_byte_once(wanted: list[tuple[int, int]]) -> None:
    wanted = [(min(pair), max(pair)) for pair in wanted]
    field = "bytes=" + ",".join(f"{first}-{last}" for first, last in wanted)
    reply = answer("GET", {"range": field}, file())
    spans = [piece for piece in reply.body if isinstance(piece, Span)]
    covered = [n for span in spans for n in range(span.start, span.end)]
    asked = {n for first, last in wanted for n in range(first, last + 1)}
    assert len(covered) == len(set(covered))
    assert asked <= set(covered)
    if reply.status == 206:
        assert asked == set(covered)
    if len(spans) > 1:
        ranges = [f"bytes {span.start}-{span.end - 1}/1000" for span in spans]
        slices = [CONTENT[span.start : span.end] for span in spans]
        assert list(zip(ranges, slices, strict=True)) == parts(reply)
