"""The admin API: what operators do on the command line, as JSON under ``/admin/v1``.

FastAPI lives here and nowhere else: it writes the schema that consoles and scripts are made from.
"""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from filmgate.core.catalog import Shape
from filmgate.core.channel import Delivery, Inputs
from filmgate.core.errors import FilmgateError, InvalidRequest, NotFound, Unavailable
from filmgate.core.video import AspectRatio, Resolution
from filmgate.services.catalog_file import convert_models
from filmgate.services.operators import Change, Operators, describe

_STRICT = ConfigDict(extra="forbid", strict=True)


class PricesBody(BaseModel):
    """Prices in whole micro-dollars: 50000 is $0.05."""

    model_config = _STRICT

    per_second: dict[SkipValidation[Resolution], int] = Field(
        description="per second made, by resolution"
    )
    per_image: int = Field(0, description="per input image")
    per_input_second: int = Field(0, description="per second of an input clip")


class ModelPricesBody(PricesBody):
    """What a model costs its customers, in whole micro-dollars."""

    settle: str = Field("quoted", description="what is charged: quoted, duration or cost")


class ChannelSettings(BaseModel):
    """Settings of a channel; what is left out stays as it is, or takes its default."""

    model_config = _STRICT

    dialect: str = Field("", description="xai, newapi, openai, chat or sandbox")
    base_url: str = Field("", description="address of the upstream, with or without /v1")
    api_keys: list[str] = Field([], description="keys, used in rotation; never shown again")
    models: dict[str, str] = Field(
        {}, description="our models or families to the upstream's names; empty: every family"
    )
    priority: int = Field(0, description="lower is tried first")
    weight: int = Field(1, description="share within a priority")
    max_in_flight: int | None = Field(None, description="most unfinished videos; null: no limit")
    per_second: float | None = Field(None, description="most submissions a second")
    per_minute: int | None = Field(None, description="most submissions a minute")
    polls_per_second: float = Field(200.0, description="most status polls a second")
    poll_seconds: float | None = Field(
        None, description="fixed time between polls; null: learned from its videos"
    )
    deadline: float = Field(3600.0, description="seconds until a video is given up")
    submit_deadline: float = Field(60.0, description="seconds for one submission")
    prices: dict[str, PricesBody] = Field({}, description="what the upstream takes, by family")
    delivery: SkipValidation[Delivery] = Field("store", description="copy results or pass URLs on")
    inputs: SkipValidation[Inputs] = Field("auto", description="how customers' files are handed on")
    call_seconds: int = Field(15, description="longest clip of one call, in seconds")
    references_call_seconds: int = Field(10, description="the same from several images")
    headers: dict[str, str] = Field({}, description="sent with each request; values never shown")
    proxy: str = Field("", description="HTTP proxy to reach the upstream through")
    resubmit_safe: bool = Field(False, description="the upstream honours Idempotency-Key")
    charge_moderated: bool = Field(
        True, description="whether customers pay for a result that the upstream withholds"
    )


class NewChannel(ChannelSettings):
    """A channel to add."""

    name: str = Field(description="1-63 letters, digits, dots, dashes or underscores")
    dialect: str = Field(description="xai, newapi, openai, chat or sandbox")


class ChannelView(ChannelSettings):
    """A channel as it is; of its secrets only hints such as ``…abcd``."""

    id: str = Field(description="what tasks name it by; stays the same")
    name: str
    enabled: bool = Field(description="whether its operator wants it used")
    trouble: str = Field(description="why it was taken out of routing; empty: it was not")
    serving: bool = Field(description="whether it gets new videos")
    created_at: float = Field(description="unix time")
    notes: list[str] = Field([], description="what else a change did, where there was one")


class ChannelsView(BaseModel):
    """Every channel."""

    channels: list[ChannelView]


class ProbeView(BaseModel):
    """What a test of a channel found."""

    channel: str
    passed: bool = Field(description="it answers and takes every key")
    message: str = Field(description="the same in one sentence, with what to do next")
    reachable: bool
    accepted: bool | None = Field(description="the keys; null: its answer does not say")
    status: int = Field(description="HTTP status; 0: no answer")
    milliseconds: int = Field(description="one round trip")
    listed: list[str] = Field(description="mapped upstream names that it lists")
    lacking: list[str] = Field(description="mapped upstream names that it does not list")
    refused_keys: list[str] = Field(description="hints of the keys that it refused")


class ModelBody(BaseModel):
    """A public model name and its limits."""

    model_config = _STRICT

    name: str = Field(description="the name that customers use")
    family: str = Field(description="the upstream model behind it")
    description: str = Field(description="one line for customers")
    shapes: list[SkipValidation[Shape]] = Field(description="kinds of request that it takes")
    aspect_ratios: list[SkipValidation[AspectRatio]] = Field(description="ratios it can make")
    prices: ModelPricesBody = Field(description="what customers pay")
    seconds: list[int] = Field([1, 15], description="shortest and longest clip")
    references_seconds: int = Field(10, description="longest clip from several references")
    max_references: int = Field(7, description="most reference images")
    fixed_seconds: int | None = Field(None, description="set where the name chooses the length")
    fixed_resolution: SkipValidation[Resolution | None] = Field(
        None, description="set where the name chooses the quality"
    )
    prompt_characters: int = Field(4000, description="longest prompt")
    created: int = Field(1769472000, description="unix time shown to customers")


