"""The one door to the database: every read and every transaction of filmgate goes through it.

SQLAlchemy's synchronous core in threads: SQLite has one writer, so all its writes share one thread
and never wait for a lock of our own making; PostgreSQL gets a small pool. The durable engine's
enqueue needs a synchronous connection as well, so the same code serves both databases
(decision 0002).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from filmgate.core.errors import Unavailable

T = TypeVar("T")
_POOL = 8
# Unreachable, restarting, read-only after a fail-over, or out of connections: all pass.
_AWAY = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)


class Database:
    """A SQLite file or a PostgreSQL database, by URL. Call ``close`` when done."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = sqlite_engine(self.url) if self.is_sqlite else postgresql_engine(self.url)
        self._readers = ThreadPoolExecutor(_POOL, thread_name_prefix="database")
        self._writers = (
            ThreadPoolExecutor(1, thread_name_prefix="database-writer")
            if self.is_sqlite
            else self._readers
        )

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` on a connection and undo whatever it changes. Raises ``Unavailable``."""
        return await self._run(self._readers, self._read, work)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` in one transaction: committed if it returns, undone if it raises.

        This is the only commit in filmgate. Raises ``Unavailable`` and what ``work`` raises.
        """
        return await self._run(self._writers, self._write, work)

    def close(self) -> None:
        """Wait for running work, then drop all connections."""
        self._writers.shutdown()
        self._readers.shutdown()
        self.engine.dispose()

    def _read(self, work: Callable[[sa.Connection], T]) -> T:
        with self.engine.connect() as connection:
            return work(connection)

    def _write(self, work: Callable[[sa.Connection], T]) -> T:
        with self.engine.connect() as connection:
            if self.is_sqlite:
                # Take the write lock now: a lock taken at the first write could fail midway.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            result = work(connection)
            connection.commit()
            return result

    async def _run(
        self,
        pool: ThreadPoolExecutor,
        how: Callable[[Callable[[sa.Connection], T]], T],
        work: Callable[[sa.Connection], T],
    ) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, how, work)
        except _AWAY as error:
            raise Unavailable("The database cannot be reached; try again shortly.") from error


def driver_url(url: str) -> sa.URL:
    """``url`` with the driver we use; raises ``ValueError`` on any other database."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ValueError("not a database URL") from None
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"{other} is not supported; use sqlite:/// or postgresql://")


def sqlite_engine(url: sa.URL) -> sa.Engine:
    """An engine on a SQLite file in WAL mode that survives power loss after each commit."""
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, pool_size=_POOL + 1)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say so
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def postgresql_engine(url: sa.URL) -> sa.Engine:
    """An engine on PostgreSQL that notices dead connections and never waits for ever."""
    return sa.create_engine(
        url,
        pool_size=_POOL,
        max_overflow=0,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={"connect_timeout": 5, "options": "-c statement_timeout=15000"},
    )
