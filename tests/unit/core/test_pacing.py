"""Polls come when a job is likely to have ended, and no limit is ever overstepped."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.core.pacing import Bucket, Pace

AGES = st.floats(min_value=0, max_value=1e6)


def follow(pace: Pace, duration: float, key: str, channel: str = "c") -> tuple[float, int]:
    """Poll one job to its end; returns how late the end was seen, in seconds, and the polls."""
    age, since, polls = 0.0, 0.0, 0
    while True:
        age, polls = age + pace.wait(channel, "m", 10, age, key=key), polls + 1
        if age >= duration:
            pace.learn(channel, "m", 10, age, since)
            return age - duration, polls
        since = age


def learned(median: float, jobs: int = 100, sigma: float = 0.15) -> Pace:
    """A pace that has seen jobs of about that many seconds."""
    pace, dice = Pace(), random.Random(1)
    for job in range(jobs):
        follow(pace, median * dice.lognormvariate(0, sigma), f"{median} {job}")
    return pace


def typical(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def test_an_unknown_channel_is_taken_for_about_twenty_seconds() -> None:
    pace = Pace()
    assert 4 < pace.wait("c", "m", 10, 0) < 12
    assert pace.wait("c", "m", 10, 20) < 2


def test_polls_are_sparse_at_first_dense_around_the_end_and_sparse_far_past_it() -> None:
    pace = learned(40)
    assert 20 < pace.wait("c", "m", 10, 0) <= 30
    assert pace.wait("c", "m", 10, 40) <= 1
    assert 10 < pace.wait("c", "m", 10, 600) <= 15


def test_a_job_past_its_time_is_asked_after_every_eighth_of_its_age() -> None:
    assert 5 < learned(15).wait("c", "m", 10, 60) <= 7.5


def test_a_long_job_is_still_asked_after_every_half_minute() -> None:
    assert 20 < learned(600).wait("c", "m", 10, 100) <= 30


@pytest.mark.parametrize("median", [5, 25, 120, 900])
def test_a_learned_duration_is_known_soon_with_few_polls(median: float) -> None:
    pace, dice = learned(median), random.Random(2)
    seen = [follow(pace, median * dice.lognormvariate(0, 0.15), str(job)) for job in range(200)]
    assert typical([late for late, _ in seen]) <= max(0.6, 0.02 * median)
    assert typical([polls for _, polls in seen]) <= 20 + median / 24


@pytest.mark.parametrize(("before", "after"), [(60, 15), (15, 90), (300, 20)])
def test_an_upstream_that_changes_is_learned_anew_within_ten_jobs(
    before: float, after: float
) -> None:
    pace, dice = learned(before, jobs=1000), random.Random(3)
    late = [follow(pace, after * dice.lognormvariate(0, 0.15), str(job))[0] for job in range(20)]
    assert typical(late[10:]) <= 0.2 * after


def test_each_channel_model_and_length_is_learned_for_itself() -> None:
    pace = learned(300)
    untouched = Pace().wait("c", "m", 10, 0)
    assert pace.wait("c", "m", 10.2, 0) > untouched
    assert pace.wait("other", "m", 10, 0) == untouched
    assert pace.wait("c", "other", 10, 0) == untouched
    assert pace.wait("c", "m", 15, 0) == untouched


def test_the_kinds_longest_without_news_are_forgotten() -> None:
    pace = Pace()
    for number in [*range(512), 0, *range(512, 600)]:
        pace.learn(f"channel {number}", "m", 10, 300)
    fresh = Pace().wait("", "m", 10, 0)
    waits = [pace.wait(f"channel {number}", "m", 10, 0) for number in range(600)]
    assert [wait == fresh for wait in waits] == [False, *[True] * 88, *[False] * 511]


def test_troubles_double_the_wait_up_to_a_minute() -> None:
    pace = Pace()
    waits = [pace.wait("c", "m", 10, 20, troubles=count, key="k") for count in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[4] == pytest.approx(2 * waits[3])
    assert 48 <= waits[-1] <= 60


def test_the_same_task_waits_the_same_and_many_tasks_spread_out() -> None:
    pace = learned(25)
    waits = [pace.wait("c", "m", 10, 0, key=f"task {number}") for number in range(1000)]
    assert waits == [pace.wait("c", "m", 10, 0, key=f"task {number}") for number in range(1000)]
    tenths = [round(wait, 1) for wait in waits]
    assert max(map(tenths.count, set(tenths))) < 200


@given(elapsed=AGES, took=AGES, since=AGES, troubles=st.integers(0, 10_000), key=st.text())
def test_a_wait_is_always_sane(
    elapsed: float, took: float, since: float, troubles: int, key: str
) -> None:
    pace = Pace()
    pace.learn("c", "m", 10, took, since)
    pace.learn("c", "m", 10, took)
    assert 0.4 <= pace.wait("c", "m", 10, elapsed, troubles, key) <= 60


STEPS = st.lists(st.floats(min_value=0, max_value=30), max_size=60)
RATES = st.floats(min_value=0.01, max_value=500)


@given(steps=STEPS, rate=RATES, burst=st.integers(1, 20))
def test_no_span_of_time_holds_more_turns_than_the_limit(
    steps: list[float], rate: float, burst: int
) -> None:
    bucket, now, turns = Bucket(rate, burst), 0.0, []
    for step in steps:
        now += step
        wait = bucket.take(now)
        assert wait >= 0
        turns.append(now + wait)
    assert turns == sorted(turns)  # first come, first served: nobody starves
    for first, last in zip(turns, turns[burst:], strict=False):
        assert last - first >= 1 / rate - 1e-6


@given(rate=RATES, burst=st.integers(1, 20), waiting=st.integers(1, 200))
def test_a_crowd_is_served_at_the_full_rate(rate: float, burst: int, waiting: int) -> None:
    bucket = Bucket(rate, burst)
    waits = [bucket.take(1000.0) for _ in range(waiting)]
    assert waits[:burst] == pytest.approx([0.0] * min(burst, waiting), abs=1e-9)
    for earlier, later in pairwise(waits[burst - 1 :]):
        assert later - earlier == pytest.approx(1 / rate)


def test_a_thousand_waiting_tasks_are_spread_evenly() -> None:
    bucket = Bucket(200)
    assert [bucket.take(5.0) for _ in range(1000)] == pytest.approx(
        [number / 200 for number in range(1000)], abs=1e-9
    )


def test_a_quiet_time_saves_no_more_than_the_burst() -> None:
    bucket = Bucket(1, burst=3)
    bucket.take(0)
    assert [bucket.take(1000) for _ in range(5)] == [0, 0, 0, 1, 2]


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (float("nan"), 1), (1, 0)])
def test_a_limit_must_be_positive(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="positive rate"):
        Bucket(rate, burst)
