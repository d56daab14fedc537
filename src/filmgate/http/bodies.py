"""Reading a request's body: capped, JSON or form, always as one JSON-like object."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from filmgate.core.errors import BodyTooLarge, MalformedBody, UnsupportedMedia
from filmgate.core.media import sniff

# Seven images of 8 MB in base64, and room for the words around them.
MAX_BYTES = 96 << 20
_MAX_PART_BYTES = 64 << 20
_MAX_PARTS = 100
_JSON_HINT = "The body is not valid JSON: {reason}. JSON takes no comments and no trailing commas."


async def read_body(request: Request, *, forms: bool) -> dict[str, Any]:
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
    return _json(await _bytes(request))


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise BodyTooLarge(f"The body is larger than {MAX_BYTES >> 20} MB; send URLs instead.")


async def _bytes(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        _check_size(size)
        pieces.append(piece)
    return b"".join(pieces)


def _json(data: bytes) -> dict[str, Any]:
    if not data.strip():
        raise MalformedBody("The body is empty: send a JSON object.")
    try:
        body = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        # msgspec words the reason and the position without quoting the body.
        raise MalformedBody(_JSON_HINT.format(reason=error)) from None
    if not isinstance(body, dict):
        raise MalformedBody('The body must be a JSON object, as in {"model": …}.')
    return body


async def _form(request: Request) -> dict[str, Any]:
    try:
        async with request.form(
            max_files=_MAX_PARTS, max_fields=_MAX_PARTS, max_part_size=_MAX_PART_BYTES
        ) as form:
            body: dict[str, Any] = {}
            for name, value in form.multi_items():
                text = await _data_url(value) if isinstance(value, UploadFile) else value
                body[name] = text if name not in body else _append(body[name], text)
            return body
    except HTTPException as error:
        raise MalformedBody(f"The form cannot be read: {error.detail}") from None


def _append(before: Any, value: str) -> list[Any]:
    return [*before, value] if isinstance(before, list) else [before, value]


async def _data_url(upload: UploadFile) -> str:
    # What the bytes are, not what the client says: many send application/octet-stream.
    data = await upload.read()
    mime = sniff(data[:16]) or "application/octet-stream"
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
