"""Reading a request's body: capped, JSON or form, always as one JSON-like object."""

from __future__ import annotations

import asyncio
import base64
import codecs
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import msgspec
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from filmgate.core.errors import BodyTooLarge, MalformedBody, UnsupportedMedia
from filmgate.core.media import sniff

# Seven images of 8 MB in base64, and room for the words around them.
MAX_BYTES = 96 << 20
_MAX_PART_BYTES = 64 << 20
_MAX_PARTS = 100
_LARGE = 1 << 20
_DEEPEST = 64
# The longest boundary (RFC 2046) with its dashes and line ends.
_CLOSING_BYTES = 80
_JSON_HINT = "The body is not valid JSON: {reason}. JSON takes no comments and no trailing commas."


class Body(NamedTuple):
    """A request's body as one object, and the names of the fields that were files in a form."""

    fields: dict[str, Any]
    files: tuple[str, ...] = ()


async def read_body(request: Request, *, forms: bool) -> Body:
    """The body as one object: JSON as it is, a form with repeated fields as lists and files as
    ``data:`` URLs.

    Raises ``MalformedBody``, ``BodyTooLarge``, and ``UnsupportedMedia`` for a form where the API
    takes none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    announced = request.headers.get("content-length", "")
    _check_size(int(announced) if announced.isdecimal() else 0)
    if kind == "multipart/form-data":
        if not forms:
            raise UnsupportedMedia("Send JSON: this route takes no multipart forms.")
        return await _form(request)
    data = b"".join([piece async for piece in _capped(request)])
    # What takes long to read would hold everybody else's requests.
    fields = await asyncio.to_thread(_json, data) if len(data) > _LARGE else _json(data)
    return Body(fields)


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise BodyTooLarge(f"The body is larger than {MAX_BYTES >> 20} MB; send URLs instead.")


async def _capped(request: Request) -> AsyncGenerator[bytes]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        _check_size(size)
        yield piece


def _json(data: bytes) -> dict[str, Any]:
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.strip():
        raise MalformedBody("The body is empty: send a JSON object.")
    try:
        body = msgspec.json.decode(data)
    except UnicodeDecodeError:
        raise MalformedBody("The body is not valid JSON: it must be UTF-8.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        # msgspec words the reason and the position without quoting the body.
        raise MalformedBody(_JSON_HINT.format(reason=error)) from None
    if not isinstance(body, dict):
        raise MalformedBody('The body must be a JSON object, as in {"model": …}.')
    if _deeper(body, _DEEPEST):
        raise MalformedBody(f"The body is not valid JSON: nested deeper than {_DEEPEST} levels.")
    return body


def _deeper(body: Any, most: int) -> bool:
    """Whether lists and objects stand in one another more than ``most`` deep."""
    level = [body]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


async def _form(request: Request) -> Body:
    last = b""

    async def stream() -> AsyncGenerator[bytes]:
        nonlocal last
        async for piece in _capped(request):
            last = (last + piece)[-_CLOSING_BYTES:]
            yield piece

    parser = MultiPartParser(
        request.headers,
        stream(),
        max_files=_MAX_PARTS,
        max_fields=_MAX_PARTS,
        max_part_size=_MAX_PART_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise MalformedBody(f"The form cannot be read: {error.message}") from None
    try:
        # The parser takes a form that was cut for one whose last part never came.
        if not last.rstrip().endswith(b"--"):
            raise MalformedBody("The form is not complete: its closing boundary is missing.")
        fields: dict[str, Any] = {}
        files: list[str] = []
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files.append(name)
                value = await _data_url(value)
            fields[name] = value if name not in fields else _append(fields[name], value)
        return Body(fields, tuple(files))
    finally:
        await form.close()


def _append(before: Any, value: str) -> list[Any]:
    return [*before, value] if isinstance(before, list) else [before, value]


async def _data_url(upload: UploadFile) -> str:
    # What the bytes are, not what the client says: many send application/octet-stream.
    data = await upload.read()
    mime = sniff(data[:16]) or "application/octet-stream"
    text = await asyncio.to_thread(base64.b64encode, data)
    return f"data:{mime};base64,{text.decode()}"
