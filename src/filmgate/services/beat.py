"""Repeats a step for as long as the process runs, whatever happens in one of its rounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from filmgate.core.errors import Unavailable

_log = structlog.get_logger()


async def every(seconds: float, step: Callable[[], Awaitable[None]]) -> None:
    """Run ``step`` every so many seconds until cancelled; a round that fails is only told."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await step()
        except Unavailable:
            _log.warning("beat.database_away", step=step.__qualname__)
        except Exception:
            _log.exception("beat.trouble", step=step.__qualname__)
