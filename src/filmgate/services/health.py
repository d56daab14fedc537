"""How each channel is doing, from live traffic: who may be asked now, and who needs a rest.

A channel that fails several times in a row is left alone for a while (its circuit is open), then
tried with a single job; a channel that asks for patience (``Retry-After``) gets it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable

from filmgate.core.channel import Channel
from filmgate.core.pacing import Bucket

_FAILURES = 5
_REST_SECONDS = 30.0
_LONGEST_REST_SECONDS = 300.0


class _State:
    """One channel's recent past; moments are on the monotonic clock."""

    def __init__(self, channel: Channel) -> None:
        self.limits = (channel.per_second, channel.per_minute, channel.polls_per_second)
        self.submits: list[Bucket] = []
        if channel.per_second:
            self.submits.append(Bucket(channel.per_second, max(1, int(channel.per_second))))
        if channel.per_minute:
            self.submits.append(Bucket(channel.per_minute / 60, channel.per_minute))
        self.polls = Bucket(channel.polls_per_second)
        self.failures = 0
        self.rests = 0
        self.until = 0.0
        self.probing = False
        self.tasks: set[str] = set()


class Health:
    """The state of all channels in this process. ``clock`` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}
        self._at: dict[str, str] = {}

    def patience(self, channel: Channel) -> float:
        """Seconds until the channel may be given a job; 0 is now."""
        state, now = self._state(channel), self._clock()
        if state.until > now:
            return state.until - now
        if state.failures >= _FAILURES and state.probing:
            return 1.0  # one job is finding out
        full = channel.max_in_flight is not None and len(state.tasks) >= channel.max_in_flight
        return 1.0 if full else 0.0

    def enter(self, channel: Channel, task_id: str) -> None:
        """The task is at the channel from now on, until ``leave``."""
        self.leave(task_id)
        state = self._state(channel)
        state.tasks.add(task_id)
        state.probing = state.failures >= _FAILURES
        self._at[task_id] = channel.id

    def leave(self, task_id: str) -> None:
        """The task is nowhere."""
        state = self._states.get(self._at.pop(task_id, ""))
        if state:
            state.tasks.discard(task_id)

    def submit_wait(self, channel: Channel) -> float:
        """Take a place in the channel's submission limits; seconds to wait for it."""
        now = self._clock()
        return max((bucket.take(now) for bucket in self._state(channel).submits), default=0.0)

    def poll_wait(self, channel: Channel) -> float:
        """Take a place in the channel's poll limit; seconds to wait for it."""
        return self._state(channel).polls.take(self._clock())

    def good(self, channel: Channel) -> None:
        """The channel answered as it should."""
        state = self._state(channel)
        state.failures, state.rests, state.probing = 0, 0, False

    def busy(self, channel: Channel, seconds: float) -> None:
        """The channel asked for patience."""
        state = self._state(channel)
        state.until = max(state.until, self._clock() + seconds)
        state.probing = False

    def bad(self, channel: Channel) -> None:
        """The channel failed; several failures in a row open its circuit."""
        state = self._state(channel)
        state.failures += 1
        state.probing = False
        if state.failures >= _FAILURES:
            rest = min(_REST_SECONDS * 2**state.rests, _LONGEST_REST_SECONDS)
            state.until, state.rests = self._clock() + rest, state.rests + 1

    def in_flight(self) -> dict[str, int]:
        """Tasks at each channel."""
        counts: dict[str, int] = defaultdict(int)
        for channel_id in self._at.values():
            counts[channel_id] += 1
        return dict(counts)

    def _state(self, channel: Channel) -> _State:
        state = self._states.get(channel.id)
        limits = (channel.per_second, channel.per_minute, channel.polls_per_second)
        if state is None or state.limits != limits:
            fresh = _State(channel)
            if state:  # new limits for the same channel
                fresh.tasks, fresh.failures, fresh.rests = state.tasks, state.failures, state.rests
                fresh.until = state.until
            state = self._states[channel.id] = fresh
        return state
