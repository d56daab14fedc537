"""The models on offer as rows that an operator edits; filled from the shipped catalogue once."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from filmgate.core.catalog import Model
from filmgate.store.database import Database
from filmgate.store.schema import models


class ModelStore:
    """Implements ``core.ports.Models``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Model]:
        query = sa.select(models.c.row).order_by(models.c.position, models.c.name)
        rows = await self._database.read(lambda c: list(c.execute(query).scalars()))
        return [msgspec.json.decode(row, type=Model) for row in rows]

    async def replace(self, catalogue: Iterable[Model]) -> None:
        rows = [
            {"name": model.name, "position": place, "row": msgspec.json.encode(model).decode()}
            for place, model in enumerate(catalogue)
        ]

        def work(connection: sa.Connection) -> None:
            connection.execute(models.delete())
            connection.execute(models.insert(), rows)

        await self._database.write(work)
