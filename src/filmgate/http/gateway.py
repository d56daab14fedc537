"""The callers' APIs over HTTP: each route belongs to a dialect, which words every answer on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from filmgate.core.catalog import Catalog, Model
from filmgate.core.errors import FilmgateError, MethodNotAllowed, NotFound, UnknownModel
from filmgate.core.task import Task
from filmgate.core.video import Operation
from filmgate.dialects import models
from filmgate.dialects.base import Call, Dialect, Reply, StreamingDialect, View
from filmgate.dialects.chat import wants_stream
from filmgate.dialects.registry import DIALECTS
from filmgate.http.bodies import read_body
from filmgate.services.access import Access, Caller, allowed_models
from filmgate.services.links import Links
from filmgate.services.tasks import TaskDesk
from filmgate.services.watch import Watcher

_log = structlog.get_logger()
_KEEP_ALIVE_SECONDS = 10.0
Handler = Callable[[Request], Awaitable[Response]]


class Gateway:
    """Handlers of all dialect routes; ``routes`` lists them."""

    def __init__(
        self,
        catalog: Catalog,
        access: Access,
        desk: TaskDesk,
        links: Links,
        watcher: Watcher,
    ) -> None:
        self._catalog = catalog
        self._access = access
        self.desk = desk
        self._links = links
        self._watcher = watcher

    def routes(self) -> list[Route]:
        """Every route that callers use; the busiest, status polls, come first."""
        newapi, xai, openai = DIALECTS["newapi"], DIALECTS["xai"], DIALECTS["openai"]
        return [
            _route("/v1/video/generations/{id}", "GET", newapi, self._poll(newapi)),
            _route("/v1/videos/{id}", "GET", None, self._poll(None)),
            _route("/grok/v1/videos/{id}", "GET", xai, self._poll(xai)),
            _route("/v1/video/generations", "POST", newapi, self._create(newapi)),
            *(
                route
                for mount in ("", "/grok")
                for route in (
                    _route(f"{mount}/v1/videos/generations", "POST", xai, self._create(xai)),
                    _route(f"{mount}/v1/videos/edits", "POST", xai, self._create(xai, "edit")),
                    _route(
                        f"{mount}/v1/videos/extensions", "POST", xai, self._create(xai, "extend")
                    ),
                )
            ),
            _route("/v1/videos", "POST", openai, self._create(openai)),
            _route("/v1/videos/{id}", "DELETE", None, self._delete),
            _route("/v1/chat/completions", "POST", DIALECTS["chat"], self._chat),
            _route("/v1/models", "GET", openai, self._models),
            _route("/v1/models/{id:path}", "GET", openai, self._model),
            _route("/v1/video-generation-models", "GET", xai, self._xai_models),
            _route("/v1/video-generation-models/{id:path}", "GET", xai, self._xai_model),
        ]

    async def caller(self, request: Request) -> Caller:
        """Who is calling. Raises ``Unauthenticated``."""
        return await self._access.authenticate(_key(request.headers))

    async def view(self, task: Task, dialect: str) -> View:
        """The task as its owner may see it, with a fresh link to its result."""
        if task.asset is None:
            return View(task)
        if await self.desk.expired(task):
            return View(task, expired=True)
        return View(task, link=task.asset.url or self._links.make(task.id, dialect))

    async def _accept(self, request: Request, dialect: Dialect, operation: Operation) -> Task:
        caller = await self.caller(request)  # before the body: strangers may not make us read one
        body = await read_body(request, forms=dialect.name in {"newapi", "openai"})
        call = Call(operation=operation, body=body.fields, files=body.files)
        wanted = dialect.decode(call, self._catalog)
        return await self.desk.create(caller, dialect.name, wanted)

    def _create(self, dialect: Dialect, operation: Operation = "generate") -> Handler:
        async def create(request: Request) -> Response:
            task = await self._accept(request, dialect, operation)
            return render(dialect.encode_created(View(task)))

        return create

    def _poll(self, dialect: Dialect | None) -> Handler:
        """A status poll; without a dialect of its own the task answers as it was created."""

        async def poll(request: Request) -> Response:
            caller = await self.caller(request)
            task = await self.desk.get(caller, request.path_params["id"])
            words = dialect or _polled_as(task)
            return render(words.encode_task(await self.view(task, words.name)))

        return poll

    async def _delete(self, request: Request) -> Response:
        caller = await self.caller(request)
        await self.desk.delete(caller, request.path_params["id"])
        body = {"id": request.path_params["id"], "object": "video.deleted", "deleted": True}
        return render(Reply(status=200, body=body))

    async def _chat(self, request: Request) -> Response:
        chat: StreamingDialect = DIALECTS["chat"]  # type: ignore[assignment]  # it does stream
        task = await self._accept(request, chat, "generate")
        if wants_stream(task.request.original):
            return StreamingResponse(
                self._events(chat, task),
                media_type="text/event-stream",
                headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
            )
        async with aclosing(self._watcher.follow(task, _KEEP_ALIVE_SECONDS)) as changes:
            async for change in changes:
                task = change or task
        return render(chat.encode_task(await self.view(task, chat.name)))

    async def _events(self, dialect: StreamingDialect, task: Task) -> AsyncIterator[bytes]:
        stream = dialect.stream(View(task))
        yield stream.opening()
        async with aclosing(self._watcher.follow(task, _KEEP_ALIVE_SECONDS)) as changes:
            async for change in changes:
                if change is None:
                    yield stream.keep_alive()
                elif change.final:
                    yield stream.ending(await self.view(change, dialect.name))
                elif event := stream.progress(change.progress):
                    yield event

    async def _models(self, request: Request) -> Response:
        caller = await self.caller(request)
        return _json(200, models.encode_list(allowed_models(self._catalog, caller)))

    async def _model(self, request: Request) -> Response:
        return _json(200, models.encode_one(await self._allowed(request)))

    async def _xai_models(self, request: Request) -> Response:
        caller = await self.caller(request)
        return _json(200, models.encode_xai_list(allowed_models(self._catalog, caller)))

    async def _xai_model(self, request: Request) -> Response:
        return _json(200, models.encode_xai_one(await self._allowed(request)))

    async def _allowed(self, request: Request) -> Model:
        caller = await self.caller(request)
        model = self._catalog[request.path_params["id"]]
        if not caller.may_use(model.name):
            raise UnknownModel(model.name)
        return model


def render(reply: Reply) -> Response:
    """A dialect's reply as an HTTP response."""
    return _json(reply.status, reply.body, reply.headers)


