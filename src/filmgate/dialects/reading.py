"""Reads what callers send liberally: any spelling of a name, a number, a switch or a frame size.

Whatever cannot be read raises ``InvalidRequest`` that names the field; nothing here crashes on any
JSON value.
"""

from __future__ import annotations

import math
import re
from typing import Any, get_args

from filmgate.core.catalog import Model
from filmgate.core.errors import InvalidRequest, MalformedBody
from filmgate.core.video import AspectRatio, Resolution

ASPECT_RATIOS: tuple[AspectRatio, ...] = get_args(AspectRatio)
RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\]){1,3})")
_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0*)?\s*(?:s|secs?|seconds?|秒)?", re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,18})?")
_SIZE = re.compile(r"(\d{1,5})\s*[x*×:：]\s*(\d{1,5})", re.IGNORECASE)
_LINES = re.compile(r"(\d{3,4})\s*p?", re.IGNORECASE)
_PIXELS = 100  # from here on AxB is a size in pixels, below it a bare ratio
_SWITCH = {
    "true": True, "1": True, "yes": True, "on": True,
    "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip


def snake(name: str) -> str:
    """``imageUrls`` as ``image_urls``."""
    return _CAMEL.sub("_", name).lower()


class Fields:
    """A body's fields by their snake_case names; ``null``, ``""`` and blanks count as absent.

    A name spelled exactly wins over its camelCase alias. Raises ``MalformedBody`` when the body is
    not an object.
    """

    def __init__(self, body: Any) -> None:
        if not isinstance(body, dict):
            raise MalformedBody("The body must be a JSON object.")
        self._values = {snake(key): (key, value) for key, value in body.items() if _said(value)}
        self._values |= {key: (key, value) for key, value in body.items() if _said(value)}

    def find(self, *names: str) -> tuple[str, Any]:
        """The first of these fields that is there, as (the caller's spelling, value).

        ``(names[0], None)`` when none is.
        """
        for name in names:
            if name in self._values:
                return self._values[name]
        return names[0], None

    def text(self, *names: str) -> str:
        """The first of these fields as a text; ``""`` when absent."""
        name, value = self.find(*names)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise wrong_type(name, "a string")
        return value

    def whole(self, *names: str) -> int | None:
        """The first of these fields as a whole number: ``6``, ``"6"``, ``6.0`` or ``"6s"``."""
        name, value = self.find(*names)
        return None if value is None else whole(value, name)

    def switch(self, *names: str) -> bool | None:
        """The first of these fields as a boolean: ``true``, ``"true"``, ``1`` and the like."""
        name, value = self.find(*names)
        return None if value is None else switch(value, name)

    def items(self, *names: str) -> list[tuple[str, Any]]:
        """The values of all these fields as (spelling, value), lists taken apart, in order."""
        found = []
        for name, value in (self.find(name) for name in names):
            members = value if isinstance(value, list) else [value]
            found += [(name, member) for member in members if _said(member)]
        return found

    def ratio(self) -> AspectRatio | None:
        """The picture's proportions from ``aspect_ratio`` or else ``size``."""
        name, value = self.find("aspect_ratio", "size")
        return None if value is None else read_ratio(value, name)

    def resolution(self) -> Resolution | None:
        """The resolution that is named outright."""
        name, value = self.find("resolution", "resolution_name")
        return None if value is None else read_resolution(value, name)

    def size_class(self) -> Resolution | None:
        """The resolution that a ``size`` in pixels belongs to; ``None`` for a bare ratio."""
        _, value = self.find("size")
        return _class_of(value) if isinstance(value, str) else None


def _said(value: Any) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def wrong_type(name: str, wanted: str) -> InvalidRequest:
    """The refusal of a field that has the wrong JSON type."""
    return InvalidRequest(f"{name} must be {wanted}.", code="invalid_type", param=name)


def required(value: str, message: str, param: str, code: str = "missing_required") -> str:
    """``value`` unless it is blank. Raises ``InvalidRequest`` with ``message``."""
    if not value.strip():
        raise InvalidRequest(message, code=code, param=param)
    return value


def whole(value: Any, name: str) -> int:
    """A whole number of any spelling, within 64 bits; a boolean is not a number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if isinstance(value, str) and (match := _WHOLE.fullmatch(value.strip())):
        return int(match[1])
    raise wrong_type(name, "a whole number")


def decimal(value: Any, name: str) -> float:
    """A finite number of any spelling; a boolean is not a number."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return float(value)
    # Past 2^53 a float no longer holds every integer, and past 1e308 none.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
        return float(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise wrong_type(name, "a number")


def switch(value: Any, name: str) -> bool:
    """A boolean of any spelling."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return value == 1
    if isinstance(value, str) and value.strip().lower() in _SWITCH:
        return _SWITCH[value.strip().lower()]
    raise wrong_type(name, "true or false")


def read_ratio(value: Any, name: str) -> AspectRatio:
    """A bare ratio (``16:9``) or the nearest ratio of a size in pixels (``1280x720``)."""
    if not isinstance(value, str):
        raise wrong_type(name, "a string such as 16:9")
    if match := _SIZE.fullmatch(value.strip()):
        width, height = int(match[1]), int(match[2])
        if width and height:
            nearest = min(ASPECT_RATIOS, key=lambda ratio: abs(width / height / _wide(ratio) - 1))
            # 1792x1024 and 854x480 are 16:9 by name only; a bare ratio must be exact.
            slack = 0.03 if max(width, height) >= _PIXELS else 0
            if abs(width / height / _wide(nearest) - 1) <= slack:
                return nearest
    raise InvalidRequest(
        f"{name} must be one of {', '.join(ASPECT_RATIOS)}, or a size in pixels of such a shape.",
        code="invalid_aspect_ratio",
        param=name,
    )


def read_resolution(value: Any, name: str) -> Resolution:
    """``720p``, ``720`` or a size in pixels as a resolution."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 < value < 10000 else "?"
    if not isinstance(value, str):
        raise wrong_type(name, "a string such as 720p")
    match = _LINES.fullmatch(value.strip())
    for resolution in RESOLUTIONS:
        if resolution == (f"{match[1]}p" if match else _class_of(value)):
            return resolution
    raise InvalidRequest(
        f"{name} must be one of {', '.join(RESOLUTIONS)}.", code="invalid_resolution", param=name
    )


def _class_of(size: str) -> Resolution | None:
    """The class of a size in pixels; one between two classes takes the lower.

    So nobody is billed for more than they named.
    """
    match = _SIZE.fullmatch(size.strip())
    if match is None or max(int(match[1]), int(match[2])) < _PIXELS:
        return None
    lines = min(int(match[1]), int(match[2]))
    return next((r for r in reversed(RESOLUTIONS) if int(r[:-1]) <= lines), RESOLUTIONS[0])


def offered(resolution: Resolution, model: Model) -> Resolution:
    """``resolution``, or the best below it that ``model`` makes (or else its smallest)."""
    makes = [r for r in RESOLUTIONS if r in model.resolutions]
    below = [r for r in makes if int(r[:-1]) <= int(resolution[:-1])]
    return below[-1] if below else makes[0]


def _wide(ratio: AspectRatio) -> float:
    width, height = ratio.split(":")
    return int(width) / int(height)


def pixels(ratio: AspectRatio, resolution: Resolution) -> tuple[int, int]:
    """(width, height) of a frame of this shape; both even, as video codecs want them."""
    short, wide = int(resolution[:-1]), _wide(ratio)
    long = 2 * math.ceil(short * max(wide, 1 / wide) / 2)
    return (long, short) if wide >= 1 else (short, long)


def unfold(body: Any) -> Any:
    """A form's bracket names as the objects and lists they stand for (contracts, section 1.11).

    ``input_reference[image_url]`` becomes ``{"input_reference": {"image_url": …}}`` and a repeated
    ``reference_images[][url]`` a list of objects. Other bodies come back as they are.
    """
    if not isinstance(body, dict) or not any("[" in key for key in body):
        return body
    plain = {key: value for key, value in body.items() if not _BRACKETS.fullmatch(key)}
    for key, value in body.items():
        if match := _BRACKETS.fullmatch(key):
            _graft(plain, match[1], match[2][1:-1].split("]["), value)
    return plain


def _graft(tree: dict[str, Any], name: str, path: list[str], value: Any) -> None:
    """Put ``value`` at ``name`` + ``path``; a step that is empty or a number means a list."""
    step, rest = path[0], path[1:]
    if step == "" or step.isdigit():
        values = value if isinstance(value, list) else [value]
        members: list[Any] = [{rest[0]: member} for member in values] if rest else values
        known = tree.get(name, [])
        tree[name] = (known if isinstance(known, list) else [known]) + members
        return
    branch = tree.get(name)
    branch = dict(branch) if isinstance(branch, dict) else {}
    if rest:
        _graft(branch, step, rest, value)
    else:
        branch[step] = value
    tree[name] = branch
