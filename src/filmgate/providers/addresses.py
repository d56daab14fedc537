"""Which addresses our HTTP clients may dial, held to when a name is looked up and at each socket.

Both clients are built on this: ``egress`` for what customers name, ``outbound`` for operators'.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from urllib.parse import quote, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from ssrfguard import DEFAULT_DENIED, AddressTable, Block, Policy, Reach
from yarl import URL

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name and port to the addresses it has, as text. Raises ``OSError`` when it has none."""

MAX_ADDRESSES = 4  # of one name; each may cost a connection attempt
LOOKUP_THREADS = 32

_VISIBLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_MAPPED = ip_network("::ffff:0:0/96")
_DENIED = AddressTable(
    (
        *(block for block in DEFAULT_DENIED.blocks if block.network != _MAPPED),
        Block(ip_network("168.63.129.16/32"), "Azure's host agent", "none", Reach.DENIED),
        Block(ip_network("::ffff:0:0:0/96"), "IPv4-translated", "RFC2765", Reach.DENIED),
        # No honest name has these; ssrfguard would decode them, and the kernel dials IPv4.
        Block(_MAPPED, "IPv4-mapped", "RFC4291", Reach.DENIED),
    )
)
_PRIVATE = tuple(
    ip_network(block)
    for block in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)


def policy(*, allow_private: bool, any_port: bool) -> Policy:
    """Public addresses on ports 80 and 443; wider where the caller of this says so.

    ``allow_private`` adds loopback and RFC 1918 addresses, never link-local ones.
    """
    return Policy(
        denied_networks=_DENIED,
        allowed_networks=_PRIVATE if allow_private else (),
        allowed_ports=frozenset(range(1, 1 << 16) if any_port else (80, 443)),
    )


class Dialler:
    """Looks up names and opens sockets, only to addresses that its policy allows. Close it after.

    ``lookup`` stands in for the system's resolver.
    """

    def __init__(self, policy: Policy, lookup: Lookup | None = None) -> None:
        self._policy = policy
        # A hostile name server can hold a lookup for half a minute: not in the shared threads.
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")
        self._lookup = lookup or self._system_lookup

    def connector(self, *, limit: int, force_close: bool) -> aiohttp.TCPConnector:
        """A connector that dials by this policy; ``limit`` is connections at once."""
        return aiohttp.TCPConnector(
            resolver=_CheckedResolver(self._policy, self._lookup),
            socket_factory=self._checked_socket,
            use_dns_cache=False,  # one lookup per connection, used at once
            force_close=force_close,
            limit=limit,
        )

    def checked(self, url: str) -> URL:
        """The URL to ask for, made anew from the origin that was checked.

        So no two parsers can disagree about where it leads. Raises ``BlockedURLError`` (with a
        ``BlockedAddressError`` as its cause where it names such an address), and ``ValueError``
        for text that no URL can hold.
        """
        target = self._policy.check_url(url)
        rest = urlsplit(url)
        return URL.build(
            scheme=target.scheme,
            host=target.host,
            port=target.port,
            path=quote(rest.path or "/", safe=_VISIBLE_ASCII),
            query_string=quote(rest.query, safe=_VISIBLE_ASCII),
            encoded=True,
        )

    def close(self) -> None:
        """Give up on lookups under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _system_lookup(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        answers = await loop.run_in_executor(
            self._threads,
            lambda: socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
            ),
        )
        return [str(answer[4][0]) for answer in answers]

    def _checked_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """The last gate: aiohttp asks no resolver about an address, but it always comes here."""
        family, kind, protocol, _, address = info
        self._policy.check_address(str(address[0]))
        return socket.socket(family, kind, protocol)


class _CheckedResolver(AbstractResolver):
    """Looks a name up once, and refuses it when any of its addresses is not public.

    A name with both sorts of answers is how rebinding looks, not how honest hosts look.
    """

    def __init__(self, policy: Policy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = list(dict.fromkeys(await self._lookup(host, port)))
        if not addresses:
            raise OSError("the name has no address")
        for address in addresses:
            self._policy.check_address(address)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses[:MAX_ADDRESSES]
        ]

    async def close(self) -> None:
        """Nothing is held."""
