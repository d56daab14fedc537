"""Testing a channel: the cheapest question that an upstream answers, and what the answer means."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from filmgate.core.catalog import Model
from filmgate.core.channel import SANDBOX, Channel
from filmgate.core.errors import FilmgateError

Ask = Callable[[Channel, str], Awaitable[tuple[int, object]]]
"""GET a path such as ``/v1/models`` of a channel with its first credential.

Returns the status and the parsed JSON (``None`` where the body is not JSON). Raises a
``FilmgateError`` or ``OSError`` when there is no answer.
"""

_MODELS = "/v1/models"
_XAI_MODELS = "/v1/video-generation-models"
# A shorter secret would be given away by its own hint.
_HINTED_CHARACTERS = 16


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the cheapest real check of a channel found.

    ``passed``: it answers and takes every key. ``accepted`` is ``None`` where its answer says
    nothing about the key; ``refused_keys`` are hints of those it refused. ``listed`` and
    ``lacking`` are the mapped upstream names that its list of models has or has not. ``status`` is
    the HTTP status, 0 without an answer; ``milliseconds`` one round trip.
    """

    channel: str
    passed: bool
    message: str
    reachable: bool = False
    accepted: bool | None = None
    status: int = 0
    milliseconds: int = 0
    listed: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    refused_keys: tuple[str, ...] = ()


async def probe(channel: Channel, models: Iterable[Model], ask: Ask) -> ProbeResult:
    """Ask the upstream for its models with every key; costs nothing there."""
    if channel.dialect == SANDBOX:
        message = "The sandbox draws on this machine; there is nothing to reach."
        return ProbeResult(channel=channel.name, passed=True, reachable=True, message=message)
    answers = []
    for key in channel.credentials or ("",):
        alone = msgspec.structs.replace(channel, credentials=(key,) if key else ())
        try:
            answers.append((key, *await _list_models(alone, ask)))
        except (FilmgateError, OSError) as error:
            reason = getattr(error, "message", "") or str(error) or type(error).__name__
            message = f"No answer from {channel.base_url}: {reason}"
            return ProbeResult(channel=channel.name, passed=False, message=message)
    return _judge(channel, answers, models)


async def _list_models(channel: Channel, ask: Ask) -> tuple[int, object, int]:
    """Status, JSON and milliseconds of the first list of models that the upstream has."""
    paths = [_XAI_MODELS, _MODELS] if channel.dialect == "xai" else [_MODELS]
    for path in paths:
        began = time.perf_counter()
        status, body = await ask(channel, path)
        milliseconds = round((time.perf_counter() - began) * 1000)
        if status == 200 or path == paths[-1]:
            break
    return status, body, milliseconds


def hint(secret: str) -> str:
    """Enough of a secret to tell it from others, such as ``…abcd``."""
    return f"…{secret[-4:]}" if len(secret) >= _HINTED_CHARACTERS else "…"


def _judge(
    channel: Channel, answers: list[tuple[str, int, object, int]], models: Iterable[Model]
) -> ProbeResult:
    """What the answers to each key mean."""
    refused = tuple(hint(key) for key, status, _, _ in answers if status in {401, 403})
    good = [answer for answer in answers if answer[1] == 200 and _names(answer[2]) is not None]
    _, status, body, milliseconds = (good or answers)[0]
    listed = _names(body) or set()
    wanted = {channel.theirs(model) for model in models} - {None}
    found = tuple(sorted(name for name in wanted if name in listed if name))
    lacking = tuple(sorted(name for name in wanted if name not in listed if name)) if good else ()
    passed = len(good) == len(answers)
    return ProbeResult(
        channel=channel.name,
        passed=passed,
        message=_verdict(channel, status, len(answers), refused, lacking, passed=passed),
        reachable=True,
        accepted=False if refused else True if passed else None,
        status=status,
        milliseconds=milliseconds,
        listed=found,
        lacking=lacking,
        refused_keys=refused,
    )


def _verdict(
    channel: Channel,
    status: int,
    asked: int,
    refused: tuple[str, ...],
    lacking: tuple[str, ...],
    *,
    passed: bool,
) -> str:
    """The result in one sentence, with what to do next."""
    if refused and not channel.credentials:
        return f"It answers, but wants a key: filmgate channel set {channel.name} --api-key -"
    if refused:
        return (
            f"It answers, but refused {len(refused)} of {asked} keys ({', '.join(refused)}); "
            f"replace them: filmgate channel set {channel.name} --api-key -"
        )
    if not passed:
        return (
            f"It answers, but gives no list of models (HTTP {status}), so the key is unproven. "
            f"If that is its nature: filmgate channel enable {channel.name}"
        )
    good = "It answers and takes the key" if channel.credentials else "It answers, without a key"
    if lacking:
        return (
            f"{good}, but does not list {', '.join(lacking)}; map its own names: "
            f"filmgate channel set {channel.name} --model OURS=THEIRS"
        )
    return f"{good}, and lists every mapped model."


def _names(body: object) -> set[str] | None:
    """The model names in OpenAI's or xAI's list, aliases too; ``None`` when it is no list."""
    rows = body.get("data", body.get("models")) if isinstance(body, dict) else None
    if not isinstance(rows, list):
        return None
    found = [row for row in rows if isinstance(row, dict)]
    names = [row.get("id") for row in found]
    for row in found:
        aliases = row.get("aliases")
        names += aliases if isinstance(aliases, list) else []
    return {name for name in names if isinstance(name, str)}
