"""Writes the parts of docs/ that follow from the code: run `python3 dev.py docs` after a change.

A page says where with `<!-- generated: NAME -->` … `<!-- end -->`; what stands between is replaced.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

from filmgate.app import shipped_catalog
from filmgate.config import describe_settings
from filmgate.core import errors
from filmgate.core.task import FINAL, MOVES
from filmgate.dialects.registry import DIALECTS
from filmgate.http.gateway import Gateway

DOCS = Path(__file__).resolve().parent
_BLOCK = re.compile(r"(<!-- generated: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)

# One of each kind that a caller may meet, and how it comes about.
_EXAMPLES: dict[str, errors.FilmgateError] = {
    "a field is out of range": errors.InvalidRequest("…", code="invalid_value", param="seconds"),
    "the body is not JSON": errors.MalformedBody("…"),
    "no such model": errors.UnknownModel("gpt-9"),
    "no key, or a wrong one": errors.Unauthenticated("…"),
    "the key may not use the model": errors.Forbidden("…"),
    "the balance is too small": errors.InsufficientBalance("…"),
    "no such task, or not yours": errors.NotFound("task", "…"),
    "wrong method": errors.MethodNotAllowed("…", ("POST",)),
    "wrong content type": errors.UnsupportedMedia("…"),
    "the body is too large": errors.BodyTooLarge("…"),
    "too many requests": errors.RateLimited("…", 7),
    "the gateway cannot answer now": errors.Unavailable("…"),
    "a fault of ours": errors.FilmgateError("…"),
}


def routes(dialect: str) -> Iterable[str]:
    """The routes whose answers a dialect words."""
    nothing = cast(Any, None)  # routes are only listed here, never called
    gateway = Gateway(nothing, nothing, nothing, nothing, nothing)
    yield "| method | path |"
    yield "|---|---|"
    for route in gateway.routes():
        if route.name == dialect:
            yield f"| {'/'.join(sorted((route.methods or set()) - {'HEAD'}))} | `{route.path}` |"


def refusals(dialect: str) -> Iterable[str]:
    """Every refusal in a dialect's own shape."""
    yield "| when | status | body |"
    yield "|---|---|---|"
    for when, error in _EXAMPLES.items():
        reply = DIALECTS[dialect].encode_error(error)
        body = json.dumps(reply.body, ensure_ascii=False)
        extra = "".join(f"<br>`{name}: {value}`" for name, value in reply.headers.items())
        yield f"| {when} | {reply.status}{extra} | `{body}` |"


def models() -> Iterable[str]:
    """The catalogue as shipped, with prices in dollars."""
    yield "| model | takes | ratios | seconds | 480p | 720p | 1080p | inputs |"
    yield "|---|---|---|---|---|---|---|---|"
    for model in shipped_catalog():
        rates = model.prices.per_second
        per_second = [_dollars(rates.get(name)) for name in ("480p", "720p", "1080p")]
        seconds = str(model.fixed_seconds or f"{model.seconds[0]}–{model.seconds[1]}")
        inputs = f"{_dollars(model.prices.per_image)}/image"
        if model.prices.per_input_second:
            inputs += f", {_dollars(model.prices.per_input_second)}/s of video"
        cells = [
            f"`{model.name}`",
            ", ".join(model.shapes),
            " ".join(model.aspect_ratios),
            seconds,
            *per_second,
            inputs,
        ]
        yield f"| {' | '.join(cells)} |"


def moves() -> Iterable[str]:
    """The state machine as a diagram, from the table that the store's guards are made from."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> queued"
    for status, onward in MOVES.items():
        yield from (f"    {status} --> {target}" for target in sorted(onward))
        if status in FINAL:
            yield f"    {status} --> [*]"
    yield "```"


def settings() -> Iterable[str]:
    """Every setting."""
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for variable, default, meaning in describe_settings():
        yield f"| `{variable}` | {f'`{default}`' if default else ''} | {meaning} |"


BLOCKS: dict[str, Callable[[], Iterable[str]]] = {
    "models": models,
    "moves": moves,
    "settings": settings,
    **{f"routes of {name}": lambda name=name: routes(name) for name in DIALECTS},
    **{f"refusals of {name}": lambda name=name: refusals(name) for name in DIALECTS},
}


def _dollars(micros: int | None) -> str:
    return "–" if micros is None else f"${micros / 1_000_000:.3f}".rstrip("0").rstrip(".")


def rewritten(page: str) -> str:
    """A page with every generated part made anew. Raises ``KeyError`` on an unknown name."""
    return _BLOCK.sub(
        lambda block: block[1] + "\n".join(BLOCKS[block[2]]()) + "\n" + block[3], page
    )


def main() -> None:
    """Write the pages, or with --check say which are out of date."""
    stale = []
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        if (fresh := rewritten(page)) != page:
            stale.append(str(path.relative_to(DOCS)))
            if "--check" not in sys.argv:
                path.write_text(fresh, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(stale)}; run python3 dev.py docs")
    print(f"docs: {len(stale)} pages rewritten")


if __name__ == "__main__":
    main()
