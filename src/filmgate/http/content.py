"""Finished clips and their posters over HTTP: whole, in ranges, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from filmgate.core.errors import FilmgateError, InvalidRequest, NotFound, Unauthenticated
from filmgate.core.ids import read_task_id
from filmgate.core.ports import Objects, Tasks
from filmgate.core.task import Task
from filmgate.http.gateway import Gateway, dialect_of, render
from filmgate.http.ranges import Answer, Representation, Span, answer
from filmgate.services.links import Links

_TYPES = {"video": "video/mp4", "thumbnail": "image/webp"}


class Content:
    """Serves ``/v1/videos/{id}/content``: with a valid link to anyone, with a key to its owner."""

    def __init__(self, gateway: Gateway, tasks: Tasks, objects: Objects, links: Links) -> None:
        self._gateway = gateway
        self._tasks = tasks
        self._objects = objects
        self._links = links

    def routes(self) -> list[Route]:
        """The one route; Starlette answers HEAD with GET's handler."""
        return [
            Route(f"{mount}/v1/videos/{{id}}/content", self._serve, methods=["GET"])
            for mount in ("", "/grok")
        ]

    async def _serve(self, request: Request) -> Response:
        try:
            task = await self._admitted(request)
            return await self._file(request, task)
        except FilmgateError as error:
            reply = dialect_of(request.url.path).encode_error(error)
            return render(reply)

    async def _admitted(self, request: Request) -> Task:
        """The task that the link or the key opens. Foreign and absent tasks look the same."""
        task_id = read_task_id(request.path_params["id"])
        query = request.query_params
        if "signature" not in query:
            caller = await self._gateway.caller(request)
            return await self._gateway.desk.get(caller, request.path_params["id"])
        if not task_id or not self._links.check(
            task_id, query.get("expires", ""), query["signature"]
        ):
            raise Unauthenticated("This link is not valid or has expired; poll the task again.")
        task = await self._tasks.get(task_id)
        if task is None:
            raise NotFound("task", "No such video.")
        return task

    async def _file(self, request: Request, task: Task) -> Response:
        variant = request.query_params.get("variant", "video")
        if variant not in _TYPES:
            raise InvalidRequest(
                f"variant must be one of {', '.join(_TYPES)}.",
                code="invalid_value",
                param="variant",
            )
        if task.asset is None:
            raise NotFound("video", "This video has no file: poll the task for its status.")
        key = task.asset.key if variant == "video" else task.asset.poster_key
        stored = await self._objects.head(key) if key else None
        if stored is None:
            raise NotFound("video", "This file is gone; generate the video again.")
        file = Representation(
            size=stored.size,
            # The clip's own hash; its poster never changes without it.
            etag=f'"{task.asset.sha256[:32]}{variant[:1]}"',
            last_modified=stored.last_modified,
            content_type=_TYPES[variant],
        )
        return self._send(answer(request.method, request.headers, file), key, task)

    def _send(self, decided: Answer, key: str, task: Task) -> Response:
        headers = {
            **decided.headers,
            "Cache-Control": "private, max-age=3600",
            "Content-Disposition": f'inline; filename="{task.id}.mp4"',
            "X-Content-Type-Options": "nosniff",
        }
        if not decided.body:
            return Response(status_code=decided.status, headers=headers)
        return StreamingResponse(self._bytes(decided, key), decided.status, headers)

    async def _bytes(self, decided: Answer, key: str) -> AsyncIterator[bytes]:
        for piece in decided.body:
            if isinstance(piece, Span):
                async for chunk in self._objects.stream(key, piece.start, piece.length):
                    yield chunk
            else:
                yield piece
