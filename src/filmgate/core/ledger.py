"""Double-entry bookkeeping: every movement of money is an entry whose postings sum to zero."""

from __future__ import annotations

from typing import Literal

import msgspec

EntryKind = Literal["top_up", "hold", "capture", "release"]

# The accounts that belong to the house. A customer's wallet is ``wallet(customer_id)``.
HOLDS = "holds"
REVENUE = "revenue"
TOP_UPS = "top_ups"


def wallet(customer_id: str) -> str:
    """The account that holds what a customer may still spend."""
    return f"wallet:{customer_id}"


class Posting(msgspec.Struct, frozen=True):
    """One line of an entry: ``amount`` micro-dollars into (+) or out of (-) ``account``."""

    account: str
    amount: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of money. ``reference`` is unique, so the same movement never counts twice."""

    reference: str
    kind: EntryKind
    postings: tuple[Posting, ...]
    task_id: str = ""

    def __post_init__(self) -> None:
        if sum(posting.amount for posting in self.postings) != 0:
            raise ValueError(f"entry {self.reference} does not balance")


def top_up(customer_id: str, amount: int, reference: str) -> Entry:
    """Money comes in from outside. ``amount`` must be positive."""
    _positive(amount)
    return Entry(
        reference=reference,
        kind="top_up",
        postings=(Posting(TOP_UPS, -amount), Posting(wallet(customer_id), amount)),
    )


def hold(customer_id: str, task_id: str, amount: int) -> Entry:
    """Set the price of a task aside before anything is bought."""
    _positive(amount)
    return Entry(
        reference=f"task:{task_id}:hold",
        kind="hold",
        task_id=task_id,
        postings=(Posting(wallet(customer_id), -amount), Posting(HOLDS, amount)),
    )


def settle(customer_id: str, task_id: str, held: int, due: int) -> Entry:
    """End a hold: ``due`` is earned and what is left goes back. ``due`` of 0 is a full release.

    Capture and release share one reference: whichever comes first is the only one.
    """
    if not 0 <= due <= held:
        raise ValueError(f"cannot charge {due} of {held} micro-dollars held")
    back = held - due
    postings = [Posting(HOLDS, -held)]
    if due:
        postings.append(Posting(REVENUE, due))
    if back:
        postings.append(Posting(wallet(customer_id), back))
    return Entry(
        reference=f"task:{task_id}:settle",
        kind="capture" if due else "release",
        task_id=task_id,
        postings=tuple(postings),
    )


def _positive(amount: int) -> None:
    if amount <= 0:
        raise ValueError(f"an amount must be positive, not {amount}")
