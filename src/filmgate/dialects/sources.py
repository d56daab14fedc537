"""Reads and writes where an image, clip or sound comes from: a URL, a data URL or a file id."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from filmgate.core.errors import Inexpressible, InvalidRequest
from filmgate.core.video import Media
from filmgate.dialects.reading import empty, snake, wrong_type

_ADDRESS_KEYS = ("url", "image_url", "video_url", "audio_url")
_ID_KEYS = ("file_id", "id")
_HTTP = re.compile(r"https?://[^\s\x00-\x1f]+", re.IGNORECASE)
_DATA = re.compile(r"data:[^,\s]{0,200},", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")
# Only what looks like an id counts as one where a bare string may also be an address.
_BARE_ID = re.compile(
    r"(?:file|video|task)[_-][A-Za-z0-9_-]{1,190}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)


def read_media(value: Any, name: str) -> Media:
    """A source from a string or an object (``{"url"|"image_url"|"file_id"|"id"|"voice_id": …}``).

    ``name`` is the caller's name of the field. Raises ``InvalidRequest``; bare base64 is refused
    with the way out (document 003, section 5).
    """
    for _ in range(3):  # {"image_url": {"url": …}} is the deepest that any client sends
        if isinstance(value, str):
            return _from_text(value.strip(), name)
        if not isinstance(value, dict):
            break
        value = _inside(value, name)
        if isinstance(value, Media):
            return value
    raise wrong_type(name, "a URL, a data URL, a file id, or an object with url or file_id")


def _inside(value: dict[str, Any], name: str) -> Any:
    """The source that an object names, or the string or object that holds its address."""
    fields = {snake(key): inner for key, inner in value.items() if not empty(inner)}
    for key in _ADDRESS_KEYS:
        if key in fields:
            return fields[key]
    for key in _ID_KEYS:
        if key in fields:
            return Media(file_id=_identifier(fields[key], f"{name}.{key}"))
    if "voice_id" in fields:
        return Media(voice_id=_identifier(fields["voice_id"], f"{name}.voice_id"))
    raise InvalidRequest(f"{name} needs a url or a file_id.", code="invalid_media", param=name)


def _identifier(value: Any, name: str) -> str:
    if isinstance(value, str) and _ID.fullmatch(value.strip()):
        return value.strip()
    raise InvalidRequest(f"{name} is not an id.", code="invalid_media", param=name)


def _from_text(text: str, name: str) -> Media:
    if _HTTP.fullmatch(text) or _DATA.match(text):
        return Media(url=text)
    if _BARE_ID.fullmatch(text):
        return Media(file_id=text)
    raise InvalidRequest(
        f"{name} must be an http(s) URL, a complete data URL such as data:image/png;base64,… "
        "or a file id. Bare base64 is not accepted: put data:<type>;base64, before it.",
        code="invalid_media",
        param=name,
    )


def read_all(items: Iterable[tuple[str, Any]]) -> tuple[Media, ...]:
    """The sources of ``Fields.items``, each once, in order."""
    return tuple(dict.fromkeys(read_media(value, name) for name, value in items))


def count_images(items: Iterable[tuple[str, Any]]) -> int:
    """How many different sources there are; too many is said before what is wrong with one."""
    items = list(items)
    try:
        return len(read_all(items))
    except InvalidRequest:
        return len({repr(value) for _, value in items})


def pictures(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The images as ``VideoRequest`` fields: one is ``image``, two or more are ``references``."""
    images = read_all(items)
    if not images:
        return {}
    return {"image": images[0]} if len(images) == 1 else {"references": images}


def write_media(
    media: Media, dialect: str, field: str, address: str = "url", identifier: str = "file_id"
) -> dict[str, str]:
    """A source as an object. ``address`` and ``identifier`` are the dialect's keys.

    Raises ``Inexpressible`` for what an upstream could not open.
    """
    if media.url:
        return {address: media.url}
    if media.file_id:
        return {identifier: media.file_id}
    if media.voice_id and field == "reference_audios":
        return {"voice_id": media.voice_id}
    raise Inexpressible(dialect, field)
