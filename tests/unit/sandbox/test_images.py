"""Images from strangers."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from filmgate.providers.sandbox.images import crop, focus, open_image
from filmgate.providers.sandbox.job import Refusal
from filmgate.providers.sandbox.still import Still
from tests.unit.sandbox.media import image, job, refused


def png(width: int, height: int, *, extra: bytes = b"") -> bytes:
    """A PNG that claims a size, with hardly any pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + extra + pixels + chunk(b"IEND", b"")


def bomb() -> bytes:
    """A PNG whose text chunk unpacks to 200 MB."""
    data = b"k\0\0" + zlib.compress(bytes(200 * 1024**2), 9)
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data
    return png(64, 64, extra=chunk + struct.pack(">I", zlib.crc32(b"zTXt" + data)))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>'
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\nshowpage\n"


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (png(60_000, 60_000), "", "50 million pixels"),
        (png(12_001, 2000), "", "at most 12000 pixels"),
        (png(8_000, 8_000), "", "50 million pixels"),
        (png(1, 1), "image_shape", "The image is 1x1"),
        (png(31, 64), "image_shape", "at least 32 pixels"),
        (png(1300, 100), "image_shape", "at most 12 times"),
        (png(100, 1300), "image_shape", "at most 12 times"),
        (png(64, 64), "", "damaged"),
        (bomb(), "", "damaged"),
        (SVG, "", "not one of JPEG, PNG, WEBP, GIF, BMP"),
        (POSTSCRIPT, "", "not one of"),
        (b"", "", "not one of"),
        (b"\0" * (8 * 1024**2 + 1), "", "larger than 8 MB"),
    ],
)
def test_hostile_images_are_refused(tmp_path: Path, data: bytes, reason: str, words: str) -> None:
    path = tmp_path / "i.png"
    path.write_bytes(data)
    with pytest.raises(Refusal, match=words) as caught:
        open_image(path)
    assert ("invalid_argument", reason) == (caught.value.error.code, caught.value.error.reason)


def test_a_truncated_jpeg_is_refused(tmp_path: Path) -> None:
    path = image(tmp_path / "i.jpg", 400, 300)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(Refusal, match="damaged"):
        open_image(path)


def test_the_reason_reaches_the_parent(tmp_path: Path) -> None:
    source = image(tmp_path / "i.png", 700, 40)
    error = refused(job(tmp_path, images=[str(source)]))
    assert ("invalid_argument", "image_shape") == (error.code, error.reason)


@pytest.mark.parametrize("name", ["i.jpg", "i.png", "i.webp", "i.gif", "i.bmp"])
def test_usual_formats_are_opened(tmp_path: Path, name: str) -> None:
    picture = open_image(image(tmp_path / name, 90, 60))
    assert (60, 90, 3) == picture.shape
    assert np.uint8 == picture.dtype


def test_a_large_photo_is_reduced(tmp_path: Path) -> None:
    assert 2560 == max(open_image(image(tmp_path / "i.jpg", 6000, 4000)).shape)


def test_exif_turn_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    assert (90, 60, 3) == open_image(image(tmp_path / "i.jpg", 90, 60, exif=exif)).shape


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "I;16", "CMYK", "1"])
def test_every_mode_becomes_colour(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("i.jpg" if mode == "CMYK" else "i.png")
    Image.new(mode, (64, 64)).save(path)
    assert (64, 64, 3) == open_image(path).shape


def test_transparency_is_white(tmp_path: Path) -> None:
    path = tmp_path / "i.png"
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(path)
    assert 255 == open_image(path).min()


def test_a_crop_keeps_what_draws_the_eye() -> None:
    picture = np.full((300, 1200, 3), 60, np.uint8)
    picture[100:200, 1000:1100] = (255, 160, 0)
    square = crop(picture, 300, 300)
    assert (300, 300, 3) == square.shape
    assert (square[..., 0] > 240).sum() > 8000


def test_a_blank_image_has_a_middle() -> None:
    """Without detail there is nothing to be near or in focus: no division by zero."""
    blank = np.full((90, 160, 3), 128, np.uint8)
    assert (0.5, 0.5) == pytest.approx(focus(blank), abs=0.01)
    assert np.array_equal(blank, Still(blank, "push").frame(2.0))
