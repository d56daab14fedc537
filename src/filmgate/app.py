"""The composition root: the only file that knows every part and how they fit together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from filmgate.config import Settings, load_settings
from filmgate.core.catalog import Catalog, read_catalog
from filmgate.core.channel import SANDBOX, Channel
from filmgate.core.errors import TaskFailed, Unavailable
from filmgate.core.pacing import Pace
from filmgate.core.ports import Provider
from filmgate.core.task import Failure
from filmgate.core.upstream import Clip
from filmgate.dialects.base import Outbound
from filmgate.dialects.chat import Chat
from filmgate.dialects.registry import DIALECTS
from filmgate.engine.durable import Engine
from filmgate.http.admin import admin_app
from filmgate.http.content import Content
from filmgate.http.gateway import Gateway, refusals
from filmgate.http.inputs import InputContent
from filmgate.http.middleware import RequestId
from filmgate.media.images import image_facts
from filmgate.media.join.run import Joiner
from filmgate.media.mp4 import BrokenMp4, check_whole
from filmgate.media.objects import Objects
from filmgate.providers.download import Downloads
from filmgate.providers.egress import Egress
from filmgate.providers.outbound import NoAnswer, NotSent, Wire
from filmgate.providers.sandbox.provider import Sandbox
from filmgate.providers.stream import StreamProvider, Streams
from filmgate.providers.upstream import UpstreamProvider
from filmgate.services.access import Access
from filmgate.services.beat import every
from filmgate.services.billing import Billing
from filmgate.services.board import Board
from filmgate.services.delivery import Delivery
from filmgate.services.health import Health
from filmgate.services.inputs import Inputs
from filmgate.services.lifecycle import Lifecycle
from filmgate.services.links import Links
from filmgate.services.offering import Offering
from filmgate.services.operators import Operators
from filmgate.services.parts import Parts
from filmgate.services.routing import Router
from filmgate.services.submission import Submission
from filmgate.services.tasks import TaskDesk
from filmgate.services.watch import Watcher
from filmgate.store import migrations
from filmgate.store.accounts import AccountStore
from filmgate.store.channels import ChannelStore
from filmgate.store.database import Database
from filmgate.store.models import ModelStore
from filmgate.store.tasks import TaskStore
from filmgate.telemetry import set_up_logs

# The supervisor sends it before it stops a worker.
CLOSING_SIGNAL = signal.SIGUSR1
_REFRESH_SECONDS = 1.0
_ASK_SECONDS = 15.0


class Node:
    """Every part of one process, wired; nothing runs until ``running`` is entered.

    Tests that need a fault or a loopback image host replace a part before that.
    """

    def __init__(self, settings: Settings, egress: Egress | None = None) -> None:
        self.settings = settings
        secret, home = settings.secret(), settings.home
        self.database = Database(settings.database())
        self.engine = Engine(self.database.url, settings.node())
        self.objects = Objects.open(settings.objects())
        self.tasks = TaskStore(self.database, self.engine.enqueue)
        self.accounts = AccountStore(self.database)
        self.channels = ChannelStore(self.database, secret)
        self.models = ModelStore(self.database)

        self.catalog = shipped_catalog()
        self.links = Links(secret, settings.public())
        self.egress = egress or Egress()
        self.access = Access(self.accounts, secret)
        self.billing = Billing(self.accounts)
        self.inputs = Inputs(self.objects, self.tasks, self.egress, self.links, image_facts)
        self.offering = Offering(self.objects, self.links, settings.public())
        self.wire = Wire(allow_private=settings.allow_private_upstreams)
        self.downloads = Downloads(self.wire, _clip_at)
        self.streams = Streams(self.wire)
        self.sandbox = Sandbox(home / "sandbox", self.inputs, settings.render_workers)

        self.watcher = Watcher(self.tasks)
        self.board = Board(self.tasks)
        self.health = Health()
        self.router = Router(self.channels, self.models, self.catalog, self.health, self.provider)
        self.operators = Operators(
            self.channels,
            self.models,
            self.catalog,
            self._ask,
            allow_private=settings.allow_private_upstreams,
        )

    def provider(self, channel: Channel) -> Provider:
        """What makes videos on a channel."""
        if channel.dialect == SANDBOX:
            return self.sandbox
        dialect = DIALECTS[channel.dialect]
        offer, models = self.offering.offer, self.catalog
        if isinstance(dialect, Chat):
            return StreamProvider(
                channel, dialect, self.streams, self.downloads, offer=offer, models=models
            )
        return UpstreamProvider(
            channel, dialect, self.wire, self.downloads, offer=offer, models=models
        )

    def lifecycle(self) -> Lifecycle:
        """What drives tasks, over the parts as they are now."""
        joiner = Joiner(self.settings.render_workers)
        parts = Parts(self.tasks, self.objects, joiner)
        work = self.settings.home / "work"
        return Lifecycle(
            tasks=self.tasks,
            board=self.board,
            router=self.router,
            health=self.health,
            pace=Pace(),
            parts=parts,
            submission=Submission(self.tasks, self.channels, self.router, self.health, parts),
            delivery=Delivery(self.tasks, self.objects, self.catalog, parts, _check_clip, work),
        )

    def migrate(self) -> None:
        """Bring the database to the newest schema."""
        migrations.upgrade(self.database.engine)

    def app(self) -> Starlette:
        """The HTTP application; its lifespan runs everything else."""
        desk = TaskDesk(
            self.catalog,
            self.tasks,
            self.accounts,
            self.inputs,
            self.objects,
            self.router.check,
        )
        gateway = Gateway(self.catalog, self.access, desk, self.links, self.watcher)
        content = Content(gateway, self.tasks, self.objects, self.links)
        routes: list[BaseRoute] = [
            *gateway.routes(),
            *content.routes(),
            *InputContent(self.objects, self.links).routes(),
            Route("/healthz", _healthy),
        ]
        if token := self.settings.admin_token:
            routes.append(Mount("/admin/v1", admin_app(self.operators, token)))
        return Starlette(
            routes=routes,
            middleware=[Middleware(RequestId)],
            exception_handlers=refusals(),
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with self.running():
            yield

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the engine and the loops around it; on leaving, whatever is unfinished is kept."""
        await _patiently(self._prepare)
        lifecycle = self.lifecycle()
        loops = [
            asyncio.create_task(loop)
            for loop in (
                self.board.run(),
                self.watcher.run(),
                every(_REFRESH_SECONDS, self.router.refresh),
                _die_with_parent(),
            )
        ]
        # The supervisor says so before it stops us: open streams would hold the stop up.
        asyncio.get_running_loop().add_signal_handler(CLOSING_SIGNAL, self.watcher.close)
        await self.engine.start(lifecycle.drive)
        try:
            yield
        finally:
            await lifecycle.close()
            for loop in loops:
                loop.cancel()
            await self.engine.stop()
            await self.sandbox.close()
            await self.streams.close()
            await self.close()

    async def close(self) -> None:
        """Let go of connections and files."""
        await self.wire.close()
        await self.egress.close()
        self.database.close()

    async def _prepare(self) -> None:
        await asyncio.to_thread(self.migrate)
        await self.operators.seed()
        await self.router.refresh()
        await self.sandbox.tidy(self.tasks)

    async def _ask(self, channel: Channel, path: str) -> tuple[int, object]:
        """One harmless question to a channel, for its operator."""
        credential = channel.credentials[0] if channel.credentials else ""
        question = Outbound(method="GET", path=path)
        try:
            answer = await self.wire.call(
                channel, question, credential=credential, deadline=_ASK_SECONDS
            )
        except (NotSent, NoAnswer) as error:
            raise Unavailable(str(error)) from error
        return answer.status, answer.body