class ModelsBody(BaseModel):
    """All the models on offer, in order."""

    model_config = _STRICT

    models: list[ModelBody]


def admin_app(operators: Operators, token: str) -> ASGIApp:
    """The admin API, to be mounted at ``/admin/v1``; every request must carry ``token``.

    Mount it only where a token is set: without one there is nothing to hold a stranger back.
    """
    app = FastAPI(title="filmgate admin", version="1", docs_url=None, redoc_url=None)
    _add_channels(app, operators)
    _add_models(app, operators)
    app.add_exception_handler(FilmgateError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_body)
    app.add_exception_handler(HTTPException, _refuse_route)
    app.add_exception_handler(Exception, _fail)
    return _TokenGate(app, token)


def _add_channels(app: FastAPI, operators: Operators) -> None:
    @app.get("/channels", response_model=ChannelsView, summary="Every channel, in order of trial")
    async def list_channels() -> Response:
        found = await operators.channels()
        return _json({"channels": [describe(channel) for channel in found]})

    @app.post("/channels", status_code=201, response_model=ChannelView, summary="Add a channel")
    async def add_channel(body: NewChannel) -> Response:
        settings = body.model_dump(exclude_unset=True)
        return _changed(await operators.add(settings.pop("name"), settings), 201)

    @app.get("/channels/{name}", response_model=ChannelView, summary="One channel")
    async def show_channel(name: str) -> Response:
        return _json(describe(await operators.channel(name)))

    @app.patch(
        "/channels/{name}",
        response_model=ChannelView,
        summary="Change a channel; lists and maps are replaced as a whole",
    )
    async def change_channel(name: str, body: ChannelSettings) -> Response:
        return _changed(await operators.change(name, body.model_dump(exclude_unset=True)))

    @app.delete("/channels/{name}", summary="Delete a channel that has no unfinished videos")
    async def remove_channel(name: str) -> Response:
        notes = await operators.remove(name)
        return _json({"name": name, "deleted": True, "notes": notes})

    @app.post(
        "/channels/{name}/test",
        response_model=ProbeView,
        summary="Ask the upstream for its models, which costs nothing",
    )
    async def test_channel(name: str) -> Response:
        return _json(await operators.test(name))

    @app.post(
        "/channels/{name}/enable", response_model=ChannelView, summary="Send it new videos again"
    )
    async def enable_channel(name: str) -> Response:
        return _changed(await operators.enable(name))

    @app.post(
        "/channels/{name}/disable", response_model=ChannelView, summary="Send it no new videos"
    )
    async def disable_channel(name: str) -> Response:
        return _changed(await operators.disable(name))


def _add_models(app: FastAPI, operators: Operators) -> None:
    @app.get("/models", response_model=ModelsBody, summary="The models on offer, as whole rows")
    async def list_models() -> Response:
        return _json({"models": await operators.models()})

    @app.put("/models", summary="Offer these models, and only these")
    async def replace_models(body: ModelsBody) -> Response:
        models = convert_models([row.model_dump() for row in body.models])
        notes = await operators.replace_models(models)
        return _json({"models": models, "notes": notes})


class _TokenGate:
    """Lets requests through that carry the operator's token; the schema is behind it too."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        header = Headers(scope=scope).get("authorization", "")
        scheme, _, given = header.partition(" ")
        known = hmac.compare_digest(given.strip().encode("latin-1"), self._token)
        if known and scheme.lower() == "bearer":
            await self._app(scope, receive, send)
            return
        message = "Send the operator's token: Authorization: Bearer FILMGATE_ADMIN_TOKEN."
        answer = _error(401, message, "invalid_admin_token")
        answer.headers["WWW-Authenticate"] = "Bearer"
        await answer(scope, receive, send)


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, FilmgateError)
    match error:
        case InvalidRequest():
            status = 409 if error.code in {"name_taken", "channel_busy"} else 400
            return _error(status, error.message, error.code, error.param)
        case NotFound():
            return _error(404, error.message, f"{error.what}_not_found")
        case Unavailable():
            return _error(503, error.message, "service_unavailable")
    return _error(500, error.message, "internal_error")


async def _refuse_body(_request: Request, error: Exception) -> Response:
    """A body of the wrong types; its values are not repeated, for one may be a secret."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"] if part != "body")
    if first["type"] == "json_invalid":
        return _error(400, "The body is not JSON.", "malformed_body")
    return _error(400, f"{path or 'body'}: {first['msg']}.", "invalid_value", path.split(".")[0])


async def _refuse_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "method_not_allowed" if error.status_code == 405 else "not_found"
    message = f"{request.method} is not offered here; see /admin/v1/openapi.json."
    return _error(error.status_code, message, code)


async def _fail(_request: Request, _error_: Exception) -> Response:
    return _error(500, "Internal error; the server's log says more.", "internal_error")


def _changed(change: Change, status: int = 200) -> Response:
    return _json(describe(change.channel) | {"notes": change.notes}, status)


def _error(status: int, message: str, code: str, param: str = "") -> Response:
    fields: dict[str, Any] = {"message": message, "code": code, "param": param or None}
    return _json({"error": fields}, status)


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
