"""When to ask an upstream next: polls paced by how long its jobs took so far, and its rate limits.

Nothing here sleeps or looks at a clock: every time is handed in, every answer is a number of
seconds, so that a test can run through days in a moment.
"""

from __future__ import annotations

import math
from array import array
from itertools import pairwise
from zlib import crc32

# Durations are counted in bins that grow by 9 % each: fine for short jobs, few for long ones.
_STEPS = 8  # bins per doubling
_DOUBLINGS = 14  # the last bin ends at 2**14 s = 4.5 h
_EDGES = (0.0, *(math.exp2(i / _STEPS) for i in range(1, _STEPS * _DOUBLINGS + 1)))
_BINS = len(_EDGES) - 1

# What a channel that nobody has used yet is taken for: about 20 s, give or take a lot.
_PRIOR_MEDIAN = 20.0
_PRIOR_SIGMA = 0.6
_PRIOR_WEIGHT = 2.0  # in jobs
_PRIOR_FLOOR = 0.1  # what always remains of it, so that news outside the learned range is seen
_MEMORY = 50.0  # jobs; older ones fade
_STUCK = 0.01  # share of jobs taken to never end, so that one far past its time is let be

# Polls come when the chance that the job has ended meanwhile reaches this: about 12 a job.
_CHANCE = 0.08
_LEAST = 0.5  # seconds, like all that follow
_MOST_BEFORE = 30.0  # callers like to see progress, and an upstream may have become faster
_MOST = 15.0  # once a job is past its usual time
_OVERDUE = 8.0  # such a job is also asked after at least every eighth of its age
_MOST_TROUBLED = 60.0
_MAX_KINDS = 512


