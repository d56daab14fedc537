"""What commands share: their settings, the parts they work on, and how they print."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from filmgate.config import BadSetting, Settings, load_settings

if TYPE_CHECKING:
    from filmgate.app import Node

T = TypeVar("T")
_FILE_COLUMNS = 1000

Home = Annotated[Path | None, typer.Option(help="Folder for the database, files and secrets.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings_with(**options: object) -> Settings:
    """Settings from the environment, with a command's options over them. Raises ``BadSetting``."""
    for name, value in options.items():
        if value is not None:
            # The server's own processes read the environment again.
            os.environ[f"FILMGATE_{name.upper()}"] = str(value)
    return load_settings()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Node]:
    """This node's parts over a database that is up to date and filled; no server need be running.

    Raises ``BadSetting`` and ``Unavailable``.
    """
    from filmgate.app import Node  # heavy; commands that only talk to a server do without

    try:
        node = Node(settings)
    except ValueError as error:
        raise BadSetting(str(error)) from error
    try:
        await asyncio.to_thread(node.migrate)
        await node.operators.seed()
        yield node
    finally:
        await node.close()


def micros(dollars: str) -> int:
    """Micro-dollars of an amount such as ``9.99``. Raises ``BadParameter``."""
    try:
        amount = Decimal(dollars) * 1_000_000
        if amount < 0 or amount != int(amount) or amount > 10**15:
            raise InvalidOperation
    except (InvalidOperation, ValueError, OverflowError):
        raise typer.BadParameter(f"{dollars} is not an amount such as 10 or 9.99") from None
    return int(amount)


def new_table(*columns: str) -> Table:
    """An empty table whose first column is never cut short."""
    first, *others = columns
    name = Column(first, no_wrap=True)
    return Table(name, *others, box=None, header_style="bold", pad_edge=False)


def show_table(table: Table) -> None:
    """Print a table: fitted to a terminal, or a line for each row into a file or pipe."""
    Console(width=None if sys.stdout.isatty() else _FILE_COLUMNS).print(table)


def show_json(value: object) -> None:
    """Print one JSON document."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end."""
    return asyncio.run(work)
