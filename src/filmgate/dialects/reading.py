"""Reads what callers send liberally: any spelling of a name, a number, a switch or a frame size.

Whatever cannot be read raises ``InvalidRequest`` that names the field; nothing here crashes on any
JSON value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from filmgate.core.catalog import Model
from filmgate.core.errors import InvalidRequest, MalformedBody
from filmgate.core.video import AspectRatio, Resolution

ASPECT_RATIOS: tuple[AspectRatio, ...] = get_args(AspectRatio)
RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# More than any honest request has; reading them would take long.
_MOST_FIELDS = 1000
_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\]){1,3})")
_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0*)?\s*(?:s|secs?|seconds?|秒)?", re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,18})?")
_SIZE = re.compile(r"(\d{1,5})\s*[x*×:：]\s*(\d{1,5})", re.IGNORECASE)
_LINES = re.compile(r"(\d{3,4})\s*p?", re.IGNORECASE)
# An object or a list of such, no deeper than any image or ``metadata`` of a client.
_Plain = str | int | float | bool | None
_Object = dict[str, _Plain | dict[str, _Plain] | list[_Plain]]
_TEXT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Object | list[_Object | str])
_PIXELS = 100  # from here on AxB is a size in pixels, below it a bare ratio
_SWITCH = {
    "true": True, "1": True, "yes": True, "on": True,
    "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip


def snake(name: str) -> str:
    """``imageUrls`` as ``image_urls``."""
    return _CAMEL.sub("_", name).lower()


class Fields:
    """A body's fields by their snake_case names; what is ``empty`` counts as absent.

    A name spelled exactly wins over its camelCase alias. ``within`` is put before the names that
    refusals tell, as in ``metadata.size``. Raises ``MalformedBody`` when the body is not an object.
    """

    def __init__(self, body: Any, within: str = "") -> None:
        if not isinstance(body, dict):
            raise MalformedBody("The body must be a JSON object.")
        given: dict[str, tuple[str, Any]] = {
            key: (within + key, value) for key, value in body.items() if not empty(value)
        }
        self._within = within
        self._values = {snake(key): found for key, found in given.items()} | given

    def find(self, *names: str) -> tuple[str, Any]:
        """The first of these fields that is there, as (the caller's spelling, value).

        ``(names[0], None)`` when none is, under ``within`` as well.
        """
        for name in names:
            if name in self._values:
                return self._values[name]
        return self._within + names[0], None

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

    def user(self) -> str:
        """Who the caller's own user is; a number as a text, and anything else is not for us."""
        _, value = self.find("user")
        if isinstance(value, str):
            return value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return str(value) if number and abs(value) < 2**63 else ""

    def switch(self, *names: str) -> bool | None:
        """The first of these fields as a boolean: ``true``, ``"true"``, ``1`` and the like."""
        name, value = self.find(*names)
        return None if value is None else switch(value, name)

    def items(self, *names: str) -> list[tuple[str, Any]]:
        """The values of all these fields as (spelling, value), lists taken apart, in order."""
        found = []
        for name, value in (self.find(name) for name in names):
            members = value if isinstance(value, list) else [value]
            if len(members) > _MOST_FIELDS:
                raise InvalidRequest(
                    f"{name} lists more than {_MOST_FIELDS} things.", code="too_many", param=name
                )
            found += [(name, member) for member in members if not empty(member)]
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


def empty(value: Any) -> bool:
    """Whether a value says nothing: ``null``, a blank text, or an object or list of only those."""
    if isinstance(value, dict):
        return all(empty(inner) for inner in value.values())
    if isinstance(value, list):
        return all(empty(inner) for inner in value)
    return value is None or (isinstance(value, str) and not value.strip())


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
    if len(body) > _MOST_FIELDS:
        raise InvalidRequest(f"The form has more than {_MOST_FIELDS} fields.")
    plain = {key: value for key, value in body.items() if not _BRACKETS.fullmatch(key)}
    for key, value in body.items():
        if match := _BRACKETS.fullmatch(key):
            _graft(plain, match[1], match[2][1:-1].split("]["), value)
    return plain


def field_of(name: str, body: Mapping[str, Any]) -> str:
    """The field of an unfolded form that its part of this name went into."""
    return name if name in body else name.partition("[")[0]


def without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """``body`` but for these fields, in any spelling."""
    return {key: value for key, value in body.items() if snake(key) not in names}


def open_texts(body: Any, *names: str) -> Any:
    """``body`` with those of these fields that hold JSON as a text read as what they hold.

    A form has no other way to send an object; a text that is no such JSON stays as it is.
    """
    if not isinstance(body, dict):
        return body
    return {key: _opened(value) if snake(key) in names else value for key, value in body.items()}


def _opened(value: Any) -> Any:
    if isinstance(value, list):
        return [_opened(member) if isinstance(member, str) else member for member in value]
    # Most texts are data URLs of megabytes.
    if not isinstance(value, str) or not value[:100].lstrip().startswith(("{", "[")):
        return value
    try:
        return _TEXT.decode(value)
    except (msgspec.DecodeError, UnicodeError):
        return value


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