class Pace:
    """Learns how long each kind of job takes and says when to poll one next.

    A kind is (channel id, model, clip length in whole seconds). At most 512 kinds are remembered,
    1 kB each; the one that went longest without news is forgotten first.
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, int], _Durations] = {}

    def wait(
        self,
        channel: str,
        model: str,
        seconds: float,
        elapsed: float,
        troubles: int = 0,
        key: str = "",
    ) -> float:
        """Seconds to sleep before the next poll of a job that was handed over ``elapsed`` s ago.

        ``seconds`` is the length of the clip. Long before the usual end the answer is one long
        sleep (at most 30 s); around it, down to half a second; far past it, up to 15 s again.
        ``troubles`` counts the polls in a row that got no answer: each doubles the least wait, from
        1 s up to a minute. ``key`` is the task's id: tasks of one age are spread out by it.
        """
        luck = crc32(key.encode()) / 2**32
        spread = 0.8 + 0.2 * luck
        usual = self._kinds.get((channel, model, round(seconds)), _UNKNOWN)
        most = min(_MOST, elapsed / _OVERDUE) if elapsed >= usual.mean else _MOST_BEFORE
        pause = usual.until(elapsed, _CHANCE * (0.5 + luck))
        pause = max(_LEAST * spread, min(pause, most * spread))
        if troubles > 0:
            backoff = min(math.ldexp(1.0, min(troubles - 1, 10)), _MOST_TROUBLED)
            pause = max(pause, backoff * spread)
        return pause

    def learn(
        self, channel: str, model: str, seconds: float, took: float, since: float | None = None
    ) -> None:
        """A job was seen to be done ``took`` s after it was handed over.

        ``since`` is its age at the last poll that saw it running (0 when there was none): it ended
        somewhere between. Leave it out only where the moment is known exactly. Without it each late
        poll would be learned as a long job, and polls would drift ever later.
        """
        key = (channel, model, round(seconds))
        durations = self._kinds.pop(key, None) or _Durations()
        if len(self._kinds) >= _MAX_KINDS:
            del self._kinds[next(iter(self._kinds))]
        self._kinds[key] = durations
        took = min(max(took, 0.0), _EDGES[-1])
        durations.add(took if since is None else min(max(since, 0.0), took), took)


class _Durations:
    """How long the jobs of one kind took: a histogram in which older jobs fade."""

    def __init__(self) -> None:
        self._weights = array("d", _PRIOR)
        self._summarise()

    def add(self, since: float, took: float) -> None:
        """Count a job that ended between two ages, in seconds."""
        news = [0.0] * _BINS
        for index, share in self._shares(since, took):
            # Blurred, so that a few jobs of one length do not look like a law.
            for place, part in ((index - 1, 0.25), (index, 0.5), (index + 1, 0.25)):
                news[min(max(place, 0), _BINS - 1)] += share * part
        fade = 1.0 - 1.0 / _MEMORY
        for index, (weight, prior) in enumerate(zip(self._weights, _PRIOR, strict=True)):
            floor = prior * _PRIOR_FLOOR
            self._weights[index] = floor + (weight - floor) * fade + news[index]
        self._summarise()

    def until(self, age: float, chance: float) -> float:
        """Seconds until a job that still runs at ``age`` has ended with this probability.

        Infinite when that is never, for some jobs are taken to be stuck.
        """
        first = _bin(age)
        ahead = self._weights[first + 1 :]
        inside = self._weights[first] * _overlap(first, age, math.inf)
        wanted = chance * (inside + sum(ahead) + self._stuck)
        start = age
        for index, weight in enumerate([inside, *ahead], first):
            if weight >= wanted:
                return start + (_EDGES[index + 1] - start) * (wanted / weight) - age
            wanted -= weight
            start = _EDGES[index + 1]
        return math.inf

    def _shares(self, since: float, took: float) -> list[tuple[int, float]]:
        """One job, split over the bins between two ages as far as is known by now.

        This is one step of the self-consistent estimate from interval-censored data (Turnbull,
        1976).
        """
        first, last = _bin(since), _bin(took)
        known = [
            (index, self._weights[index] * _overlap(index, since, took))
            for index in range(first, last + 1)
        ]
        total = sum(weight for _, weight in known)
        if total <= 0.0:
            return [(last, 1.0)]
        return [(index, weight / total) for index, weight in known]

    def _summarise(self) -> None:
        total = sum(self._weights)
        bins = zip(self._weights, pairwise(_EDGES), strict=True)
        self.mean = sum(weight * (low + high) / 2 for weight, (low, high) in bins) / total
        self._stuck = total * _STUCK


def _bin(age: float) -> int:
    if age < _EDGES[1]:
        return 0
    return min(int(_STEPS * math.log2(age)), _BINS - 1)


def _overlap(index: int, low: float, high: float) -> float:
    """The share of a bin between two ages."""
    left, right = _EDGES[index], _EDGES[index + 1]
    return max(0.0, min(right, high) - max(left, low)) / (right - left)


def _lognormal(edge: float) -> float:
    """The prior's probability that a job takes less than ``edge`` seconds."""
    if edge <= 0.0:
        return 0.0
    return math.erfc(math.log(_PRIOR_MEDIAN / edge) / (_PRIOR_SIGMA * math.sqrt(2.0))) / 2.0


_PRIOR = tuple(
    _PRIOR_WEIGHT * (_lognormal(high) - _lognormal(low)) for low, high in pairwise(_EDGES)
)
_UNKNOWN = _Durations()


class Bucket:
    """A rate limit whose turns are given out in the order of asking.

    In any span of ``t`` seconds at most ``burst + rate * t`` turns begin; with a burst of 1 they
    are evenly apart. A turn once given is gone, used or not.
    """

    def __init__(self, rate: float, burst: int = 1) -> None:
        """``rate`` is turns per second, ``burst`` those that may begin at once after a quiet time.

        Raises ``ValueError`` when either is not positive.
        """
        if not (rate > 0 and burst >= 1):
            raise ValueError("a rate limit needs a positive rate and a burst of at least 1")
        self._apart = 1.0 / rate
        self._saved = (burst - 1) * self._apart
        self._next = -math.inf

    def take(self, now: float) -> float:
        """Reserve the next turn; returns the seconds to sleep until it (0: go now).

        ``now`` is seconds on any clock that never goes back, the same one at each call.
        """
        turn = max(self._next, now - self._saved)
        self._next = turn + self._apart
        return max(0.0, turn - now)
