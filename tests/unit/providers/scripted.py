"""An upstream on loopback that answers by script, and the channel and task to meet it with."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from filmgate.core.catalog import read_catalog
from filmgate.core.channel import Channel
from filmgate.core.pricing import quote
from filmgate.core.task import Task
from filmgate.core.upstream import Clip
from filmgate.core.video import VideoRequest
from filmgate.dialects.registry import DIALECTS
from filmgate.providers.download import Downloads
from filmgate.providers.outbound import Wire
from filmgate.providers.upstream import UpstreamProvider

KEY = "sk-planted-credential-0001"
OTHER_KEY = "sk-planted-credential-0002"
SECRETS = (KEY, OTHER_KEY, "planted-header-value")

CATALOG = read_catalog(
    tomllib.loads(resources.files("filmgate").joinpath("catalog.toml").read_text("utf-8"))
)
REQUEST = VideoRequest(
    model="grok-imagine-video",
    prompt="a boat",
    seconds=6,
    aspect_ratio="16:9",
    resolution="480p",
)

Step = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """One request as the upstream saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Script:
    """What the upstream does, step by step (the last one for ever), and what it was asked."""

    url: str = ""
    steps: list[Step] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    async def play(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = msgspec.json.decode(raw) if raw else None
        self.seen.append(Seen(request.method, request.path, dict(request.headers), body))
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return await step(request)

    def keys(self) -> list[str]:
        """The credentials that came, in order."""
        return [seen.headers.get("Authorization", "").removeprefix("Bearer ") for seen in self.seen]


@asynccontextmanager
async def upstream(*steps: Step) -> AsyncIterator[Script]:
    """Run an upstream that takes these steps."""
    script = Script(steps=list(steps))
    app = web.Application(client_max_size=1 << 28)
    app.router.add_route("*", "/{path:.*}", script.play)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    script.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield script
    await runner.cleanup()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listener(talk: Talk) -> AsyncIterator[str]:
    """Run a server that talks no HTTP but what ``talk`` does; it closes afterwards."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


def say(status: int = 200, body: Any = None, **headers: str) -> Step:
    """Answer with JSON, or with bytes as they are."""
    raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def step(_: web.Request) -> web.Response:
        return web.Response(status=status, body=raw, headers=named)

    return step


def part(body: bytes, upto: int, length: int | None = None, **headers: str) -> Step:
    """Begin a body, then break the line."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def step(request: web.Request) -> web.StreamResponse:
        size = len(body) if length is None else length
        response = web.StreamResponse(headers={"Content-Length": str(size), **named})
        await response.prepare(request)
        await response.write(body[:upto])
        await asyncio.sleep(0.05)  # so that the client has it before the reset
        assert request.transport is not None
        request.transport.abort()
        return response

    return step


def stream(*payloads: str, then: str = "end", pause: float = 0.0) -> Step:
    """Send ``data:`` payloads, then ``end``, ``reset`` or ``hang``."""

    async def step(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for payload in payloads:
            await response.write(b"data: " + payload.encode() + b"\n\n")
            await asyncio.sleep(pause)
        if then == "hang":
            await asyncio.sleep(60)
        if then == "reset":
            await asyncio.sleep(0.05)
            assert request.transport is not None
            request.transport.abort()
        return response

    return step


async def hang(_: web.Request) -> web.Response:
    """Read the request and say nothing."""
    await asyncio.sleep(60)
    return web.Response()


async def hang_up(request: web.Request) -> web.Response:
    """Read the request and close."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def channel(dialect: str, url: str, **settings: Any) -> Channel:
    given: dict[str, Any] = {
        "credentials": (KEY,),
        "headers": {"X-Relay-Token": "planted-header-value"},
        "submit_deadline": 1.0,
        **settings,
    }
    return Channel(id="c1", name="relay", dialect=dialect, base_url=url, **given)


def task(**state: Any) -> Task:
    given: dict[str, Any] = {
        "id": "0190a1b2c3d4e5f60718293a4b5c6d7e",
        "upstream_id": "up-1",
        "status": "in_progress",
        **state,
    }
    return Task(
        customer_id="c",
        key_id="k",
        dialect="xai",
        request=REQUEST,
        quote=quote(CATALOG[REQUEST.model].prices, REQUEST),
        **given,
    )


async def as_it_is(request: VideoRequest, _channel: Channel) -> VideoRequest:
    """Offer the media as they are."""
    return request


async def check(path: Path) -> Clip:
    """Take any file for a whole clip of six seconds."""
    return Clip(path=path, seconds=6.0)


def polled_provider(wire: Wire, dialect: str, url: str, **settings: Any) -> UpstreamProvider:
    """A provider for a channel of that dialect at that address."""
    return UpstreamProvider(
        channel(dialect, url, **settings),
        DIALECTS[dialect],
        wire,
        Downloads(wire, check),
        offer=as_it_is,
        models=CATALOG,
    )
