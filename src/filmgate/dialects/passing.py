"""Sends a caller's own body on to an upstream of the same dialect, changing as little as can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from filmgate.core.errors import Inexpressible
from filmgate.core.task import Task
from filmgate.core.video import VideoRequest
from filmgate.dialects.reading import without

_UNSAID: dict[str, Any] = {
    field.name: field.default
    for field in msgspec.structs.fields(VideoRequest)
    if field.default is not msgspec.NODEFAULT
}


def readable(body: Any) -> Any:
    """``body`` with the gateway's own ``object:`` marks for stored files as URLs of nowhere.

    So it can be read again, and a file that was stored is seen to be no longer what the body says.
    """
    if isinstance(body, dict):
        return {key: readable(value) for key, value in body.items()}
    if isinstance(body, list):
        return [readable(value) for value in body]
    if isinstance(body, str) and body.startswith("object:"):
        return f"https://stored.invalid/{body[7:]}"
    return body


class Slot(NamedTuple):
    """Fields of a ``VideoRequest`` that one group of wire names says together."""

    means: tuple[str, ...]
    names: tuple[str, ...]


def pass_on(
    body: Mapping[str, Any],
    request: VideoRequest,
    *,
    said: Mapping[str, Any],
    written: Mapping[str, Any],
    defaults: Mapping[str, Any],
    slots: tuple[Slot, ...],
) -> dict[str, Any]:
    """``body`` with only those slots rewritten whose meaning is no longer the request's.

    ``said`` is what the body itself says by ``VideoRequest`` field, ``defaults`` what this API
    documents for a field left out, ``written`` the request written afresh. So a model renamed, a
    length clamped or an image replaced is written; everything else, known or not, travels as is.
    """
    result = dict(body)
    for slot in slots:
        if all(
            getattr(request, field) == said.get(field, defaults.get(field, _UNSAID.get(field)))
            for field in slot.means
        ):
            continue
        result = without(result, *slot.names)
        result |= {name: written[name] for name in slot.names if name in written}
    return result


def carry_only(dialect: str, request: VideoRequest, *fields: str) -> None:
    """Raise ``Inexpressible`` when ``request`` uses an optional field other than ``fields``."""
    for field, unsaid in _UNSAID.items():
        if field in fields or field in ("original", "spoken"):
            continue
        if getattr(request, field) != unsaid:
            raise Inexpressible(dialect, field)


def pass_back(task: Task, dialect: str, ours: dict[str, Any], *changed: str) -> dict[str, Any]:
    """An upstream's own answer with only the ``changed`` fields of ours in it.

    ``ours`` as it is, where the task was not made by an upstream of the caller's dialect. A field
    is named by its path (``video.url``); one that ours lacks is taken out.
    """
    if task.answer is None or task.dialect != dialect:
        return ours
    result = msgspec.json.decode(msgspec.json.encode(task.answer))
    for path in changed:
        *above, name = path.split(".")
        theirs, mine = result, ours
        for step in above:
            if not isinstance(theirs.get(step), dict):
                theirs[step] = {}
            theirs, mine = theirs[step], mine.get(step, {})
        if name in mine:
            theirs[name] = mine[name]
        else:
            theirs.pop(name, None)
    return dict(result)
