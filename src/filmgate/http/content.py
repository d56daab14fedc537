"""Finished clips and their posters over HTTP: whole, in ranges, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

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
        if task_id and self._links.check(
            task_id, query.get("expires", ""), query.get("signature", "")
        ):
            task = await self._tasks.get(task_id)
            if task is None or task.deleted:
                raise NotFound("task", "No such video.")
            return task
        try:
            caller = await self._gateway.caller(request)
        except Unauthenticated:
            if "signature" not in query:
                raise
            raise Unauthenticated(
                "This link is not valid or has expired; poll the task again for a fresh one."
            ) from None
        return await self._gateway.desk.get(caller, request.path_params["id"])

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
        if task.asset.url and variant == "video":
            return RedirectResponse(task.asset.url, 302)
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
        suffix = _TYPES[variant].partition("/")[2]
        return send_file(request, self._objects, key, file, f"{task.id}.{suffix}")


def send_file(
    request: Request, objects: Objects, key: str, file: Representation, filename: str
) -> Response:
    """Answer a GET or HEAD on one stored file, which is for whoever asks alone."""
    decided = answer(request.method, request.headers, file)
    headers = {
        **decided.headers,
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": f'inline; filename="{filename}"',
        "X-Content-Type-Options": "nosniff",
    }
    if not decided.body:
        return Response(status_code=decided.status, headers=headers)
    path = objects.local_path(key)
    whole = decided.status == 200 and path is not None
    if whole and "http.response.pathsend" in request.scope.get("extensions", {}):
        return _WholeFile(path, headers)
    return StreamingResponse(_bytes(decided, objects, key), decided.status, headers)


class _WholeFile(Response):
    """A file that the server itself sends: a reader who stalls then costs no memory of ours.

    Starlette's own FileResponse would look at the request's ranges again.
    """

    def __init__(self, path: Path | None, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self._path = path

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        await send({"type": "http.response.pathsend", "path": str(self._path)})


async def _bytes(decided: Answer, objects: Objects, key: str) -> AsyncIterator[bytes]:
    for piece in decided.body:
        if isinstance(piece, Span):
            async for chunk in objects.stream(key, piece.start, piece.length):
                yield chunk
        else:
            yield piece
