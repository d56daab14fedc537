"""The words drawn on a clip: the badge on every frame, and the prompt while the clip begins."""

import re
import unicodedata
from functools import cache

import cv2
import numpy as np

from filmgate.providers.sandbox.movie import Picture

BADGE_EN = "SANDBOX · procedural preview, not AI"
BADGE_ZH = "沙盒演示 · 程序绘制,非 AI 生成"
CAPTION_SECONDS = 3.5

_HAN = re.compile(r"[\u3400-\u9fff]")
_FADE_SECONDS = 0.5
_MAX_LINES = 2


def has_han(text: str) -> bool:
    """Whether a text contains Chinese characters."""
    return _HAN.search(text) is not None


class Overlay:
    """Draws the badge and the caption of one clip onto its frames."""

    def __init__(
        self, prompt: str, width: int, height: int, seconds: float, *, chinese: bool
    ) -> None:
        """`seconds` is how long the captioned part lasts: a caption never reaches its end.

        `chinese` picks the badge's language.
        """
        short = min(width, height)
        self._badge = _badge(BADGE_ZH if chinese else BADGE_EN, short, width)
        self._caption = _caption(prompt, width, short)
        self._caption_until = min(CAPTION_SECONDS, 0.7 * seconds)

    def draw(self, picture: Picture, t: float) -> None:
        """Draw on `picture` in place; `t` counts seconds from the start of the captioned part."""
        height, width = picture.shape[:2]
        if self._caption is not None and 0 <= t < self._caption_until:
            alpha, colour = self._caption
            rise = min(t / _FADE_SECONDS, 1.0)
            fall = min((self._caption_until - t) / _FADE_SECONDS, 1.0)
            area = picture[height - alpha.shape[0] :, : alpha.shape[1]]
            _blend(area, alpha, colour, rise * fall)
        badge = self._badge
        # Solid, so that a badge drawn over an earlier one leaves a clean badge.
        picture[: badge.shape[0], width - badge.shape[1] :] = badge


def _badge(text: str, short: int, room: int) -> Picture:
    size = max(10, round(short * 0.0235))
    pad = round(size * 0.55)
    left, top, right, bottom = _extent(text, size, 500)
    panel = np.full((bottom - top + 2 * pad, right - left + 2 * pad, 3), 22, np.uint8)
    _put(panel, text, pad - left, pad - top, size, 500, (226, 228, 232))
    share = min(1.0, room / panel.shape[1], short / 3 / panel.shape[0])
    return cv2.resize(panel, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def _caption(prompt: str, width: int, short: int) -> tuple[Picture, Picture] | None:
    """An alpha and a colour picture for the bottom left corner; None when it cannot be written."""
    text = " ".join(prompt.split())
    if not text or not all(map(_drawable, set(text))):
        return None
    size = max(13, round(short * 0.036))
    margin = round(short * 0.045)
    lines = _wrapped(text, size, round(width * 0.78))
    step = round(size * 1.35)
    panel_height = margin + step * len(lines) + round(size * 0.6)
    letters = np.zeros((panel_height, width, 3), np.uint8)
    for row, line in enumerate(lines):
        baseline = round(size * 0.6) + step * row + size
        _put(letters, line, margin, baseline, size, 500, (255, 255, 255))
    shade = cv2.GaussianBlur(letters, (0, 0), size * 0.28).astype(np.float32) * 1.25
    alpha = np.maximum(letters, np.minimum(shade, 190)).astype(np.uint8)
    return alpha, letters


def _wrapped(text: str, size: int, room: int) -> list[str]:
    """At most two lines of at most `room` pixels, ending in an ellipsis when that cuts the text."""
    pieces = re.findall(r"[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+|\s+", text)
    lines = [""]
    for piece in pieces:
        if _advance(lines[-1] + piece, size) <= room or not lines[-1].strip():
            lines[-1] += piece
        else:
            lines.append(piece.lstrip())
        if len(lines) > _MAX_LINES or _advance(lines[-1], size) > room:
            break
    else:
        return [line.rstrip() for line in lines]
    last = lines[:_MAX_LINES][-1]
    while last and _advance(last + "…", size) > room:
        last = last[:-1]
    return [line.rstrip() for line in lines[: min(len(lines), _MAX_LINES) - 1]] + [last + "…"]


def _blend(area: Picture, alpha: Picture, colour: Picture, opacity: float) -> None:
    keep = cv2.convertScaleAbs(alpha, alpha=-opacity, beta=255.0)
    under = cv2.multiply(area, keep, scale=1 / 255)
    cv2.add(under, cv2.convertScaleAbs(colour, alpha=opacity), dst=area)


@cache
def _font(name: str) -> cv2.FontFace:
    return cv2.FontFace(name)


def _face(text: str) -> cv2.FontFace:
    # "uni" is WenQuanYi, "sans" is Rubik; both are compiled into OpenCV.
    return _font("uni" if has_han(text) else "sans")


def _put(
    picture: Picture,
    text: str,
    x: int,
    baseline: int,
    size: int,
    weight: int,
    colour: tuple[int, int, int],
) -> None:
    cv2.putText(picture, text, (x, baseline), colour, _face(text), size, weight)


def _extent(text: str, size: int, weight: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the text's ink when it is written at the origin."""
    x, y, width, height = cv2.getTextSize((8192, 1024), text, (0, 0), _face(text), size, weight)
    return x, y, x + width, y + height


def _advance(text: str, size: int) -> int:
    return _extent(text, size, 500)[2] if text.strip() else 0


@cache
def _drawable(letter: str) -> bool:
    """Whether the built-in fonts have this letter and we can set it (left to right, unshaped)."""
    if letter.isspace() or letter == "?":
        return True
    if unicodedata.bidirectional(letter) in {"R", "AL"}:
        return False
    drawn, question = (np.zeros((40, 40, 3), np.uint8) for _ in range(2))
    for picture, text in ((drawn, letter), (question, "?")):
        cv2.putText(picture, text, (4, 30), (255, 255, 255), _font("uni"), 24, 400)
    # OpenCV draws a question mark for a glyph that it does not have.
    return not np.array_equal(drawn, question)
