"""Reads a gateway's rows behind its back, to check that nothing was lost or counted twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa

from filmgate.core.ledger import HOLDS, wallet
from filmgate.core.task import FINAL
from filmgate.store.database import driver_url
from filmgate.store.schema import customers, ledger_entries, ledger_postings, tasks
from tests.gateway import Gateway


def task_rows(url: str) -> list[dict[str, Any]]:
    """Every task row."""
    return _rows(url, sa.select(tasks))


def check_books(gateway: Gateway, url: str) -> list[dict[str, Any]]:
    """Every task has ended, was submitted at most once and settled exactly once, and the ledger
    agrees with every balance. Returns the task rows.
    """
    rows = task_rows(url)
    assert {row["status"] for row in rows} <= FINAL
    submitted = Counter(_submissions(gateway))
    assert all(count <= 1 for count in submitted.values()), f"submitted twice: {submitted}"
    kinds = Counter((row["task_id"], row["kind"]) for row in _rows(url, sa.select(ledger_entries)))
    for row in rows:
        settled = "capture" if row["charged"] else "release"
        assert kinds[row["id"], "hold"] == 1
        assert kinds[row["id"], settled] == 1
        assert row["charged"] == 0 or row["status"] == "completed"
    balances: Counter[str] = Counter()
    for posting in _rows(url, sa.select(ledger_postings)):
        balances[posting["account"]] += posting["amount"]
    assert sum(balances.values()) == 0
    assert balances[HOLDS] == 0
    for customer in _rows(url, sa.select(customers)):
        assert balances[wallet(customer["id"])] == customer["balance"] >= 0
    return rows


def _submissions(gateway: Gateway) -> list[str]:
    file = gateway.home / "submissions"
    return file.read_text().split() if file.exists() else []


def _rows(url: str, query: sa.Select[Any]) -> list[dict[str, Any]]:
    engine = sa.create_engine(driver_url(url))
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
    finally:
        engine.dispose()
