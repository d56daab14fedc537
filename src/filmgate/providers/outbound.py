"""The HTTP client for operators' channels; it knows whether a request may have arrived.

That one distinction decides about money: what was surely not sent may be sent again or elsewhere,
what may have been sent may have been bought (contracts, section 9).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace, TracebackType
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

import aiohttp
import msgspec
from ssrfguard import SSRFGuardError

from filmgate.core.channel import Channel
from filmgate.dialects.base import Outbound
from filmgate.providers.addresses import Dialler, Lookup, policy

MAX_ANSWER_BYTES = 8 << 20
MAX_CONNECTIONS = 4096
CONNECT_SECONDS = 10.0

_HEADERS = {"User-Agent": "filmgate", "Accept-Encoding": "identity"}
_Use = Literal["polls", "submits", "clips"]
_SECRET_CHARACTERS = 8  # anything shorter would strike out innocent words
_NOT_PUBLIC = "its address is not public; if that is meant, set FILMGATE_ALLOW_PRIVATE_UPSTREAMS=1"
_UNSENDABLE = "its URL, headers, credential or proxy cannot be sent; correct the channel"


class NotSent(Exception):
    """No byte of the request has left: the upstream cannot have acted on it."""


class NoAnswer(Exception):
    """The request may have arrived, but no whole answer came back."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream's whole answer: ``body`` is its JSON, ``None`` when empty or ``garbled``.

    The channel's secrets are struck out of it, should the upstream repeat them.
    """

    status: int
    headers: Mapping[str, str]
    body: Any = None
    garbled: bool = False

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


class Incoming:
    """An answer whose status and headers have come and whose body is still to be read."""

    def __init__(
        self, response: aiohttp.ClientResponse, limit: asyncio.Timeout, secrets: tuple[bytes, ...]
    ) -> None:
        self._response = response
        self._limit = limit
        self._secrets = secrets
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers

    async def pieces(self, size: int = 1 << 16) -> AsyncIterator[bytes]:
        """The body as it arrives, in pieces of at most ``size`` bytes."""
        async for piece in self._response.content.iter_chunked(size):
            yield piece

    async def read(self) -> Answer:
        """The whole answer. Raises ``NoAnswer`` beyond ``MAX_ANSWER_BYTES``."""
        raw = bytearray()
        async for piece in self.pieces():
            raw += piece
            if len(raw) > MAX_ANSWER_BYTES:
                raise NoAnswer(f"its answer is larger than {MAX_ANSWER_BYTES >> 20} MiB")
        body, garbled = None, False
        try:
            body = msgspec.json.decode(self.clean(bytes(raw))) if raw.strip() else None
        except (msgspec.DecodeError, RecursionError):
            garbled = True
        return Answer(status=self.status, headers=self.headers, body=body, garbled=garbled)

    def clean(self, raw: bytes) -> bytes:
        """``raw`` without the channel's secrets."""
        for secret in self._secrets:
            raw = raw.replace(secret, b"[key]")
        return raw

    def wait(self, seconds: float) -> None:
        """Let the deadline be this far from now."""
        self._limit.reschedule(asyncio.get_running_loop().time() + seconds)


