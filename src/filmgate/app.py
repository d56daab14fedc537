"""The composition root: the only file that knows every part and how they fit together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tomllib
from collections.abc import AsyncIterator
from importlib.resources import files

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from filmgate.config import Settings, load_settings
from filmgate.core.catalog import Catalog, read_catalog
from filmgate.core.errors import TaskFailed
from filmgate.core.task import Failure
from filmgate.core.upstream import Clip
from filmgate.engine.durable import Engine
from filmgate.http.content import Content
from filmgate.http.gateway import Gateway, refusals
from filmgate.http.middleware import RequestId
from filmgate.media.images import image_facts
from filmgate.media.mp4 import BrokenMp4, check_whole
from filmgate.media.objects import Objects
from filmgate.providers.egress import Egress
from filmgate.providers.sandbox.provider import Sandbox
from filmgate.services.access import Access
from filmgate.services.billing import Billing
from filmgate.services.board import Board
from filmgate.services.inputs import Inputs
from filmgate.services.lifecycle import Lifecycle
from filmgate.services.links import Links
from filmgate.services.tasks import TaskDesk
from filmgate.services.watch import Watcher
from filmgate.store import migrations
from filmgate.store.accounts import AccountStore
from filmgate.store.database import Database
from filmgate.store.tasks import TaskStore
from filmgate.telemetry import set_up_logs


class Parts:
    """Every part of one process, wired; nothing runs until ``running`` is entered.

    Tests that need a fault or a loopback image host replace a part before that.
    """

    def __init__(self, settings: Settings, egress: Egress | None = None) -> None:
        self.settings = settings
        secret = settings.secret()
        self.catalog = shipped_catalog()
        self.database = Database(settings.database())
        self.engine = Engine(self.database.url, settings.node())
        self.objects = Objects.open(settings.objects())
        self.tasks = TaskStore(self.database, self.engine.enqueue)
        self.accounts = AccountStore(self.database)
        self.links = Links(secret, settings.public())
        self.egress = egress or Egress()
        self.access = Access(self.accounts, secret)
        self.billing = Billing(self.accounts)
        self.inputs = Inputs(self.objects, self.tasks, self.egress, self.links, image_facts)
        self.sandbox = Sandbox(settings.home / "sandbox", self.inputs, settings.render_workers)
        self.watcher = Watcher(self.tasks)
        self.board = Board(self.tasks)

    def migrate(self) -> None:
        """Bring the database to the newest schema."""
        migrations.upgrade(self.database.engine)

    def app(self) -> Starlette:
        """The HTTP application; its lifespan runs everything else."""
        desk = TaskDesk(self.catalog, self.tasks, self.accounts, self.inputs, self.objects)
        gateway = Gateway(self.catalog, self.access, desk, self.links, self.watcher)
        content = Content(gateway, self.tasks, self.objects, self.links)
        return Starlette(
            routes=[*gateway.routes(), *content.routes(), Route("/healthz", _healthy)],
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
        self.migrate()
        lifecycle = Lifecycle(
            self.tasks,
            self.objects,
            self.board,
            {self.sandbox.name: self.sandbox},
            choose=lambda _task: self.sandbox,
            check_clip=_check_clip,
        )
        loops = [
            asyncio.create_task(loop)
            for loop in (self.board.run(), self.watcher.run(), _die_with_parent())
        ]
        await self.sandbox.tidy(self.tasks)
        await self.engine.start(lifecycle.drive)
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await self.engine.stop()
            await self.sandbox.close()
            await self.egress.close()
            self.database.close()


def create() -> Starlette:
    """The application as the server loads it, set up from the environment."""
    settings = load_settings()
    set_up_logs(settings.log_level, settings.log_format)
    return Parts(settings).app()


def shipped_catalog() -> Catalog:
    """The models and prices that come with the package."""
    return read_catalog(tomllib.loads(files("filmgate").joinpath("catalog.toml").read_text()))


async def _check_clip(clip: Clip) -> None:
    """Nothing is delivered from a file that is not a whole MP4."""
    try:
        await asyncio.to_thread(check_whole, clip.path)
    except BrokenMp4 as error:
        message = f"The finished video is damaged: {error}"
        raise TaskFailed(Failure(code="internal_error", message=message)) from error


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _die_with_parent() -> None:
    """A server process whose supervisor was killed must not keep the port and the tasks."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - no event tells of it on every system
        await asyncio.sleep(0.5)
    os._exit(1)
