"""Opens an image that anyone may have sent, and crops it to the clip's shape around its subject."""

import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from filmgate.providers.sandbox.job import Refusal
from filmgate.providers.sandbox.movie import Floats, Picture

MAX_BYTES = 8 * 1024**2
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
MAX_PIXELS = 50_000_000
SIDE = (32, 12_000)
MAX_RATIO = 12

_WORK_SIDE = 2560  # the largest clip is 1920 wide and the camera comes closer by a fifth
_MAP = 96  # pixels across the map of interest
_SHORT_LIST = 24  # places tried along the crop


def open_image(path: Path) -> Picture:
    """The image, turned upright, on white where it is transparent.

    Raises `Refusal`; its reason is ``image_shape`` when only the proportions are at fault.
    """
    if path.stat().st_size > MAX_BYTES:
        raise Refusal(f"The image is larger than {MAX_BYTES >> 20} MB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                _check_shape(*image.size)
                image.draft("RGB", (_WORK_SIDE, _WORK_SIDE))  # lets JPEG decode at a fraction
                return _opaque(ImageOps.exif_transpose(image))
    except Refusal:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Refusal(f"The image has more than {MAX_PIXELS // 10**6} million pixels.") from error
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files
        formats = ", ".join(FORMATS)
        raise Refusal(f"The image is damaged or not one of {formats}.") from error


def crop(picture: Picture, width: int, height: int) -> Picture:
    """The picture at width x height: cut to that shape where it shows most, then scaled."""
    rows, columns = picture.shape[:2]
    scale = max(width / columns, height / rows)
    part_w, part_h = min(columns, round(width / scale)), min(rows, round(height / scale))
    busy = interest(picture)
    left = _best_start(busy.sum(0), columns, part_w)
    top = _best_start(busy.sum(1), rows, part_h)
    part = picture[top : top + part_h, left : left + part_w]
    shrinking = part_w > width
    return cv2.resize(
        part, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    )


def interest(picture: Picture) -> Floats:
    """How much each place draws the eye, as a small map: detail, colour, the middle."""
    small = cv2.resize(picture, (_MAP, _MAP), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    detail = np.abs(lab[..., 0] - cv2.GaussianBlur(lab[..., 0], (0, 0), 4))
    unusual = np.linalg.norm(lab - lab.mean((0, 1)), axis=2)
    axis = np.linspace(-1, 1, _MAP, dtype=np.float32)
    middle = np.exp(-(axis[None] ** 2 + axis[:, None] ** 2))
    total = (detail / (detail.mean() + 1) + unusual / (unusual.mean() + 1)) * (0.35 + middle)
    return np.asarray(cv2.GaussianBlur(total, (0, 0), 3))


def focus(picture: Picture) -> tuple[float, float]:
    """The middle of what draws the eye, as shares of width and height."""
    busy = interest(picture) ** 3
    total = float(busy.sum())
    if total == 0:
        return 0.5, 0.5
    axis = (np.arange(_MAP) + 0.5) / _MAP
    return float((busy.sum(0) * axis).sum()) / total, float((busy.sum(1) * axis).sum()) / total


def _check_shape(width: int, height: int) -> None:
    low, high = SIDE
    if min(width, height) < low or max(width, height) > MAX_RATIO * min(width, height):
        raise Refusal(
            f"The image is {width}x{height}: send one with a usual shape, at least {low} pixels "
            f"a side and at most {MAX_RATIO} times as long as it is wide.",
            reason="image_shape",
        )
    if max(width, height) > high or width * height > MAX_PIXELS:
        raise Refusal(
            f"The image is {width}x{height}: send one of at most {high} pixels a side "
            f"and {MAX_PIXELS // 10**6} million pixels."
        )


def _opaque(image: Image.Image) -> Picture:
    if image.mode.startswith(("I", "F")):  # 16 bits and more: Pillow would clip, not scale
        values = np.asarray(image, np.float32)
        image = Image.fromarray((values / max(float(values.max()), 255.0) * 255).astype(np.uint8))
    image.thumbnail((_WORK_SIDE, _WORK_SIDE))
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        image = Image.new("RGBA", layered.size, "white")
        image.alpha_composite(layered)
    return np.array(image.convert("RGB"))


def _best_start(weights: Floats, length: int, part: int) -> int:
    """Where a window of `part` out of `length` pixels holds the most weight."""
    room = length - part
    if room <= 0:
        return 0
    sums = np.concatenate([[0], np.cumsum(weights)])
    places = np.linspace(0, _MAP, length + 1)
    starts = np.linspace(0, room, _SHORT_LIST).astype(int)
    held = np.interp(places[starts + part], np.arange(_MAP + 1), sums) - np.interp(
        places[starts], np.arange(_MAP + 1), sums
    )
    return int(starts[int(held.argmax())])
