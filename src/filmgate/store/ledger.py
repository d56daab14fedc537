"""Posting entries: append-only rows, and the guarded update that keeps every wallet above zero."""

from __future__ import annotations

import time

import sqlalchemy as sa

from filmgate.core.errors import InsufficientBalance
from filmgate.core.ids import new_id
from filmgate.core.ledger import Entry, wallet
from filmgate.store.schema import customers, ledger_entries, ledger_postings


def post(connection: sa.Connection, entry: Entry) -> None:
    """Post ``entry`` inside the caller's transaction.

    Raises ``InsufficientBalance`` when a wallet would go below zero and ``IntegrityError`` when the
    reference was posted before.
    """
    entry_id = new_id()
    connection.execute(
        ledger_entries.insert().values(
            id=entry_id,
            reference=entry.reference,
            kind=entry.kind,
            task_id=entry.task_id,
            created_at=time.time(),
        )
    )
    connection.execute(
        ledger_postings.insert(),
        [
            {
                "entry_id": entry_id,
                "line": line,
                "account": posting.account,
                "amount": posting.amount,
            }
            for line, posting in enumerate(entry.postings)
        ],
    )
    for posting in entry.postings:
        if posting.account.startswith(wallet("")):
            _move_balance(connection, posting.account.removeprefix(wallet("")), posting.amount)


def is_posted(connection: sa.Connection, reference: str) -> bool:
    """Whether an entry with that reference exists."""
    query = sa.select(ledger_entries.c.id).where(ledger_entries.c.reference == reference)
    return connection.execute(query).first() is not None


def _move_balance(connection: sa.Connection, customer_id: str, amount: int) -> None:
    # Check and change in one statement: two concurrent spends cannot both see the old balance.
    changed = connection.execute(
        customers.update()
        .where(customers.c.id == customer_id, customers.c.balance + amount >= 0)
        .values(balance=customers.c.balance + amount)
    )
    if changed.rowcount != 1:
        raise InsufficientBalance(
            "Insufficient balance for this request; top up the account and try again."
        )
