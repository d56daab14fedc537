"""Laws of the state machine: a total table whose ends are ends that every task can reach."""

import pytest

from filmgate.core.task import FINAL, MOVES, STATUSES, Status, origins


def test_every_status_has_a_row() -> None:
    assert set(MOVES) == set(STATUSES)


@pytest.mark.parametrize("status", STATUSES)
def test_moves_lead_to_known_statuses_and_never_to_themselves(status: Status) -> None:
    assert MOVES[status] <= set(STATUSES) - {status}


def test_final_statuses_are_those_without_moves() -> None:
    assert FINAL == {"completed", "failed", "cancelled"}


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_leads_to_an_end(status: Status) -> None:
    reached, frontier = {status}, [status]
    while frontier:
        for onward in MOVES[frontier.pop()] - reached:
            reached.add(onward)
            frontier.append(onward)
    assert reached & FINAL


@pytest.mark.parametrize("target", STATUSES)
def test_origins_are_the_table_read_backwards(target: Status) -> None:
    assert set(origins(target)) == {status for status in STATUSES if target in MOVES[status]}


def test_a_paid_submission_is_never_skipped() -> None:
    """Only ``submitting`` leads away from the upstream call's mark, and only it is paid for."""
    assert origins("submitting") == ("queued",)
    assert set(origins("in_progress")) == {"submitting", "unknown"}
