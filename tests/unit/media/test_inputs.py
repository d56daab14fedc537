"""What callers hand us as media: data URLs, URLs, first bytes, image headers."""

from __future__ import annotations

import base64
import contextlib
import io
import re
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from filmgate.core.errors import InvalidRequest
from filmgate.core.media import LIMITS, check_url, parse_data_url, sniff
from filmgate.media.images import ImageFacts, image_facts

MP4_HEAD = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"


def picture(format: str, size: tuple[int, int] = (64, 48)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(made, format)
    return made.getvalue()


def data_url(data: bytes, header: str = "data:image/png;base64,") -> str:
    return header + base64.b64encode(data).decode()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes) -> bytes:
    """A PNG that only claims its size: a hundred zeros are all its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + pixels + chunk(b"IEND", b"")


# -- data URLs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "data:image/png;base64,",
        "DATA:IMAGE/PNG;BASE64,",
        "data:image/jpg;base64,",
        "data:image/png;charset=utf-8;base64,",
        "data:application/octet-stream;base64,",
        "data:;base64,",
    ],
)
def test_a_data_url_is_typed_by_its_bytes(header: str) -> None:
    data = picture("PNG")
    assert ("image/png", data) == parse_data_url(data_url(data, header), {"image"})


def test_base64_of_any_make() -> None:
    data = b"\xff\xd8\xff" + bytes(range(256))
    text = data_url(data)
    assert len(data) % 3
    header, _, code = text.partition(",")
    wrapped = "\r\n".join(code[at : at + 76] for at in range(0, len(code), 76))
    for made in (
        f"{header},\n{wrapped}\n",
        f"{header}, {code.replace('+', '-').replace('/', '_')}\t",
        text.rstrip("="),
        text.rstrip("=") + "\n=\n=" * (len(code) - len(code.rstrip("=")) == 2),
    ):
        assert ("image/jpeg", data) == parse_data_url(made, {"image"})


def test_line_breaks_are_not_counted() -> None:
    largest = data_url(b"\xff\xd8\xff" + bytes(LIMITS["image"] - 3))
    wrapped = "".join(f"{largest[at : at + 76]}\n" for at in range(0, len(largest), 76))
    assert LIMITS["image"] == len(parse_data_url(wrapped, {"image"})[1])


def test_a_clip_as_data_url() -> None:
    text = data_url(MP4_HEAD, "data:video/mp4;base64,")
    assert parse_data_url(text, {"video"}) == ("video/mp4", MP4_HEAD)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("data:image/png,%89PNG", "not percent-encoded"),
        ("data:image/svg+xml;utf8,<svg/>", "not percent-encoded"),
        ("data:text/html;base64,PGI+", "https URL"),
        (" data:image/png;base64,AAAA", "https URL"),
        ("xdata:image/png;base64,AAAA", "https URL"),
        ("data:image/png" + ";a=b" * 100 + ";base64,AAAA", "https URL"),
        ("data:image/png;base64,iVBO图0K", "base64"),
        ("data:image/png;base64,iVBO\u00a0Rw0K", "base64"),
        ("data:image/png;base64,iVBO%2BRw0K", "base64"),
        ("data:image/png;base64,iVBO=Rw0", "base64"),
        ("data:image/png;base64,iVBORw0KG", "base64"),
        ("data:image/png;base64,iVBORw0KGgo==", "base64"),
        ("data:image/png;base64,", "jpeg, png, webp, gif or bmp"),
        (data_url(b"<svg onload=alert(1)/>", "data:image/svg+xml;base64,"), "jpeg, png"),
        (data_url(MP4_HEAD, "data:image/png;base64,"), "jpeg, png"),
    ],
)
def test_a_data_url_that_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(says)) as refusal:
        parse_data_url(text, {"image"})
    assert refusal.value.code == "invalid_image"
    assert len(refusal.value.message) < 200


def test_a_picture_where_a_clip_is_wanted() -> None:
    with pytest.raises(InvalidRequest, match="does not hold an MP4 video") as refusal:
        parse_data_url(data_url(picture("PNG")), {"video"})
    assert refusal.value.code == "invalid_video"


def test_size_is_judged_before_decoding() -> None:
    limit = LIMITS["image"]
    largest = b"\xff\xd8\xff" + bytes(limit - 3)
    assert limit == len(parse_data_url(data_url(largest), {"image"})[1])
    # The stars could never be decoded, so only the size can be what is wrong.
    for text in ("data:image/png;base64," + "*" * (limit // 3 * 4 + 8), data_url(largest + b"\0")):
        with pytest.raises(InvalidRequest, match="at most 8 MB of image"):
            parse_data_url(text, {"image"})


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, "data:image/png;base64," + text):
        with pytest.raises(InvalidRequest):
            parse_data_url(candidate, {"image", "video"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ("  http://example.com:80/a?b=c#d\n", "http://example.com:80/a?b=c#d"),
        ("HTTPS://EXAMPLE.COM/", "HTTPS://EXAMPLE.COM/"),
        ("https://例子.中国/图.png", "https://例子.中国/图.png"),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]/a"),
    ],
)
def test_a_url_we_take(text: str, expected: str) -> None:
    assert expected == check_url(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "absolute http or https"),
        ("/photo.jpg", "absolute http or https"),
        ("//example.com/a", "absolute http or https"),
        ("example.com/a", "absolute http or https"),
        ("https:///a", "absolute http or https"),
        ("file:///etc/passwd", "absolute http or https"),
        ("gopher://example.com/", "absolute http or https"),
        ("javascript:alert(1)", "absolute http or https"),
        ("https://user@example.com/", "user name or password"),
        ("https://:secret@example.com/", "user name or password"),
        ("https://example.com/a b", "control characters"),
        ("https://exa\tmple.com/", "control characters"),
        ("https://example.com:99999/", "cannot be read"),
        ("https://example.com:x/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://example.com/" + "a" * 8192, "longer than 8192"),
    ],
)
def test_a_url_we_refuse(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as refusal:
        check_url(text)
    assert refusal.value.code == "invalid_url"
    assert "secret" not in refusal.value.message


# -- first bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (picture("JPEG")[:16], "image/jpeg"),
        (picture("PNG")[:16], "image/png"),
        (picture("WEBP")[:16], "image/webp"),
        (picture("GIF")[:16], "image/gif"),
        (picture("BMP")[:16], "image/bmp"),
        (MP4_HEAD[:16], "video/mp4"),
        (b"\0\0\0\x1cftypavif", None),
        (b"\0\0\0\x18ftypheic", None),
        (b"\0\0\0\x14ftypqt  ", None),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"BMW drives through the rain", None),
        (b"<svg xmlns=", None),
        (b"%!PS-Adobe", None),
        (b"#EXTM3U\n", None),
        (b"\x1f\x8b\x08", None),
        (b"", None),
    ],
)
def test_sniff(head: bytes, expected: str | None) -> None:
    assert expected == sniff(head)


# -- image headers ------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_the_size_of_an_image(format: str) -> None:
    assert ImageFacts(format, 64, 48) == image_facts(picture(format))


def test_the_header_is_enough() -> None:
    assert ImageFacts("JPEG", 640, 480) == image_facts(picture("JPEG", (640, 480))[:700])


def test_a_phones_jpeg_with_a_second_picture() -> None:
    made = io.BytesIO()
    second = Image.new("RGB", (64, 48))
    Image.new("RGB", (640, 480)).save(made, "MPO", save_all=True, append_images=[second])
    assert ImageFacts("JPEG", 640, 480) == image_facts(made.getvalue())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (png(31, 64), "image_shape"),
        (png(1, 1), "image_shape"),
        (png(12_001, 2000), "image_shape"),
        (png(1300, 100), "image_shape"),
        (png(100, 1300), "image_shape"),
        (png(8000, 7000), "image_shape"),
        (png(9900, 9900), "image_shape"),
        (png(60_000, 60_000), "image_shape"),
        (b"", "invalid_image"),
        (b"\x89PNG\r\n\x1a\n", "invalid_image"),
        (picture("JPEG")[:20], "invalid_image"),
        (picture("WEBP")[:30], "invalid_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "invalid_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "invalid_image"),
        (b"P6 64 64 255\n" + bytes(64 * 64 * 3), "invalid_image"),
        (png(64, 64, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50 << 20)))), "invalid_image"),
        (png(64, 64, chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(50 << 20)))), "invalid_image"),
        (
            png(64, 64, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1_000_000))) * 50),
            "invalid_image",
        ),
    ],
)
def test_a_hostile_image(data: bytes, code: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidRequest, match="send ") as refusal:
        image_facts(data)
    assert code == refusal.value.code
    assert time.process_time() - began < 0.5


def test_twelve_to_one_is_still_taken() -> None:
    assert ImageFacts("PNG", 1200, 100) == image_facts(png(1200, 100))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * (2 << 20),
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
        + chunk(b"abCd", b"") * 600_000,
        b"GIF89a\x40\0\x40\0\0\0\0" + b"\x21\xfe\x01a\0" * 1_600_000,
    ],
    ids=["jpeg", "png", "gif"],
)
def test_an_endless_header_costs_little(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(InvalidRequest):
        image_facts(data)
    assert time.process_time() - began < 1.5


@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP"]))
def test_any_bytes_are_measured_or_refused(noise: bytes, format: str) -> None:
    whole = picture(format)
    for data in (noise, whole[: len(whole) // 2] + noise, whole[:24] + noise + whole[24:]):
        with contextlib.suppress(InvalidRequest):
            assert image_facts(data).width >= 32
