"""Tell whether a local MP4 is whole and can start playing before it is all there.

A player, and ffprobe with exit status 0, accept an MP4 whose end was lost. This reads the file's
own book-keeping (ISO/IEC 14496-12) and believes it only where the bytes are really present.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

MAX_BOXES = 100_000
MAX_MOOV = 32 << 20
"""Bytes of index that are read; an hour of video needs about 5 MB."""


class BrokenMp4(Exception):
    """The file is not a whole MP4. The message says what is wrong, and is safe to show."""


@dataclass(frozen=True, slots=True)
class Mp4Facts:
    """``size`` in bytes; ``faststart`` when the index comes before the media.

    ``duration_seconds`` is what the index says, 0.0 when it does not (a fragmented file); ``width``
    and ``height`` are pixels of the largest track as it is shown, 0 when no track is seen.
    """

    size: int
    faststart: bool
    duration_seconds: float
    width: int = 0
    height: int = 0


def check_whole(path: Path) -> Mp4Facts:
    """What a whole MP4 says of itself. Reads the index only, never the media.

    Raises ``BrokenMp4`` when a box is cut or missing, or the index names bytes beyond the end.
    (A fragmented file that was cut exactly between two fragments cannot be told from a whole one.)
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        boxes = list(_file_boxes(file, size))
        kinds = [box.kind for box in boxes]
        for kind, what in ((b"ftyp", "file type"), (b"moov", "index"), (b"mdat", "media data")):
            if kind not in kinds:
                raise BrokenMp4(f"the MP4 has no {what} ({kind.decode()} box)")
        moov = boxes[kinds.index(b"moov")]
        if moov.end - moov.start > MAX_MOOV:
            raise BrokenMp4(f"the MP4's index is larger than {MAX_MOOV >> 20} MB")
        file.seek(moov.start)
        index = memoryview(file.read(moov.end - moov.start))
    try:
        duration = _duration(index)
        width, height = max(_sides(index), default=(0, 0))
        needed = max((_media_end(table) for table in _sample_tables(index)), default=0)
    except (struct.error, IndexError, ValueError) as error:
        raise BrokenMp4("the MP4's index cannot be read") from error
    if needed > size:
        raise BrokenMp4(f"the MP4 ends after {size} bytes of at least {needed}")
    faststart = kinds.index(b"moov") < kinds.index(b"mdat")
    return Mp4Facts(size, faststart, duration, width, height)


class _Box(NamedTuple):
    """A box's four-letter kind, and where its content starts and ends."""

    kind: bytes
    start: int
    end: int


def _file_boxes(file: BinaryIO, size: int) -> Iterator[_Box]:
    """The top-level boxes, which must fill the file exactly."""
    at = 0
    for _ in range(MAX_BOXES):
        if at == size:
            return
        file.seek(at)
        box = _read_box(memoryview(file.read(16)), at, size)
        if box is None or box.end > size:
            raise BrokenMp4(f"the MP4 is cut: a box at byte {at} goes beyond the end at {size}")
        yield box
        at = box.end
    raise BrokenMp4("the MP4 has too many boxes")


def _read_box(head: memoryview, at: int, limit: int) -> _Box | None:
    """The box whose first bytes are ``head``, at position ``at`` of what ends at ``limit``."""
    if len(head) < 8:
        return None
    size, kind = struct.unpack_from(">I4s", head)
    content = 8
    if size == 1:  # a 64-bit size follows
        if len(head) < 16:
            return None
        (size,) = struct.unpack_from(">Q", head, 8)
        content = 16
    elif size == 0:  # to the end
        size = limit - at
    return _Box(kind, at + content, at + size) if size >= content else None


def _children(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at < len(data):
        box = _read_box(data[at : at + 16], at, len(data))
        if box is None or box.end > len(data):
            raise ValueError("a box goes beyond the one around it")
        yield box.kind, data[box.start : box.end]
        at = box.end


def _child(data: memoryview, *path: bytes) -> memoryview | None:
    """The content of the first box found by descending ``path``."""
    for kind in path:
        found = next((content for name, content in _children(data) if name == kind), None)
        if found is None:
            return None
        data = found
    return data


def _duration(moov: memoryview) -> float:
    """Seconds by the movie header (section 8.2.2)."""
    header = _child(moov, b"mvhd")
    if header is None:
        raise ValueError("no movie header")
    long = header[0] == 1
    timescale, duration = struct.unpack_from(">IQ" if long else ">II", header, 20 if long else 12)
    unknown = 2**64 - 1 if long else 2**32 - 1
    return 0.0 if duration == unknown or not timescale else duration / timescale


def _sides(moov: memoryview) -> Iterator[tuple[int, int]]:
    """Each track's width and height, which end its header as 16.16 fixed point (section 8.3.2)."""
    for kind, track in _children(moov):
        if kind == b"trak" and (header := _child(track, b"tkhd")) is not None:
            width, height = struct.unpack_from(">II", header, len(header) - 8)
            yield width >> 16, height >> 16


def _sample_tables(moov: memoryview) -> Iterator[memoryview]:
    for kind, track in _children(moov):
        if kind == b"trak":
            table = _child(track, b"mdia", b"minf", b"stbl")
            if table is None:
                raise ValueError("a track without a sample table")
            yield table


def _media_end(table: memoryview) -> int:
    """The byte after the last one that a track's samples occupy in the file (section 8.7)."""
    offsets = _chunk_offsets(table)
    counts = islice(_samples_per_chunk(table, len(offsets)), len(offsets))
    sizes = _child(table, b"stsz")
    if sizes is None:  # the rare compact table: at least every chunk must begin in the file
        return max(offsets, default=-1) + 1
    constant, total = struct.unpack_from(">II", sizes, 4)
    if constant:
        return max((at + constant * n for at, n in zip(offsets, counts, strict=True)), default=0)
    each = iter(struct.unpack_from(f">{total}I", sizes, 12))
    return max(
        (at + sum(islice(each, n)) for at, n in zip(offsets, counts, strict=True)), default=0
    )


def _chunk_offsets(table: memoryview) -> tuple[int, ...]:
    for kind, width in ((b"stco", "I"), (b"co64", "Q")):
        if (offsets := _child(table, kind)) is not None:
            (total,) = struct.unpack_from(">I", offsets, 4)
            return struct.unpack_from(f">{total}{width}", offsets, 8)
    raise ValueError("a track without chunk offsets")


def _samples_per_chunk(table: memoryview, chunks: int) -> Iterator[int]:
    """For each chunk, how many samples it holds; runs are stored by their first chunk from 1."""
    runs = _child(table, b"stsc")
    if runs is None:
        raise ValueError("a track without a sample-to-chunk table")
    (total,) = struct.unpack_from(">I", runs, 4)
    starts = [struct.unpack_from(">II", runs, 8 + 12 * n) for n in range(total)]
    for (first, samples), (following, _) in pairwise([*starts, (chunks + 1, 0)]):
        yield from (samples for _ in range(first, following))
