"""Fetch the images and clips that customers name by URL, without being turned against our network.

This is the only client that may be pointed at a customer's URL. A URL is checked as text, every
answer of the name service is checked, and every socket is checked again as it is made
(``addresses``); redirects are followed by hand, so each hop passes the same three gates.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import urljoin

import aiohttp
from ssrfguard import BlockedAddressError, BlockedURLError, SSRFGuardError
from yarl import URL

from filmgate.core.errors import InputUnfetchable
from filmgate.core.media import WANTED, Kind, sniff
from filmgate.providers.addresses import Dialler, Lookup, policy

MAX_REDIRECTS = 5
MAX_CONNECTIONS = 256
HEAD_BYTES = 16
PIECE = 1 << 16

_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; media-fetcher)",
    "Accept": "*/*",
    # Bytes are counted as they arrive; nothing is ever inflated.
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetched file: where it is, its type by its first bytes, its size, its SHA-256 in hex."""

    path: Path
    mime: str
    size: int
    sha256: str


class Egress:
    """The outbound client for customers' URLs; implements ``core.ports.Fetcher``. Close it after.

    ``allow_private`` lets it reach loopback and RFC 1918 addresses, on any port: for tests, and
    for operators whose own media host is inside. ``lookup`` stands in for the system's resolver.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        lookup: Lookup | None = None,
    ) -> None:
        rules = policy(allow_private=allow_private, any_port=allow_private)
        self._dialler = Dialler(rules, lookup)
        self._session: aiohttp.ClientSession | None = None

    def _client(self) -> aiohttp.ClientSession:
        """The session, made on first use: it belongs to the loop that is running then."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._dialler.connector(limit=MAX_CONNECTIONS, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # one deadline, ours
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

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
        """Drop all connections; fetches under way fail."""
        if self._session:
            await self._session.close()
        self._dialler.close()

    async def fetch(
        self,
        url: str,
        *,
        limit_bytes: int,
        kinds: Collection[Kind],
        deadline_seconds: float,
        sink: Path,
    ) -> Fetched:
        """Fetch ``url`` into the file ``sink``, within one deadline for everything.

        Raises ``InputUnfetchable`` in the words of document 003 ("Image URL could not be fetched:
        …") for all that is the URL's fault; then ``sink`` is not left. An ``OSError`` is ours: the
        sink could not be written.
        """
        try:
            async with asyncio.timeout(deadline_seconds):
                return await self._follow(url, limit_bytes, kinds, sink)
        except _Unfetchable as found:
            reason, cause = str(found), found.__cause__ or found
        except TimeoutError as error:
            reason, cause = f"Fetching {{noun}} took longer than {deadline_seconds:g} s", error
        except (SSRFGuardError, aiohttp.ClientConnectorDNSError) as error:
            # One wording for both: whether a name exists inside is nobody's business.
            reason, cause = "Fetching {noun} failed because the address is not public", error
        except aiohttp.ClientSSLError as error:
            reason, cause = "Fetching {noun} failed because its server has no valid TLS", error
        except aiohttp.ClientPayloadError as error:
            reason, cause = "Fetching {noun} failed because its server sent only a part", error
        except (aiohttp.ClientError, ConnectionError) as error:
            reason, cause = "Fetching {noun} failed because its server did not answer", error
        noun = next(iter(kinds)) if len(kinds) == 1 else "media"
        message = f"{noun.capitalize()} URL could not be fetched: {reason.format(noun=noun)}."
        raise InputUnfetchable(message) from cause

    async def _follow(
        self, url: str, limit_bytes: int, kinds: Collection[Kind], sink: Path
    ) -> Fetched:
        for _ in range(MAX_REDIRECTS + 1):
            async with self._client().get(self._checked(url), allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status not in {301, 302, 303, 307, 308} or not location:
                    return await self._save(response, limit_bytes, kinds, sink)
            try:
                url = urljoin(url, location)
            except ValueError as error:
                raise _not_plain() from error
        raise _Unfetchable(
            f"Fetching {{noun}} failed because it is redirected more than {MAX_REDIRECTS} times"
        )

    def _checked(self, url: str) -> URL:
        try:
            return self._dialler.checked(url)
        except BlockedURLError as error:
            if isinstance(error.__cause__, BlockedAddressError):
                raise
            raise _not_plain() from error
        except ValueError as error:  # text that no URL can hold, such as half a surrogate pair
            raise _not_plain() from error

    async def _save(
        self,
        response: aiohttp.ClientResponse,
        limit_bytes: int,
        kinds: Collection[Kind],
        sink: Path,
    ) -> Fetched:
        if response.status not in {HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION}:
            raise _Unfetchable(
                f"Fetching {{noun}} failed with HTTP status {_named(response.status)}"
            )
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise _Unfetchable("Fetching {noun} failed because its server sent it compressed")
        if (response.content_length or 0) > limit_bytes:
            raise _too_large(limit_bytes)
        head = await _first_bytes(response.content)
        mime = sniff(head)
        if mime is None or mime.partition("/")[0] not in kinds:
            wanted = " or ".join(WANTED[kind] for kind in sorted(kinds))
            raise _Unfetchable(f"The file is not {wanted}")

        digest, size = hashlib.sha256(head), len(head)
        file = await asyncio.to_thread(sink.open, "wb")
        try:
            await asyncio.to_thread(file.write, head)
            async for piece in response.content.iter_chunked(PIECE):
                size += len(piece)
                if size > limit_bytes:
                    raise _too_large(limit_bytes)
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(file.close)
        except BaseException:
            await asyncio.to_thread(_discard, file, sink)
            raise
        return Fetched(sink, mime, size, digest.hexdigest())


# -- words and bytes ----------------------------------------------------------------------------


class _Unfetchable(Exception):
    """A sentence for the customer, without its full stop; ``{noun}`` stands for image or video."""


def _not_plain() -> _Unfetchable:
    return _Unfetchable(
        "Fetching {noun} failed because the URL is not a plain one: "
        "http or https, port 80 or 443, no user name, a public host"
    )


def _too_large(limit_bytes: int) -> _Unfetchable:
    most = f"{limit_bytes >> 20} MB" if limit_bytes >= 1 << 20 else f"{limit_bytes} bytes"
    return _Unfetchable(f"The {{noun}} is larger than {most}")


def _named(status: int) -> str:
    """A status with its standard name; what the server calls it is not repeated."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


async def _first_bytes(content: aiohttp.StreamReader) -> bytes:
    try:
        return await content.readexactly(HEAD_BYTES)
    except asyncio.IncompleteReadError as short:
        return short.partial


def _discard(file: BinaryIO, path: Path) -> None:
    file.close()
    path.unlink(missing_ok=True)
