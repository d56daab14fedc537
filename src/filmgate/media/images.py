"""What an image is, read from its header alone: cheap and safe to run on anything a caller sends.

Every refusal is an ``InvalidRequest`` that says what to send instead, and quotes none of the data.
"""

from __future__ import annotations

import io
import warnings
from typing import NamedTuple

from PIL import Image, PngImagePlugin

from filmgate.core.errors import InvalidRequest
from filmgate.core.media import WANTED, sniff

# Process-wide, once: warnings.catch_warnings is not safe among threads.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Pillow inflates a PNG's compressed texts while it opens it, 64 MB of them by default.
PngImagePlugin.MAX_TEXT_MEMORY = 4 << 20


class ImageFacts(NamedTuple):
    """``format`` is JPEG, PNG, WEBP, GIF or BMP; the sides are in pixels, before any EXIF turn."""

    format: str
    width: int
    height: int


MIN_SIDE, MAX_SIDE = 32, 12_000
MAX_RATIO = 12
MAX_PIXELS = 50_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
# Where an honest header ends. Pillow walks it marker by marker in Python, so 8 MB of empty markers
# would hold a thread for seconds.
_HEADER_BYTES = 1 << 20


def image_facts(data: bytes) -> ImageFacts:
    """Format and size of an image, from its header; no pixel is decoded.

    Raises ``InvalidRequest`` with code ``invalid_image`` for what is no image of the five formats,
    ``image_shape`` for one too small, too large or too long.
    """
    # WebP is the one format whose opener wants the whole file; it is parsed in C.
    opened = data if sniff(data) == "image/webp" else data[:_HEADER_BYTES]
    try:
        with Image.open(io.BytesIO(opened), formats=_FORMATS) as image:
            # A JPEG with more pictures behind the first (a phone's depth map) is called MPO.
            found = "JPEG" if image.format == "MPO" else str(image.format)
            width, height = image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _bad_shape(f"has more than {MAX_PIXELS // 1_000_000} million pixels") from error
    except Exception as error:  # a hostile header makes Pillow raise nearly anything
        raise InvalidRequest(
            f"the image cannot be read: send {WANTED['image']} that is whole",
            code="invalid_image",
        ) from error
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_SIDE:
        raise _bad_shape(f"is {width}×{height}; each side must be {MIN_SIDE} to {MAX_SIDE} pixels")
    if width * height > MAX_PIXELS:
        raise _bad_shape(f"has more than {MAX_PIXELS // 1_000_000} million pixels")
    if max(width, height) > MAX_RATIO * min(width, height):
        raise _bad_shape(f"is {width}×{height}, longer than {MAX_RATIO} to 1")
    return ImageFacts(found, width, height)


def _bad_shape(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"the image {what}: send one of an ordinary size, such as 1280×720", code="image_shape"
    )
