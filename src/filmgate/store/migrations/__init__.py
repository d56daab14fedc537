"""The schema's history, run by Alembic at start: the first node to come up brings it up to date."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from filmgate.core.errors import Unavailable

# Any constant works; it only has to be the same on every node.
_LOCK = 0x66696C6D


def upgrade(engine: sa.Engine) -> None:
    """Bring the database at ``engine`` to the newest schema; nodes that come up together wait.

    Raises ``Unavailable`` when there is no reaching it.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    try:
        connection = engine.connect()
    except sa.exc.OperationalError as error:
        raise Unavailable(f"The database cannot be reached: {_reason(error)}") from error
    with connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _reason(error: sa.exc.OperationalError) -> str:
    """The driver's first line, which names host and port but no password."""
    return str(error.orig).partition("\n")[0]
