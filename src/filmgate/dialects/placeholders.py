"""The names that prompts give to images: ``@图一``, ``@图1``, ``@image1``, ``<IMAGE_0>`` (000).

A ``VideoRequest`` keeps the caller's prompt as it was typed. ``placeholders`` puts a prompt into
the form that its reader expects; a dialect does so only when it writes another dialect's request.
"""

from __future__ import annotations

import re
from typing import Literal

Style = Literal["at", "tag"]

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_PLACEHOLDER = re.compile(
    r"@\s?(?:图片?|image|img)[ _]?(\d{1,2}|[一二两三四五六七八九]?十[一二三四五六七八九]?|"
    r"[一二两三四五六七八九])(?!\d)"
    r"|<\s?image_(\d{1,2})\s?>",
    re.IGNORECASE,
)


def placeholders(prompt: str, style: Style = "at") -> str:
    """``prompt`` with every image named as ``@image1`` (``at``) or ``<IMAGE_0>`` (``tag``).

    ``@`` names count from one and ``<IMAGE_n>`` from zero, in the order of the images (contracts,
    section 2).
    """

    def renamed(match: re.Match[str]) -> str:
        number = _number(match[1]) if match[1] else int(match[2]) + 1
        if number < 1:
            return match[0]
        return f"@image{number}" if style == "at" else f"<IMAGE_{number - 1}>"

    return _PLACEHOLDER.sub(renamed, prompt)


def _number(text: str) -> int:
    """``12``, ``十二`` or ``二`` as a number, up to 99."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _DIGITS[text]
    return 10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0)
