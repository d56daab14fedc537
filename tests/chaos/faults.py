"""Kills the server at a named crash point (architecture, "Crash points"), once, as kill -9 would.

``FILMGATE_TEST_CRASH`` names the point. The server under test is the shipped one; only the part
next to the point is wrapped. Submissions are counted in a file, so that a second one is seen.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from filmgate.app import Node
from filmgate.providers.upstream import UpstreamProvider

# point -> (the part whose method is wrapped, the method, before or after it)
POINTS: dict[str, tuple[str, str, str]] = {
    "before the create commits": ("engine", "enqueue", "after"),
    "after the create commits": ("tasks", "create", "after"),
    "marked, not yet submitted": ("sandbox", "submit", "before"),
    "submitted, id not yet saved": ("sandbox", "submit", "after"),
    "while polling": ("sandbox", "poll", "after"),
    "while storing the clip": ("objects", "put_file", "before"),
    "stored, not yet settled": ("tasks", "finish", "before"),
    "settled, not yet cleaned up": ("sandbox", "forget", "before"),
}
UPSTREAM_POINTS: dict[str, str] = {
    "marked, not yet sent upstream": "before",
    "upstream took it, id not yet saved": "after",
}


def plant(node: Node) -> Node:
    """Wrap what the environment asks for; does nothing when it asks for nothing."""
    home = node.settings.home
    _count(node, home / "submissions")
    point = os.environ.get("FILMGATE_TEST_CRASH")
    if point in UPSTREAM_POINTS:
        submit = UpstreamProvider.submit
        killer = _kill(submit, UPSTREAM_POINTS[point], home / "crashed")
        UpstreamProvider.submit = killer  # type: ignore[method-assign]  # the fault is the point
    elif point:
        owner_name, method, when = POINTS[point]
        owner = getattr(node, owner_name)
        original = getattr(owner, method)
        wrap = _kill_in_transaction if method == "enqueue" else _kill
        killer = wrap(original, when, home / "crashed")
        setattr(owner, method, killer)
        if method == "enqueue":
            node.tasks._enqueue = killer
    return node


def _die(marker: Path) -> None:
    marker.write_text("")
    os.kill(os.getpid(), signal.SIGKILL)


def _kill(
    original: Callable[..., Awaitable[Any]], when: str, marker: Path
) -> Callable[..., Awaitable[Any]]:
    async def killed(*arguments: Any, **named: Any) -> Any:
        if marker.exists():
            return await original(*arguments, **named)
        if when == "before":
            _die(marker)
        result = await original(*arguments, **named)
        _die(marker)
        return result

    return killed


def _kill_in_transaction(
    original: Callable[[sa.Connection, str], None], _when: str, marker: Path
) -> Callable[[sa.Connection, str], None]:
    def killed(connection: sa.Connection, task_id: str) -> None:
        original(connection, task_id)
        if not marker.exists():
            _die(marker)

    return killed


def _count(node: Node, file: Path) -> None:
    """Count what the sandbox accepted, as an upstream's bill would: a job is accepted by making its
    folder. One that was cut before that was never submitted, and may be submitted again.
    """
    original = node.sandbox.submit

    async def counted(task: Any, request: Any) -> str:
        if (file.parent / "sandbox" / task.id).exists():
            _note(file, task.id)  # it is bought a second time
        upstream_id = await original(task, request)
        _note(file, task.id)
        return upstream_id

    node.sandbox.submit = counted  # type: ignore[method-assign]  # the fault is the point


def _note(file: Path, line: str) -> None:
    with file.open("a") as lines:
        lines.write(f"{line}\n")
        lines.flush()
        os.fsync(lines.fileno())
