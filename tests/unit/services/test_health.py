"""Channels' health: patience where asked for, rest after failures, then one job to probe."""

import pytest

from filmgate.core.channel import Channel
from filmgate.services.health import Health


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


def channel(**settings: object) -> Channel:
    return Channel(id="c", name="c", dialect="xai", **settings)  # type: ignore[arg-type]  # a table


def fail(health: Health, times: int) -> None:
    for _ in range(times):
        health.bad(channel())


def test_a_new_channel_may_be_asked(health: Health) -> None:
    assert health.patience(channel()) == 0


def test_retry_after_is_obeyed(health: Health, clock: Clock) -> None:
    health.busy(channel(), 7.0)
    assert health.patience(channel()) == 7.0
    clock.now += 7.0
    assert health.patience(channel()) == 0


def test_failures_in_a_row_open_the_circuit(health: Health, clock: Clock) -> None:
    fail(health, 4)
    assert health.patience(channel()) == 0
    fail(health, 1)
    assert health.patience(channel()) == 30.0


def test_a_success_between_failures_starts_the_count_anew(health: Health) -> None:
    fail(health, 4)
    health.good(channel())
    fail(health, 4)
    assert health.patience(channel()) == 0


def test_one_job_probes_a_rested_channel(health: Health, clock: Clock) -> None:
    fail(health, 5)
    clock.now += 30.0
    assert health.patience(channel()) == 0
    health.enter(channel(), "probe")
    assert health.patience(channel()) > 0  # others wait for what the probe finds
    health.good(channel())
    assert health.patience(channel()) == 0


def test_a_failed_probe_makes_the_rest_longer_up_to_a_limit(health: Health, clock: Clock) -> None:
    rests = []
    fail(health, 5)
    for _ in range(6):
        rests.append(health.patience(channel()))
        clock.now += rests[-1]
        health.enter(channel(), "probe")
        health.bad(channel())
    assert rests == [30.0, 60.0, 120.0, 240.0, 300.0, 300.0]


def test_most_tasks_in_flight(health: Health) -> None:
    narrow = channel(max_in_flight=2)
    for task in ("a", "b", "b"):
        health.enter(narrow, task)
    assert health.patience(narrow) > 0
    assert health.in_flight() == {"c": 2}
    health.leave("a")
    health.leave("never seen")
    assert health.patience(narrow) == 0


def test_submission_limits_are_taken_in_turn(health: Health) -> None:
    limited = channel(per_second=2.0)
    assert [health.submit_wait(limited) for _ in range(4)] == [0.0, 0.0, 0.5, 1.0]
    assert [health.submit_wait(channel()) for _ in range(4)] == [0.0] * 4


def test_new_limits_keep_the_past(health: Health) -> None:
    health.enter(channel(), "a")
    fail(health, 5)
    changed = channel(per_second=1.0, max_in_flight=1)
    assert health.patience(changed) == 30.0
    assert health.in_flight() == {"c": 1}