class Wire:
    """Calls upstreams. One serves all channels; close it after.

    ``allow_private`` lets channels be at loopback and RFC 1918 addresses
    (``FILMGATE_ALLOW_PRIVATE_UPSTREAMS``); clips elsewhere than at their own channel's host must be
    at public addresses all the same. ``lookup`` stands in for the system's resolver.
    """

    def __init__(self, *, allow_private: bool = False, lookup: Lookup | None = None) -> None:
        self._channels = Dialler(policy(allow_private=allow_private, any_port=True), lookup)
        self._anywhere = Dialler(policy(allow_private=False, any_port=True), lookup)
        self._sessions: dict[tuple[Dialler, _Use], aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop all connections; calls under way fail."""
        for session in self._sessions.values():
            await session.close()
        self._channels.close()
        self._anywhere.close()

    async def call(
        self, channel: Channel, request: Outbound, *, credential: str = "", deadline: float
    ) -> Answer:
        """Ask something that does no harm when asked twice, over a connection that is kept.

        ``deadline`` is seconds for everything. Raises ``NotSent``, ``NoAnswer``.
        """
        async with self._open(
            channel, request, credential=credential, headers={}, deadline=deadline, use="polls"
        ) as incoming:
            return await incoming.read()

    @asynccontextmanager
    async def submit(
        self,
        channel: Channel,
        request: Outbound,
        *,
        credential: str = "",
        idempotency_key: str,
        deadline: float,
    ) -> AsyncIterator[Incoming]:
        """Send what may cost money, once, over a connection of its own.

        A kept connection may be closed by the other end just as it is used, and nobody could say
        whether the request had arrived. ``deadline`` is seconds until the whole body has been read,
        unless ``Incoming.wait`` moves it. Raises ``NotSent``, ``NoAnswer``.
        """
        headers = {"Idempotency-Key": idempotency_key}
        async with self._open(
            channel,
            request,
            credential=credential,
            headers=headers,
            deadline=deadline,
            use="submits",
        ) as incoming:
            yield incoming

    @asynccontextmanager
    async def get(
        self,
        channel: Channel,
        url: str,
        *,
        credential: str = "",
        headers: Mapping[str, str],
        deadline: float,
    ) -> AsyncIterator[Incoming]:
        """Open a clip's URL. Anywhere but at the channel's own host it must be a public address.

        The credential and the channel's headers are sent only below the channel's base URL.
        Raises ``NotSent``, ``NoAnswer``.
        """
        try:
            ours = is_below(channel.base_url, url)
            own_host = _same_host(channel.base_url, url)
        except ValueError:
            raise NotSent("the clip's URL is not one") from None
        sent = {**_HEADERS, **headers, **(_identity(channel, credential) if ours else {})}
        dialler = self._channels if own_host else self._anywhere
        async with self._exchange(
            dialler, "clips", "GET", url, channel, sent, deadline
        ) as incoming:
            yield incoming

    @asynccontextmanager
    async def _open(
        self,
        channel: Channel,
        request: Outbound,
        *,
        credential: str,
        headers: Mapping[str, str],
        deadline: float,
        use: _Use,
    ) -> AsyncIterator[Incoming]:
        sent = {**_HEADERS, **_identity(channel, credential), **headers}
        data = None
        if request.body is not None:
            sent = {"Content-Type": "application/json"} | sent
            data = msgspec.json.encode(request.body)
        url = channel.base_url.rstrip("/") + request.path
        async with self._exchange(
            self._channels, use, request.method, url, channel, sent, deadline, data
        ) as incoming:
            yield incoming

    @asynccontextmanager
    async def _exchange(
        self,
        dialler: Dialler,
        use: _Use,
        method: str,
        url: str,
        channel: Channel,
        headers: Mapping[str, str],
        deadline: float,
        data: bytes | None = None,
    ) -> AsyncIterator[Incoming]:
        mark = SimpleNamespace(connected=False)

        async def begin() -> aiohttp.ClientResponse:
            try:
                return await self._session(dialler, use).request(
                    method,
                    dialler.checked(url),
                    headers=headers,
                    data=data,
                    proxy=channel.proxy or None,
                    allow_redirects=False,
                    timeout=_patience(deadline),
                    trace_request_ctx=mark,
                )
            except ValueError:  # how aiohttp refuses what cannot be written, before any of it is
                pass
            raise NotSent(_UNSENDABLE)

        try:
            async with asyncio.timeout(deadline) as limit, await begin() as response:
                yield Incoming(response, limit, _secrets(channel))
            return
        except (SSRFGuardError, TimeoutError, aiohttp.ClientError, ConnectionError) as error:
            why = _reason(error, mark.connected)
        # Raised out here, since aiohttp's errors may hold the request's headers and would travel on
        # as its context.
        raise (NoAnswer if mark.connected else NotSent)(why)

    def _session(self, dialler: Dialler, use: _Use) -> aiohttp.ClientSession:
        """Made on first use: a session belongs to the loop that is running then."""
        session = self._sessions.get((dialler, use))
        if session is None:
            session = self._sessions[dialler, use] = aiohttp.ClientSession(
                connector=dialler.connector(limit=MAX_CONNECTIONS, force_close=use != "polls"),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[_marking()],
                auto_decompress=use != "clips",  # their bytes are counted as they arrive
                trust_env=False,
            )
        return session


def _patience(deadline: float) -> aiohttp.ClientTimeout:
    """Connecting must fail well before ``deadline``, while it is certain that nothing was sent."""
    return aiohttp.ClientTimeout(total=None, connect=min(CONNECT_SECONDS, deadline / 2))


def is_below(base_url: str, url: str) -> bool:
    """Whether ``url`` is under ``base_url``: the same origin, and a path that begins with its."""
    base, there = urlsplit(base_url), urlsplit(url)
    path = unquote(there.path)
    return (
        _same_host(base_url, url)
        and (base.scheme, _port(base_url)) == (there.scheme, _port(url))
        and path.startswith(base.path.rstrip("/") + "/")
        and not {".", ".."} & set(path.split("/"))
    )


def _same_host(base_url: str, url: str) -> bool:
    return urlsplit(base_url).hostname == urlsplit(url).hostname


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _identity(channel: Channel, credential: str) -> dict[str, str]:
    """Who we are there; an operator's own header wins over the usual one."""
    usual = {"Authorization": f"Bearer {credential}"} if credential else {}
    theirs = {name.lower() for name in channel.headers}
    return {n: v for n, v in usual.items() if n.lower() not in theirs} | channel.headers


def _secrets(channel: Channel) -> tuple[bytes, ...]:
    proxy_password = urlsplit(channel.proxy).password or ""
    known = (*channel.credentials, *channel.headers.values(), proxy_password)
    return tuple(secret.encode() for secret in known if len(secret) >= _SECRET_CHARACTERS)


# -- sent or not ----------------------------------------------------------------------------------


def _marking() -> aiohttp.TraceConfig:
    """Notes on each request that it has a connection: from there on bytes may be under way."""

    async def connected(_session: Any, context: SimpleNamespace, _params: Any) -> None:
        context.trace_request_ctx.connected = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace


def _reason(error: Exception, connected: bool) -> str:
    """What went wrong, in words that hold no secret."""
    match error:
        case SSRFGuardError():
            return _NOT_PUBLIC
        case TimeoutError():
            return "it did not answer in time" if connected else "no connection in time"
        case aiohttp.ClientConnectorDNSError():
            return "its name has no address"
        case aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch():
            return "it has no valid TLS"
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return "the channel's proxy refused the connection"
        case aiohttp.ClientPayloadError():
            return "its answer broke off"
        case _:
            return "the connection broke" if connected else "it refused the connection"
