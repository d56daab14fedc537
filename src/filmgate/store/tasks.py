"""Task rows: each public method is one transaction, each move is guarded by the table of moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from filmgate.core.ids import new_id
from filmgate.core.ledger import Entry
from filmgate.core.ports import Attempt
from filmgate.core.pricing import Quote
from filmgate.core.task import FINAL, Asset, Failure, Status, Task, origins
from filmgate.core.video import VideoRequest
from filmgate.store.database import Database
from filmgate.store.ledger import post
from filmgate.store.schema import attempts, tasks

# Puts a task's durable job into the transaction of the given connection.
Enqueue = Callable[[sa.Connection, str], None]

_JSON: dict[str, Any] = {
    "request": VideoRequest,
    "quote": Quote,
    "failure": Failure,
    "asset": Asset,
    "answer": dict[str, Any],
}
# PostgreSQL takes 65,535 parameters a statement, SQLite 32,766.
_BATCH = 500


class TaskStore:
    """The tasks of all customers; implements ``core.ports.Tasks``."""

    def __init__(self, database: Database, enqueue: Enqueue) -> None:
        self._database = database
        self._enqueue = enqueue

    async def create(self, task: Task, entry: Entry) -> None:
        def work(connection: sa.Connection) -> None:
            post(connection, entry)
            connection.execute(tasks.insert().values(_row(task)))
            self._enqueue(connection, task.id)

        await self._database.write(work)

    async def get(self, task_id: str) -> Task | None:
        found = await self.many([task_id])
        return found[0] if found else None

    async def states(self, task_ids: Iterable[str]) -> list[tuple[str, Status, int]]:
        ids = list(task_ids)
        query = sa.select(tasks.c.id, tasks.c.status, tasks.c.progress)

        def work(connection: sa.Connection) -> list[tuple[str, Status, int]]:
            return [
                (row.id, row.status, row.progress)
                for start in range(0, len(ids), _BATCH)
                for row in connection.execute(
                    query.where(tasks.c.id.in_(ids[start : start + _BATCH]))
                )
            ]

        return await self._database.read(work)

    async def many(self, task_ids: Iterable[str]) -> list[Task]:
        ids = list(task_ids)

        def work(connection: sa.Connection) -> list[Task]:
            return [
                _task(row)
                for start in range(0, len(ids), _BATCH)
                for row in connection.execute(
                    sa.select(tasks).where(tasks.c.id.in_(ids[start : start + _BATCH]))
                ).mappings()
            ]

        return await self._database.read(work)

    async def move(
        self,
        task_id: str,
        to: Status,
        *,
        channel: str | None = None,
        upstream_id: str | None = None,
        part: int | None = None,
        cost: int | None = None,
        attempt: Attempt | None = None,
    ) -> bool:
        if to in FINAL:
            raise ValueError(f"{to} is final: use finish, which settles the money too")
        given = {"channel": channel, "upstream_id": upstream_id, "part": part, "cost": cost}
        changes: dict[str, Any] = {"status": to}
        changes |= {name: value for name, value in given.items() if value is not None}
        if to == "submitting":
            changes["submitted_at"] = time.time()

        def work(connection: sa.Connection) -> bool:
            if attempt:
                row = {"id": new_id(), "task_id": task_id} | msgspec.structs.asdict(attempt)
                connection.execute(attempts.insert().values(row))
            return _guarded(connection, task_id, to, changes)

        return await self._database.write(work)

    async def finish(
        self,
        task_id: str,
        to: Status,
        entry: Entry,
        *,
        only_from: Status | None = None,
        asset: Asset | None = None,
        failure: Failure | None = None,
        moderated: bool = False,
        charged: int = 0,
        cost: int | None = None,
        answer: dict[str, Any] | None = None,
        flagged: str = "",
    ) -> bool:
        changes = {
            "status": to,
            "progress": 100,
            "asset": _encode(asset),
            "failure": _encode(failure),
            "moderated": moderated,
            "charged": charged,
            "cost": cost,
            "answer": _encode(answer),
            "flagged": flagged,
            "finished_at": time.time(),
        }

        def work(connection: sa.Connection) -> bool:
            won = _guarded(connection, task_id, to, changes, only_from)
            if won:
                post(connection, entry)
            return won

        return await self._database.write(work)

    async def hide(self, task_id: str) -> None:
        hidden = tasks.update().where(tasks.c.id == task_id).values(deleted=True)
        await self._database.write(lambda connection: connection.execute(hidden))

    async def request_cancel(self, task_id: str) -> None:
        await self._database.write(
            lambda connection: connection.execute(
                tasks.update().where(tasks.c.id == task_id).values(cancel_requested=True)
            )
        )

    async def cancel_requests(self) -> set[str]:
        query = sa.select(tasks.c.id).where(tasks.c.cancel_requested, tasks.c.finished_at.is_(None))
        return await self._database.read(lambda c: set(c.execute(query).scalars()))

    async def note_progress(self, progress: Mapping[str, int]) -> None:
        statement = (
            tasks.update()
            .where(
                tasks.c.id == sa.bindparam("task"),
                tasks.c.status == "in_progress",
                tasks.c.progress < sa.bindparam("percent"),
            )
            .values(progress=sa.bindparam("percent"))
        )
        rows = [{"task": task_id, "percent": percent} for task_id, percent in progress.items()]
        await self._database.write(lambda connection: connection.execute(statement, rows))


def _guarded(
    connection: sa.Connection,
    task_id: str,
    to: Status,
    changes: dict[str, Any],
    only_from: Status | None = None,
) -> bool:
    """Apply ``changes`` if the task may move to ``to``; says whether it did."""
    allowed = [status for status in origins(to) if only_from in (None, status)]
    changed = connection.execute(
        tasks.update().where(tasks.c.id == task_id, tasks.c.status.in_(allowed)).values(changes)
    )
    return changed.rowcount == 1


def _encode(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _row(task: Task) -> dict[str, Any]:
    row = {name: getattr(task, name) for name in task.__struct_fields__}
    return row | {name: _encode(row[name]) for name in _JSON}


def _task(row: Mapping[Any, Any]) -> Task:
    read = {
        name: msgspec.json.decode(row[name], type=kind)
        for name, kind in _JSON.items()
        if row[name] is not None
    }
    return Task(**{**row, **read})
