"""What a channel's settings must be: every refusal names the setting and says what would do."""

from __future__ import annotations

import ipaddress
import math
import re
import socket
from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec

from filmgate.core.catalog import Model
from filmgate.core.channel import SANDBOX, Channel, Delivery, Inputs
from filmgate.core.errors import InvalidRequest
from filmgate.dialects.registry import DIALECTS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_VISIBLE = re.compile(r"[!-~]+")
_PRINTABLE = re.compile(r"[ -~]+")
# These describe one message on one connection; only the HTTP client can know them.
_TRANSPORT_HEADERS = {"host", "content-length", "transfer-encoding", "connection"}
_INSIDE_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_CHOICES = {"delivery": get_args(Delivery), "inputs": get_args(Inputs)}
_WHERE = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`$")


def merge(channel: Channel, settings: Mapping[str, Any]) -> Channel:
    """``channel`` with these settings over its own, typed; credentials are called ``api_keys``.

    Raises ``InvalidRequest``.
    """
    fields = msgspec.to_builtins(channel) | dict(settings)
    fields["credentials"] = fields.pop("api_keys", fields["credentials"])
    for name, choices in _CHOICES.items():
        if fields[name] not in choices:
            raise _wrong(name, f"{name} must be one of {', '.join(choices)}.")
    try:
        return msgspec.convert(fields, Channel)
    except msgspec.ValidationError as error:
        what, where = split_error(error)
        param = re.split(r"[.\[]", where)[0]
        raise _wrong(param, f"{where}: {what}." if where else f"{what}.") from None


def checked(channel: Channel, models: Collection[Model], *, allow_private: bool) -> Channel:
    """``channel`` in its normal form, if everything about it can be right.

    ``models`` are those on offer. Raises ``InvalidRequest`` with the setting at fault in ``param``.
    """
    if not _NAME.fullmatch(channel.name):
        raise _wrong(
            "name",
            "name must be 1-63 letters, digits, dots, dashes or underscores and start with a "
            "letter or digit.",
        )
    known = [*DIALECTS, SANDBOX]
    if channel.dialect not in known:
        raise _wrong("dialect", f"dialect must be one of {', '.join(known)}.")
    _check_numbers(channel)
    _check_secrets(channel)
    _check_models(channel, models)
    if channel.dialect == SANDBOX:
        if channel.base_url or channel.credentials:
            raise _wrong(
                "base_url", "The sandbox draws on this machine: give neither base_url nor api_keys."
            )
        return channel
    if channel.proxy:
        _check_address("proxy", channel.proxy)
    base_url = _base_url(channel.base_url, allow_private=allow_private)
    return msgspec.structs.replace(channel, base_url=base_url)


def split_error(error: msgspec.ValidationError) -> tuple[str, str]:
    """What is wrong, and the path of the value, without msgspec's leading ``$``."""
    text = str(error)
    found = _WHERE.search(text)
    return (text[: found.start()], found[1]) if found else (text, "")


def _base_url(url: str, *, allow_private: bool) -> str:
    """``url`` without a trailing slash or ``/v1``, which every dialect adds by itself."""
    host = _check_address("base_url", url)
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise _wrong("base_url", "base_url must not hold a user or password; use api_keys.")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise _wrong("base_url", "base_url must end with its path: leave out ? and #.")
    if not allow_private and _is_inside(host):
        raise _wrong(
            "base_url",
            f"base_url points inside your own network ({host}); if that is meant, set "
            "FILMGATE_ALLOW_PRIVATE_UPSTREAMS=1 for the server and for this command.",
        )
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


def _check_address(param: str, url: str) -> str:
    """The host of an absolute http(s) URL. Raises ``InvalidRequest``."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or not _VISIBLE.fullmatch(url):
        raise _wrong(param, f"{param} must be a URL such as https://api.example.com.")
    return host


def _is_inside(host: str) -> bool:
    """Whether a host is plainly this machine or network; the client checks what names resolve to.

    A name without a dot is one that only the own network resolves.
    """
    name = host.rstrip(".").lower()
    address = _address(name)
    if address is None:
        return "." not in name or name.endswith(_INSIDE_SUFFIXES)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return not mapped.is_global or mapped.is_multicast


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        pass
    try:
        # The system's resolver takes 127.1 and 0x7f000001 for addresses too.
        return ipaddress.IPv4Address(socket.inet_aton(name))
    except (OSError, UnicodeError):
        return None


def _check_numbers(channel: Channel) -> None:
    positive: dict[str, float | None] = {
        name: getattr(channel, name)
        for name in (
            "weight",
            "max_in_flight",
            "per_second",
            "per_minute",
            "polls_per_second",
            "deadline",
            "submit_deadline",
            "call_seconds",
            "references_call_seconds",
            "poll_seconds",
        )
    }
    for name, value in positive.items():
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise _wrong(name, f"{name} must be greater than 0, not {value}.")
    if channel.priority < 0:
        raise _wrong(
            "priority", f"priority must be 0 (tried first) or more, not {channel.priority}."
        )
    if channel.submit_deadline > channel.deadline:
        raise _wrong("submit_deadline", "submit_deadline must not be longer than deadline.")


def _check_secrets(channel: Channel) -> None:
    """Keys and headers must fit into a request; a refusal never repeats them."""
    if not all(_VISIBLE.fullmatch(key) for key in channel.credentials):
        raise _wrong("api_keys", "An API key must be visible ASCII characters without spaces.")
    if len(set(channel.credentials)) < len(channel.credentials):
        raise _wrong("api_keys", "The same API key is given twice.")
    for name, value in channel.headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _TRANSPORT_HEADERS:
            raise _wrong("headers", f"headers: {name[:100]!r} cannot be set as a header.")
        if not _PRINTABLE.fullmatch(value):
            raise _wrong("headers", f"headers: the value of {name} must be printable ASCII.")


def _check_models(channel: Channel, models: Collection[Model]) -> None:
    families = {model.family for model in models}
    ours = {model.name for model in models} | families
    for name, theirs in channel.models.items():
        if name not in ours:
            raise _wrong("models", f"models: {name!r} is not on offer; {_choices(ours)}")
        if not theirs.strip() or not theirs.isprintable():
            raise _wrong("models", f"models: {name} needs the upstream's name for it.")
    for name, prices in channel.prices.items():
        if name not in families:
            raise _wrong("prices", f"prices: {name!r} is no family; {_choices(families)}")
        if not prices.per_second:
            raise _wrong("prices", f"prices: {name} needs a price a second, such as 480p.")
        amounts = [*prices.per_second.values(), prices.per_image, prices.per_input_second]
        if min(amounts) < 0:
            raise _wrong("prices", f"prices: {name} has a price below 0.")


def _choices(names: Iterable[str]) -> str:
    return f"choose from {', '.join(sorted(names))}."


def _wrong(param: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, param=param)
