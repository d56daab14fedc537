"""Starting the server: check everything first, say what to do next, then serve until stopped."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import multiprocessing
import os
import shutil
import socket
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import TextIO

from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server.mp import MPServer

from filmgate.app import CLOSING_SIGNAL, Node
from filmgate.config import BadSetting, Settings
from filmgate.core.channel import SANDBOX
from filmgate.core.errors import Unavailable
from filmgate.telemetry import set_up_logs
from filmgate.welcome import welcome

FIRST_CUSTOMER = "first"
FIRST_BALANCE = 10_000_000  # micro-dollars
_LOCK_SECONDS = 5.0
_PORT_SECONDS = 2.0
_READY_SECONDS = 60.0
# Granian's default of 1,024 caps open connections, streams among them.
_BACKPRESSURE = 16_384
# Passed to Granian's builder of workers; a test may serve the same application with a fault in it.
APPLICATION = "filmgate.app:create"


def serve(settings: Settings, application: str = APPLICATION) -> None:
    """Serve until interrupted. Raises ``BadSetting`` when something stands in the way."""
    set_up_logs(settings.log_level, settings.log_format)
    _make_home(settings.home)
    lock = _lock(settings.home)
    _check_port(settings)
    key, drawn = asyncio.run(_prepare(settings))
    threading.Thread(target=_announce, args=(settings, key, drawn), daemon=True).start()
    # A forked worker would inherit whatever lock a thread of ours holds at that moment.
    multiprocessing.set_start_method("spawn", force=True)
    _Server(
        application,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        loop=Loops.auto,
        backlog=_BACKPRESSURE,
        backpressure=_BACKPRESSURE,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=20,
    ).serve()
    lock.close()


class _Server(MPServer):
    """Granian's server, which tells its workers that they are about to be stopped."""

    def _stop_workers(self) -> None:
        for worker in self.wrks:
            with contextlib.suppress(ProcessLookupError, TypeError):
                os.kill(worker.inner.pid, CLOSING_SIGNAL)
        super()._stop_workers()  # type: ignore[no-untyped-call]  # Granian's own


async def _prepare(settings: Settings) -> tuple[str, bool]:
    """Bring the database up to date; on the very first start make a customer and its key.

    Returns the key (``""`` on later starts) and whether clips come from the sandbox.
    """
    try:
        node = Node(settings)
    except (ValueError, OSError) as error:
        raise BadSetting(str(error)) from error
    try:
        await asyncio.to_thread(node.migrate)
        await node.operators.seed()
        channels = await node.operators.channels()
        drawn = any(channel.serving and channel.dialect == SANDBOX for channel in channels)
        if await node.accounts.any_customer():
            return "", drawn
        customer = await node.accounts.open(FIRST_CUSTOMER)
        await node.billing.top_up(customer, FIRST_BALANCE)
        return await node.access.create_key(customer), drawn
    except Unavailable as error:
        raise BadSetting(f"FILMGATE_DATABASE_URL: {error.message}") from error
    finally:
        await node.close()


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise BadSetting(
            f"The home folder {home} is not writable ({error.strerror}); choose another with "
            "--home or FILMGATE_HOME."
        ) from error


def _lock(home: Path) -> TextIO:
    """Keep a second server off the same home; a dying one gets a moment to let go."""
    file = (home / "lock").open("w")
    last = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError:
            if time.monotonic() > last:
                raise BadSetting(
                    f"Another filmgate already uses the home folder {home}; stop it or choose "
                    "another with --home."
                ) from None
            time.sleep(0.1)


def _check_port(settings: Settings) -> None:
    """Refuse a port in use; one that a dying server still holds is waited for."""
    last = time.monotonic() + _PORT_SECONDS
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    while True:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((settings.host, settings.port))
            return
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < last:
                time.sleep(0.1)
                continue
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"fails ({error.strerror})"
            raise BadSetting(
                f"Port {settings.port} on {settings.host} {reason}; choose another with "
                "--port or FILMGATE_PORT."
            ) from error


def _announce(settings: Settings, key: str, drawn: bool) -> None:
    """Say hello once the server really answers."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - compared
    last = time.monotonic() + _READY_SECONDS
    while time.monotonic() < last:
        try:
            with urllib.request.urlopen(f"http://{host}:{settings.port}/healthz", timeout=1):
                break
        except OSError:
            time.sleep(0.1)
    text = welcome(settings.public(), key, settings.home, _command(), drawn=drawn)
    print(text, flush=True)


def _command() -> str:
    """How this very program can be called again from here."""
    program = Path(sys.argv[0])
    if program.name != "filmgate":
        return f"{sys.executable} -m filmgate"
    found = shutil.which("filmgate")
    if found and Path(found).resolve() == program.resolve():
        return "filmgate"
    with contextlib.suppress(ValueError):
        return str(program.resolve().relative_to(Path.cwd()))
    return str(program.resolve())
