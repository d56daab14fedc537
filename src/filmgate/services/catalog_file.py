"""The models on offer as a TOML file: read and checked for import, written for export."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from filmgate.core.catalog import Model, read_catalog
from filmgate.core.errors import InvalidRequest
from filmgate.core.pricing import Prices
from filmgate.services.channel_rules import split_error

_NAME = re.compile(r"[!-~]{1,200}")
_ROW = re.compile(r"\[(\d+)\]\.?")
# What rows of one family may share. The others have no TOML value that would undo them in a row.
_SHARED = (
    "shapes",
    "aspect_ratios",
    "prices",
    "seconds",
    "references_seconds",
    "max_references",
    "prompt_characters",
    "created",
)
_OWN = ("fixed_seconds", "fixed_resolution")
_DEFAULTS: dict[str, Any] = {
    field.name: msgspec.json.decode(msgspec.json.encode(field.default))
    for struct in (Model, Prices)
    for field in msgspec.structs.fields(struct)
    if field.default is not msgspec.NODEFAULT
}


def read_models(text: str) -> list[Model]:
    """The models of a file like ``catalog.toml``. Raises ``InvalidRequest`` naming the field."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong("", f"This is not TOML: {error}.") from None
    for name in document:
        if name not in {"family", "model"}:
            raise _wrong(name, f"{name}: only [family.NAME] and [[model]] tables are known.")
    rows = document.get("model", [])
    try:
        # Rows of one name fold into one here, which `checked_models` then sees.
        models = list(read_catalog(document))
    except msgspec.ValidationError as error:
        raise _at_row(error, rows) from None
    return checked_models(models, given=[str(row.get("name")) for row in rows])


def convert_models(rows: list[dict[str, Any]]) -> list[Model]:
    """The models of whole rows. Raises ``InvalidRequest`` naming the row and the field."""
    try:
        models = msgspec.convert(rows, list[Model])
    except msgspec.ValidationError as error:
        raise _at_row(error, rows) from None
    return checked_models(models, given=[model.name for model in models])


def checked_models(models: list[Model], *, given: list[str]) -> list[Model]:
    """``models`` if they can be offered; ``given`` are the names as written."""
    if not models:
        raise _wrong("model", "There is no model in it; customers would have nothing to choose.")
    for name, times in Counter(given).items():
        if times > 1:
            raise _wrong("name", f"{name}: two rows have this name.")
    for model in models:
        for field, problem in _problems(model):
            raise _wrong(field, f"{model.name}: {field} {problem}.")
    return models


def write_models(models: Iterable[Model]) -> str:
    """A file that ``read_models`` takes back: what most rows of a family share stands once."""
    rows = [(model, _row(model)) for model in models]
    shared: dict[str, dict[str, Any]] = {}
    for model, _ in rows:
        mates = [row for other, row in rows if other.family == model.family]
        shared.setdefault(model.family, {name: _most_common(mates, name) for name in _SHARED})
    lines = ["# Models and prices; prices are micro-dollars: 50_000 is $0.05."]
    for family, fields in shared.items():
        lines += ["", f"[family.{_toml(family)}]"]
        lines += _fields(_without_defaults(fields))
    for model, row in rows:
        differing = {k: row[k] for k in _SHARED if row[k] != shared[model.family][k]}
        own = {k: row[k] for k in _OWN if row[k] is not None}
        named = {k: row[k] for k in ("name", "family", "description")}
        lines += ["", "[[model]]", *_fields(named | own | differing)]
    return "\n".join(lines) + "\n"


def _problems(model: Model) -> Iterator[tuple[str, str]]:
    """(field, what is wrong with it), for what types alone cannot say."""
    prices = model.prices
    if not _NAME.fullmatch(model.name):
        yield "name", "must be 1-200 visible ASCII characters"
    if not _NAME.fullmatch(model.family):
        yield "family", "must be 1-200 visible ASCII characters"
    if not model.description.isprintable():
        yield "description", "must be one line"
    if not model.shapes:
        yield "shapes", "must name at least one kind of request"
    if not model.aspect_ratios:
        yield "aspect_ratios", "must name at least one"
    if not prices.per_second:
        yield "prices.per_second", "must have at least one resolution"
    if min([*prices.per_second.values(), prices.per_image, prices.per_input_second], default=0) < 0:
        yield "prices", "must not be below 0"
    low, high = model.seconds
    if not 1 <= low <= high:
        yield "seconds", "must be the shortest and the longest length, in that order"
    if model.fixed_seconds is not None and not low <= model.fixed_seconds <= high:
        yield "fixed_seconds", f"must be between {low} and {high}"
    if model.fixed_resolution and model.fixed_resolution not in prices.per_second:
        yield "fixed_resolution", "must have a price"
    for field in ("references_seconds", "prompt_characters"):
        if getattr(model, field) < 1:
            yield field, "must be at least 1"
    if model.max_references < 0:
        yield "max_references", "must not be below 0"


def _at_row(error: msgspec.ValidationError, rows: object) -> InvalidRequest:
    """The error with the row's name in place of its number."""
    what, path = split_error(error)
    row = _ROW.match(path)
    if row is None or not isinstance(rows, list):
        return _wrong(path or "model", f"{path or 'model'}: {what}.")
    field = path[row.end() :]
    mapping = rows[int(row[1])]
    name = mapping.get("name", "") if isinstance(mapping, Mapping) else ""
    where = ": ".join(filter(None, (str(name) or f"model {int(row[1]) + 1}", field)))
    return _wrong(field, f"{where}: {what}.")


def _row(model: Model) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(model))
    return row | {"prices": _without_defaults(row["prices"])}


def _without_defaults(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in fields.items() if k not in _DEFAULTS or v != _DEFAULTS[k]}


def _most_common(rows: list[dict[str, Any]], field: str) -> Any:
    counted = Counter(json.dumps(row[field]) for row in rows)
    return json.loads(counted.most_common(1)[0][0])


def _fields(fields: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {_toml(value)}" for name, value in fields.items()]


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{name} = {_toml(part)}" for name, part in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(part) for part in value)}]"
    # A JSON string or integer is a TOML one; control characters were refused on the way in.
    return f"{value:_}" if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def _wrong(param: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, code="invalid_model", param=param)