def create() -> Starlette:
    """The application as the server loads it, set up from the environment."""
    settings = load_settings()
    set_up_logs(settings.log_level, settings.log_format)
    return Node(settings).app()


def shipped_catalog() -> Catalog:
    """The models and prices that come with the package."""
    return read_catalog(tomllib.loads(files("filmgate").joinpath("catalog.toml").read_text()))


async def _clip_at(path: Path) -> Clip:
    """The clip that a local file holds. Raises ``TaskFailed`` unless it is a whole MP4."""
    return await _check_clip(Clip(path=path, seconds=0.0))


async def _check_clip(clip: Clip) -> Clip:
    """Nothing is delivered from a file that is not a whole MP4, which also knows its own facts."""
    try:
        facts = await asyncio.to_thread(check_whole, clip.path)
        return msgspec.structs.replace(
            clip,
            seconds=clip.seconds or facts.duration_seconds,
            width=clip.width or facts.width,
            height=clip.height or facts.height,
        )
    except BrokenMp4 as error:
        message = f"The finished video is damaged: {error}"
        raise TaskFailed(Failure(code="internal_error", message=message)) from error


async def _patiently(step: Callable[[], Awaitable[None]]) -> None:
    """A worker that comes up while the database is away waits for it."""
    while True:
        try:
            await step()
        except Unavailable:
            await asyncio.sleep(1.0)
        else:
            return


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _die_with_parent() -> None:
    """A server process whose supervisor was killed must not keep the port and the tasks."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - no event tells of it on every system
        await asyncio.sleep(0.5)
    os._exit(1)
