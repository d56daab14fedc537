"""Laws of money: entries balance, and a hold ends exactly once with nothing lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.core import ledger
from filmgate.core.ledger import Entry, Posting, wallet

AMOUNTS = st.integers(min_value=1, max_value=10**15)


def balances(entries: list[Entry]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for entry in entries:
        for posting in entry.postings:
            totals[posting.account] += posting.amount
    return totals


def test_an_entry_that_does_not_balance_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        Entry(reference="x", kind="hold", postings=(Posting("a", 1), Posting("b", -2)))


@given(AMOUNTS, AMOUNTS, st.data())
def test_what_is_held_is_earned_or_goes_back(paid: int, held: int, data: st.DataObject) -> None:
    due = data.draw(st.integers(min_value=0, max_value=held))
    totals = balances(
        [
            ledger.top_up("c", paid, "r"),
            ledger.hold("c", "t", held),
            ledger.settle("c", "t", held, due),
        ]
    )
    assert sum(totals.values()) == 0
    assert totals[ledger.HOLDS] == 0
    assert totals[ledger.REVENUE] == due
    assert totals[wallet("c")] == paid - due


@given(AMOUNTS)
def test_capture_and_release_share_one_reference(held: int) -> None:
    capture, release = ledger.settle("c", "t", held, held), ledger.settle("c", "t", held, 0)
    assert capture.reference == release.reference
    assert (capture.kind, release.kind) == ("capture", "release")


@pytest.mark.parametrize("due", [-1, 101])
def test_nobody_is_charged_more_than_was_held(due: int) -> None:
    with pytest.raises(ValueError, match="cannot charge"):
        ledger.settle("c", "t", 100, due)


@pytest.mark.parametrize("amount", [0, -5])
def test_amounts_are_positive(amount: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        ledger.top_up("c", amount, "r")
    with pytest.raises(ValueError, match="positive"):
        ledger.hold("c", "t", amount)
