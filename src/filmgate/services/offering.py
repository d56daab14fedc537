"""A request's stored files as an upstream can take them: inline, or at a signed link of ours."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from urllib.parse import urlsplit

from filmgate.core.channel import Channel
from filmgate.core.errors import InputUnfetchable, ObjectMissing
from filmgate.core.media import sniff
from filmgate.core.ports import Objects
from filmgate.core.video import Media, VideoRequest
from filmgate.services.links import Links


class Offering:
    """Offers files to upstreams. ``public_url`` is where we can be reached, as in ``links``."""

    def __init__(self, objects: Objects, links: Links, public_url: str) -> None:
        self._objects = objects
        self._links = links
        self._reachable = _is_public(public_url)

    async def offer(self, request: VideoRequest, channel: Channel) -> VideoRequest:
        """``request`` with every stored file as a URL; whatever is elsewhere stays as it is.

        ``channel.inputs`` says how: ``inline`` as data URLs, ``link`` at our own address; ``auto``
        links clips where an upstream can reach us, since they are large, and inlines the rest.
        Raises ``InputUnfetchable`` when a file is no longer stored.
        """
        stored = {media for media in request.media() if media.object_key}
        offered: dict[Media, Media] = {}
        for media in stored:
            if self._by_link(channel, is_clip=media == request.video):
                offered[media] = await self._linked(media)
            else:
                offered[media] = await self._inline(media)
        return request.with_media(offered)

    def _by_link(self, channel: Channel, *, is_clip: bool) -> bool:
        if channel.inputs == "auto":
            return is_clip and self._reachable
        return channel.inputs == "link"

    async def _linked(self, media: Media) -> Media:
        if await self._objects.head(media.object_key) is None:
            raise _gone()
        return Media(url=self._links.make_input(media.object_key))

    async def _inline(self, media: Media) -> Media:
        stored = await self._objects.head(media.object_key)
        if stored is None:
            raise _gone()
        try:
            pieces = [piece async for piece in self._objects.stream(stored.key, 0, stored.size)]
        except ObjectMissing:
            raise _gone() from None
        # A clip is megabytes of base64, which would hold the event loop.
        return Media(url=await asyncio.to_thread(_data_url, pieces))


def _gone() -> InputUnfetchable:
    return InputUnfetchable("The input file is no longer stored; send it again.")


def _data_url(pieces: list[bytes]) -> str:
    data = b"".join(pieces)
    mime = sniff(data) or "application/octet-stream"
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def _is_public(url: str) -> bool:
    """Whether an upstream on the internet can be expected to reach a URL of ours."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        name, dot, zone = host.rpartition(".")
        return bool(name and dot) and zone not in _PRIVATE_ZONES


# Names that mean something only inside a network (RFC 6761, RFC 6762, RFC 8375, and ICANN's own).
_PRIVATE_ZONES = frozenset({"localhost", "local", "arpa", "internal", "lan", "test", "invalid"})
