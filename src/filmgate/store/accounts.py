"""Customers, their keys and their money; implements ``core.ports.Accounts``."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from filmgate.core.ids import new_id
from filmgate.core.ledger import Entry
from filmgate.core.ports import Key
from filmgate.store.database import Database
from filmgate.store.ledger import is_posted, post
from filmgate.store.schema import customers, keys


class AccountStore:
    """Rows of customers and keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def key_by_digest(self, digest: bytes) -> Key | None:
        query = sa.select(keys).where(keys.c.digest == digest)

        def work(connection: sa.Connection) -> Key | None:
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            models = msgspec.json.decode(row["models"], type=tuple[str, ...])
            return Key(**{**row, "models": models})

        return await self._database.read(work)

    async def open(self, name: str) -> str:
        query = sa.select(customers.c.id).where(customers.c.name == name)

        def work(connection: sa.Connection) -> str:
            found = connection.execute(query).scalar()
            if found is not None:
                return str(found)
            row = {"id": new_id(), "name": name, "balance": 0, "created_at": time.time()}
            connection.execute(customers.insert().values(row))
            return str(row["id"])

        return await self._database.write(work)

    async def add_key(self, key: Key) -> None:
        row: dict[str, Any] = {name: getattr(key, name) for name in key.__struct_fields__}
        row["models"] = msgspec.json.encode(key.models).decode()
        await self._database.write(lambda c: c.execute(keys.insert().values(row)))

    async def post(self, entry: Entry) -> bool:
        def work(connection: sa.Connection) -> bool:
            if is_posted(connection, entry.reference):
                return False
            post(connection, entry)
            return True

        try:
            return await self._database.write(work)
        except IntegrityError:
            return False  # a twin posted it between our look and our insert

    async def balance(self, customer_id: str) -> int:
        query = sa.select(customers.c.balance).where(customers.c.id == customer_id)
        return int(await self._database.read(lambda c: c.execute(query).scalar_one()))

    async def any_customer(self) -> bool:
        query = sa.select(customers.c.id).limit(1)
        return await self._database.read(lambda c: c.execute(query).first() is not None)
