"""The shipped server with one difference: inputs may be fetched from this machine.

Customers' URLs never may in production, and no setting allows it; tests need a host for images.
Run as a program it serves like `filmgate serve`.
"""

from __future__ import annotations

import os
import threading
import time

from starlette.applications import Starlette

from filmgate.app import Node
from filmgate.config import load_settings
from filmgate.providers.egress import Egress
from filmgate.server import serve
from filmgate.telemetry import set_up_logs
from tests.chaos.faults import plant


def create() -> Starlette:
    """The application as the server's processes load it."""
    settings = load_settings()
    set_up_logs(settings.log_level, settings.log_format)
    return plant(Node(settings, egress=Egress(allow_private=True))).app()


def _end_with_the_tests() -> None:
    """A test run that was itself killed must not leave servers behind."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    serve(load_settings(), "tests.serving:create")
