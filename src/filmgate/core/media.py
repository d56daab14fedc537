"""What a caller may hand us as an image or a clip, checked before anything is fetched or decoded.

Sizes count 8 MB (document 000: the most for an image) as 8 MiB, so that a file is fine by either
reckoning.
Every refusal is an ``InvalidRequest`` that says what to send instead, and quotes none of the data.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from typing import Literal
from urllib.parse import urlsplit

from filmgate.core.errors import InvalidRequest

Kind = Literal["image", "video"]
LIMITS: dict[Kind, int] = {"image": 8 << 20, "video": 64 << 20}
"""The most bytes of one input, by kind."""

WANTED: dict[Kind, str] = {
    "image": "an image (jpeg, png, webp, gif or bmp)",
    "video": "an MP4 video",
}
MAX_URL_LENGTH = 8192


# -- data URLs ----------------------------------------------------------------------------------

_HEADER = re.compile(
    r"data:(?:image/[\w.+-]+|video/[\w.+-]+|application/octet-stream)?"
    r"(?:;[\w-]+=[\w.-]+)*;base64,",
    re.IGNORECASE | re.ASCII,
)
_HEADER_WINDOW = 256
_STANDARD = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\n\v\f\r"


def parse_data_url(text: str, kinds: Collection[Kind]) -> tuple[str, bytes]:
    """The media type (by its first bytes, whatever the URL claims) and the bytes of a data URL.

    Its base64 may be wrapped, in the URL-safe alphabet and without padding.
    Raises ``InvalidRequest`` with code ``invalid_image`` (``invalid_video`` where only a clip will
    do) when it is not base64, too large (decided before decoding) or of a kind not in ``kinds``.
    """
    code = _code_of(kinds)
    header = _HEADER.match(text[:_HEADER_WINDOW])
    if header is None:
        raise InvalidRequest(
            "this is not a data URL that can be read: "
            "send data:image/png;base64,… (base64, not percent-encoded) or an https URL",
            code=code,
        )
    # Base64 of e-mail and of command lines is wrapped, that of web pages is often URL-safe.
    packed = text[header.end() :].encode("ascii", "replace").translate(_STANDARD, _BLANKS)
    size = len(packed.rstrip(b"=")) * 3 // 4
    if size > max(LIMITS[kind] for kind in kinds):
        raise _too_large(kinds, code)
    try:
        data = base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except ValueError as error:
        raise InvalidRequest(
            "the base64 in the data URL is broken: "
            "encode the whole file, and put nothing but its base64 after the comma",
            code=code,
        ) from error
    mime = sniff(data)
    kind = next((kind for kind in kinds if (mime or "").startswith(f"{kind}/")), None)
    if mime is None or kind is None:
        raise InvalidRequest(f"the data URL does not hold {_wanted(kinds)}: send one", code=code)
    if size > LIMITS[kind]:
        raise _too_large([kind], code)
    return mime, data


def _code_of(kinds: Collection[Kind]) -> str:
    return "invalid_image" if "image" in kinds else "invalid_video"


def _wanted(kinds: Collection[Kind]) -> str:
    return " or ".join(WANTED[kind] for kind in sorted(kinds))


def _too_large(kinds: Collection[Kind], code: str) -> InvalidRequest:
    most = " or ".join(f"{LIMITS[kind] >> 20} MB of {kind}" for kind in sorted(kinds))
    return InvalidRequest(f"the data URL is too large: send at most {most}", code=code)


# -- URLs ---------------------------------------------------------------------------------------


def check_url(text: str) -> str:
    """``text`` without blanks around it, once it is an absolute http or https URL we may fetch.

    Where its host leads is not asked here. Raises ``InvalidRequest`` with code ``invalid_url``.
    """
    text = text.strip()
    if len(text) > MAX_URL_LENGTH:
        raise _bad_url(f"is longer than {MAX_URL_LENGTH} characters")
    if re.search(r"[\x00-\x20\x7f]", text):
        raise _bad_url("holds blanks or control characters; percent-encode them")
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise _bad_url("cannot be read") from error
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise _bad_url("is not an absolute http or https URL")
    if url.username is not None or url.password is not None:
        raise _bad_url("holds a user name or password")
    return text


def _bad_url(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"the URL {what}: send one like https://example.com/photo.jpg, or a data URL",
        code="invalid_url",
    )


# -- bytes --------------------------------------------------------------------------------------

_NOT_VIDEO_BRANDS = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
    | {b"crx ", b"M4A ", b"M4B ", b"qt  "}
)


def sniff(head: bytes) -> str | None:
    """The media type that a file's first 16 bytes show, or None for what we do not take."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":  # the reserved fields
        return "image/bmp"
    if head[4:8] == b"ftyp" and len(head) >= 12 and head[8:12] not in _NOT_VIDEO_BRANDS:
        return "video/mp4"
    return None
