"""A customer's files over HTTP for the upstreams that use them: by a signed link, or not at all."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from filmgate.core.errors import FilmgateError, NotFound, Unauthenticated
from filmgate.core.media import sniff
from filmgate.core.ports import Objects, Stored
from filmgate.http.content import send_file
from filmgate.http.gateway import dialect_of, render
from filmgate.http.ranges import Representation
from filmgate.services.links import Links

_SNIFFED_BYTES = 16


class InputContent:
    """Serves ``/v1/inputs/{name}`` to whoever has a valid link (``Links.make_input``)."""

    def __init__(self, objects: Objects, links: Links) -> None:
        self._objects = objects
        self._links = links

    def routes(self) -> list[Route]:
        """The one route; Starlette answers HEAD with GET's handler."""
        return [Route("/v1/inputs/{name:path}", self._serve, methods=["GET"])]

    async def _serve(self, request: Request) -> Response:
        try:
            stored = await self._admitted(request)
            file = Representation(
                size=stored.size,
                etag=f'"{_version(stored)}"',
                last_modified=stored.last_modified,
                content_type=await self._type(stored),
            )
            return send_file(
                request, self._objects, stored.key, file, stored.key.rpartition("/")[2]
            )
        except FilmgateError as error:
            return render(dialect_of(request.url.path).encode_error(error))

    async def _admitted(self, request: Request) -> Stored:
        query = request.query_params
        key = self._links.input_of(
            request.path_params["name"], query.get("expires", ""), query.get("signature", "")
        )
        if key is None:
            raise Unauthenticated("This link is not valid or has expired; send the request again.")
        stored = await self._objects.head(key)
        if stored is None:
            raise NotFound("file", "This file is gone; send it again.")
        return stored

    async def _type(self, stored: Stored) -> str:
        """By its first bytes: what the customer called it decides nothing."""
        length = min(_SNIFFED_BYTES, stored.size)
        head = b"".join([piece async for piece in self._objects.stream(stored.key, 0, length)])
        return sniff(head) or "application/octet-stream"


def _version(stored: Stored) -> str:
    facts = f"{stored.key} {stored.size} {stored.last_modified}"
    return hashlib.sha256(facts.encode()).hexdigest()[:32]
