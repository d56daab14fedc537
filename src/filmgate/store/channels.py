"""Channels as rows, with their secrets sealed; implements ``core.ports.Channels``."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.exc import IntegrityError

from filmgate.core.channel import Channel
from filmgate.core.errors import InvalidRequest, Unavailable
from filmgate.core.task import FINAL
from filmgate.store.database import Database
from filmgate.store.schema import channels, tasks

_SECRET = ("credentials", "headers", "proxy")
_APART = ("trouble",)
_NONCE_BYTES = 12


class ChannelStore:
    """The channels of this gateway. ``secret`` is the home's; a key of its own comes from it."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"filmgate channels")
        self._cipher = AESGCM(derived.derive(secret))

    async def all(self) -> list[Channel]:
        rows = await self._database.read(
            lambda c: [dict(row) for row in c.execute(sa.select(channels)).mappings()]
        )
        found = [self._channel(row) for row in rows]
        return sorted(found, key=lambda channel: (channel.priority, channel.name))

    async def put(self, channel: Channel) -> None:
        row = self._row(channel)

        def work(connection: sa.Connection) -> None:
            # Trouble is not a setting: it may be found at this very moment (``set_trouble``).
            settings = {name: value for name, value in row.items() if name != "trouble"}
            changed = connection.execute(
                channels.update().where(channels.c.id == channel.id).values(settings)
            )
            if changed.rowcount == 0:
                connection.execute(channels.insert().values(row))

        try:
            await self._database.write(work)
        except IntegrityError as error:
            raise InvalidRequest(
                f"A channel named {channel.name} exists; choose another name or remove it first.",
                code="name_taken",
                param="name",
            ) from error

    async def remove(self, channel_id: str) -> None:
        busy = sa.select(tasks.c.id).where(
            tasks.c.channel == channel_id, tasks.c.status.not_in(FINAL)
        )

        def work(connection: sa.Connection) -> None:
            if connection.execute(busy.limit(1)).first():
                raise InvalidRequest(
                    "Tasks are still running at this channel; disable it and remove it later.",
                    code="channel_busy",
                )
            connection.execute(channels.delete().where(channels.c.id == channel_id))

        await self._database.write(work)

    async def set_trouble(self, channel_id: str, trouble: str) -> None:
        change = channels.update().where(channels.c.id == channel_id)
        values = {"trouble": trouble, "changed_at": time.time()}
        await self._database.write(lambda connection: connection.execute(change.values(values)))

    def _row(self, channel: Channel) -> dict[str, Any]:
        fields = msgspec.to_builtins(channel)
        secret = {name: fields.pop(name) for name in _SECRET}
        for name in _APART:
            fields.pop(name)
        nonce = os.urandom(_NONCE_BYTES)
        plain = msgspec.json.encode(secret)
        return {
            "id": channel.id,
            "name": channel.name,
            "row": msgspec.json.encode(fields).decode(),
            "sealed": nonce + self._cipher.encrypt(nonce, plain, channel.id.encode()),
            "trouble": channel.trouble,
            "changed_at": time.time(),
        }

    def _channel(self, row: Mapping[str, Any]) -> Channel:
        nonce, sealed = row["sealed"][:_NONCE_BYTES], row["sealed"][_NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, sealed, row["id"].encode())
        except InvalidTag as error:
            raise Unavailable(
                f"The secrets of channel {row['name']} cannot be opened: the home's secret.key "
                "or FILMGATE_SECRET_KEY is not the one they were sealed with."
            ) from error
        fields = msgspec.json.decode(row["row"]) | msgspec.json.decode(plain)
        return msgspec.convert(fields | {"trouble": row["trouble"]}, Channel)