def refusals() -> dict[object, Callable[[Request, Exception], Awaitable[Response]]]:
    """Handlers for what no route took: unknown paths and wrong methods, in the nearest words."""

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return render(dialect_of(request.url.path).encode_error(_as_ours(request, error)))

    return {HTTPException: refuse}


def dialect_of(path: str) -> Dialect:
    """The dialect whose callers most likely meant this path."""
    for prefix, name in _PREFIXES.items():
        if path.startswith(prefix):
            return DIALECTS[name]
    return DIALECTS["openai"]


_PREFIXES = {
    "/grok/": "xai",
    "/v1/videos/generations": "xai",
    "/v1/videos/edits": "xai",
    "/v1/videos/extensions": "xai",
    "/v1/video-generation-models": "xai",
    "/v1/video/": "newapi",
    "/v1/chat/": "chat",
}


def _route(path: str, method: str, dialect: Dialect | None, handler: Handler) -> Route:
    """A route whose every error is worded by ``dialect``, after which it is named.

    Without one, by the dialect that spells ids as this one is spelled.
    """

    async def endpoint(request: Request) -> Response:
        words = dialect or _spelled_as(request.path_params["id"])
        try:
            return await handler(request)
        except FilmgateError as error:
            return _refusal(words, error)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is left to read it
        except Exception:
            _log.exception("http.trouble", method=method, path=path)
            return _refusal(words, FilmgateError("Internal error; try again."))

    return Route(path, endpoint, methods=[method], name=dialect.name if dialect else "openai")


def _refusal(dialect: Dialect, error: FilmgateError) -> Response:
    """The error in the dialect's words. What is left of the body is not read, so the connection
    cannot carry another request.
    """
    response = render(dialect.encode_error(error))
    response.headers["Connection"] = "close"
    return response


def _spelled_as(spelling: str) -> Dialect:
    for prefix, name in (("task_", "newapi"), ("video_", "openai")):
        if spelling.startswith(prefix):
            return DIALECTS[name]
    return DIALECTS["xai" if "-" in spelling or spelling.startswith("req_") else "openai"]


def _key(headers: Mapping[str, str]) -> str:
    """The API key of a request, however the client sends it."""
    credential = headers.get("authorization", "") or headers.get("x-api-key", "")
    scheme, _, rest = credential.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else credential.strip()


def _polled_as(task: Task) -> Dialect:
    # A chat has no poll of its own; its callers are OpenAI clients.
    return DIALECTS["openai" if task.dialect == "chat" else task.dialect]


def _as_ours(request: Request, error: HTTPException) -> FilmgateError:
    if error.status_code == 405:
        allow = tuple((error.headers or {}).get("Allow", "").split(", "))
        message = f"{request.method} is not offered here; use {' or '.join(allow)}."
        return MethodNotAllowed(message, allow)
    message = f"No route {request.method} {request.url.path[:200]}; see the README for the paths."
    return NotFound("route", message)


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(body), status, headers, media_type="application/json; charset=utf-8"
    )
