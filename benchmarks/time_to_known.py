"""How soon after an upstream is done do we know? filmgate's polling against its peers' rule.

Both rules follow tasks of the same seeded durations at the same pretended relay, over real HTTP on
loopback, at the same time, each in a process of its own. The peers' rule is one loop per channel:
every 15 s it polls the unfinished tasks one by one, 1 s apart. All times are divided by --speed,
the peers' and the rate limits' too; the figures printed are multiplied back. New tasks arrive
evenly, as many in --turnover seconds (by default the usual duration) as are to be in flight. A
task is "cold" when nothing of its kind was known as it was submitted. The last line is the
smallest ratio of the medians, cold tasks included.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import random
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import aiohttp
import msgspec
import uvloop

from filmgate.core.pacing import Bucket, Pace
from filmgate.dialects.newapi import NewApi

MODEL = "grok-image-video"
LENGTHS = (5, 10, 15)  # seconds of clip, which the relay takes 20, 25 and 30 s to make
SMALL = 100  # channels side by side where one has a single task in flight: enough samples
PEERS_EVERY, PEERS_APART = 15.0, 1.0
RAMP, WINDOW = 28.0, 20.0  # seconds of --inflight: filling up, then measuring

Rule = Literal["filmgate", "peers"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One rule's work: ``rounds`` times ``size`` tasks on each of ``channels``.

    ``size`` tasks arrive in ``turnover`` seconds, ``polls_per_second`` is each channel's limit,
    ``until`` is when to stop, on the monotonic clock.
    """

    rule: Rule
    size: int
    channels: int
    rounds: int
    turnover: float
    url: str
    speed: float
    seed: int
    polls_per_second: float
    until: float


@dataclass(slots=True)
class Job:
    """A submitted task; ``submitted`` is in unscaled seconds, ``known_at`` monotonic."""

    id: str
    channel: str
    seconds: int
    submitted: float
    cold: bool
    known_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one process saw; ``cpu`` is seconds."""

    jobs: list[Job]
    cpu: float


@dataclass(frozen=True, kw_only=True)
class Load:
    """A process under load: bytes a task, share of a core, polls a second, tasks followed."""

    bytes_per_task: float
    cpu_share: float
    polls_per_second: float
    in_flight: int


class Follower:
    """Submits a plan's tasks and follows them by its rule, in one event loop and one session."""

    def __init__(self, plan: Plan, session: aiohttp.ClientSession) -> None:
        self.jobs: list[Job] = []
        self.polls = 0
        self._plan = plan
        self._session = session
        self._dialect = NewApi()
        self._pace = Pace()
        self._learned: set[tuple[str, int]] = set()

    async def run(self) -> None:
        """All channels side by side, until every task is known or time is up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._plan.until - time.monotonic()):
                channels = (self._channel(f"c{number}") for number in range(self._plan.channels))
                await asyncio.gather(*channels)

    async def _channel(self, channel: str) -> None:
        bucket = Bucket(self._plan.polls_per_second)
        dice = random.Random(f"{self._plan.seed} {channel}")  # noqa: S311 - not a secret
        apart = self._plan.turnover / self._plan.size
        start = self._now() + dice.uniform(0, apart)
        unfinished: list[Job] = []
        async with asyncio.TaskGroup() as group:
            if self._plan.rule == "peers":
                group.create_task(self._peers_rule(unfinished, dice.uniform(0, PEERS_EVERY)))
            for number in range(self._plan.size * self._plan.rounds):
                await self._sleep(start + number * apart - self._now())
                # Side by side: a slow answer must not thin out the crowd.
                group.create_task(self._task(channel, number, bucket, unfinished))

    async def _task(self, channel: str, number: int, bucket: Bucket, unfinished: list[Job]) -> None:
        job = await self._submit(channel, number)
        if self._plan.rule == "peers":
            unfinished.append(job)  # its loop finds it there
        else:
            await self._filmgates_rule(job, bucket)

    async def _filmgates_rule(self, job: Job, bucket: Bucket) -> None:
        since = 0.0
        while True:
            age = self._now() - job.submitted
            await self._sleep(self._pace.wait(job.channel, MODEL, job.seconds, age, key=job.id))
            await self._sleep(bucket.take(self._now()))
            asked = self._now() - job.submitted
            if await self._done(job):
                took = self._now() - job.submitted
                self._pace.learn(job.channel, MODEL, job.seconds, took, since)
                self._learned.add((job.channel, job.seconds))
                return
            since = asked

    async def _peers_rule(self, unfinished: list[Job], phase: float) -> None:
        await self._sleep(phase)
        left = self._plan.size * self._plan.rounds
        while left:
            await self._sleep(PEERS_EVERY)
            for number, job in enumerate(list(unfinished)):
                if number:
                    await self._sleep(PEERS_APART)
                if await self._done(job):
                    unfinished.remove(job)
                    left -= 1

    async def _submit(self, channel: str, number: int) -> Job:
        seconds = LENGTHS[(number + int(channel[1:])) % len(LENGTHS)]
        cold = (channel, seconds) not in self._learned
        # The prompt seeds the duration, so it is the same under both rules.
        prompt = f"{self._plan.seed} {self._plan.size} {channel} {number}"
        body = {"model": MODEL, "prompt": prompt, "seconds": seconds}
        url = f"{self._plan.url}/v1/video/generations"
        async with self._session.post(url, json=body) as response:
            answer = msgspec.json.decode(await response.read())
        job = Job(self._dialect.decode_created(answer), channel, seconds, self._now(), cold)
        self.jobs.append(job)
        return job

    async def _done(self, job: Job) -> bool:
        """One poll, as a provider makes it."""
        self.polls += 1
        call = self._dialect.encode_poll(job.id)
        async with self._session.get(self._plan.url + call.path) as response:
            answer = msgspec.json.decode(await response.read())
        if self._dialect.decode_task(response.status, answer).status != "completed":
            return False
        job.known_at = time.monotonic()
        return True

    def _now(self) -> float:
        return time.monotonic() * self._plan.speed

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.sleep(seconds / self._plan.speed)


def measure(plan: Plan) -> Outcome:
    """Follow a plan's tasks; runs in a process of its own."""

    async def run() -> Outcome:
        async with aiohttp.ClientSession() as session:
            follower = Follower(plan, session)
            before = time.process_time()
            await follower.run()
            return Outcome(jobs=follower.jobs, cpu=time.process_time() - before)

    return uvloop.run(run())


def weigh(plan: Plan) -> tuple[Outcome, Load]:
    """Follow a plan's tasks and look at the process once it holds as many as it ever will."""

    async def run() -> tuple[Outcome, Load]:
        async with aiohttp.ClientSession() as session:
            follower = Follower(plan, session)
            empty, before = _peak_bytes(), time.process_time()
            following = asyncio.create_task(follower.run())
            await asyncio.sleep(RAMP)
            cpu, polls, start = time.process_time(), follower.polls, time.monotonic()
            await asyncio.sleep(WINDOW)
            span = time.monotonic() - start
            held = sum(job.known_at is None for job in follower.jobs)
            load = Load(
                bytes_per_task=(_peak_bytes() - empty) / held,
                cpu_share=(time.process_time() - cpu) / span,
                polls_per_second=(follower.polls - polls) / span,
                in_flight=held,
            )
            await following
            return Outcome(jobs=follower.jobs, cpu=time.process_time() - before), load

    return uvloop.run(run())


def _peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class Verdict:
    """The lateness of an outcome's tasks in unscaled seconds, and how often each was polled."""

    def __init__(self, outcome: Outcome, moments: dict[str, Any], plan: Plan) -> None:
        done = {job.id: moments["jobs"][job.id] for job in outcome.jobs}
        # Not known when time was up: at least this late, which favours the peers.
        ended = min(time.monotonic(), plan.until)
        late = [
            (job.cold, ((job.known_at or ended) - done[job.id][0]) * plan.speed)
            for job in outcome.jobs
            if job.known_at or done[job.id][0] < ended
        ]
        self.all = sorted(seconds for _, seconds in late)
        self.cold = sorted(seconds for cold, seconds in late if cold)
        self.warm = sorted(seconds for cold, seconds in late if not cold)
        self.unknown = sum(job.known_at is None for job in outcome.jobs)
        self.polls = sum(polls for _, polls in done.values()) / len(done)
        self.cpu = outcome.cpu


def at(share: float, values: Sequence[float]) -> float:
    """The quantile of sorted values; NaN when there are none."""
    return values[min(int(share * len(values)), len(values) - 1)] if values else float("nan")


@contextlib.contextmanager
def fake_upstream(speed: float, sigma: float) -> Iterator[str]:
    """The pretended relay in a process of its own; gives its base URL."""
    program = str(Path(__file__).with_name("fake_upstream.py"))
    command = [sys.executable, program, "--speed", str(speed), "--sigma", str(sigma)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def moments(url: str) -> dict[str, Any]:
    """When the relay was done with each task, how often it was polled, and its CPU seconds."""
    with urllib.request.urlopen(f"{url}/moments") as response:  # noqa: S310 - our own loopback URL
        answer: dict[str, Any] = json.load(response)
    return answer


def compare(options: argparse.Namespace, url: str) -> None:
    """Both rules at every size; prints the table and the smallest ratio."""
    plan = Plan(
        rule="peers",
        size=0,
        channels=1,
        rounds=1,
        turnover=options.turnover,
        url=url,
        speed=options.speed,
        seed=options.seed,
        polls_per_second=options.polls_per_second,
        until=time.monotonic() + options.seconds,
    )
    rounds = 5 if options.turnover else 1  # all at once is a single crowd
    sizes = sorted({int(size) for size in options.tasks.split(",")}, reverse=True)
    runs: list[tuple[Plan, Future[Outcome]]] = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(sizes) + 1, mp_context=spawn) as pool:
        for size in sizes:
            channels = max(1, SMALL // size)
            # One pass is enough for the peers: they learn nothing, and at 1,000 it takes 1,015 s.
            peers = replace(plan, size=size, channels=channels, rounds=3 if size == 1 else 1)
            runs.append((peers, pool.submit(measure, peers)))
        for size in sizes:
            ours = replace(
                plan, rule="filmgate", size=size, channels=max(1, SMALL // size), rounds=rounds
            )
            future = pool.submit(measure, ours)
            future.result()  # one size after the other, beside the peers' loops
            runs.append((ours, future))
        outcomes = [(run, future.result()) for run, future in runs]
    seen = moments(url)
    verdicts = {(run.rule, run.size): Verdict(outcome, seen, run) for run, outcome in outcomes}
    print_table(verdicts, sorted(sizes))
    print(f"the relay took {seen['cpu']:.1f} CPU seconds; all times are unscaled seconds")
    ratios = [
        at(0.5, verdicts["peers", size].all) / at(0.5, verdicts["filmgate", size].all)
        for size in sizes
    ]
    print(f"ratio {min(ratios):.1f}")


def print_table(verdicts: dict[tuple[Rule, int], Verdict], sizes: list[int]) -> None:
    """Both rules, size by size."""
    print("in flight  rule      tasks  p50    p95      cold p50/p95   warm p50/p95   polls  CPU s")
    rules: tuple[Rule, ...] = ("filmgate", "peers")
    for size in sizes:
        for rule in rules:
            verdict = verdicts[rule, size]
            cold, warm = (
                f"{at(0.5, part):.2f} / {at(0.95, part):.2f}" if part and rule == "filmgate" else ""
                for part in (verdict.cold, verdict.warm)
            )
            print(
                f"{size:9,}  {rule:8} {len(verdict.all):6,}  {at(0.5, verdict.all):<6.2f} "
                f"{at(0.95, verdict.all):<8.2f} {cold:14} {warm:14} "
                f"{verdict.polls:5.1f}  {verdict.cpu:5.1f}"
                + (f"  ({verdict.unknown} still unknown)" if verdict.unknown else "")
            )


def hold(options: argparse.Namespace, url: str) -> None:
    """One process with very many tasks in flight, in real time; prints what it costs."""
    channels = max(1, options.inflight // 1000)
    plan = Plan(
        rule="filmgate",
        size=options.inflight // channels,
        channels=channels,
        rounds=3,
        turnover=options.turnover,
        url=url,
        speed=1.0,
        seed=options.seed,
        polls_per_second=options.polls_per_second,
        until=time.monotonic() + RAMP + WINDOW + 1,
    )
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        outcome, load = pool.submit(weigh, plan).result()
    verdict = Verdict(outcome, moments(url), plan)
    print(
        f"{load.in_flight:,} tasks in flight on {channels} channels, {len(outcome.jobs):,} in all"
    )
    print(f"memory {load.bytes_per_task / 1024:.1f} KiB a task, at its peak")
    print(f"CPU {load.cpu_share:.0%} of a core at {load.polls_per_second:,.0f} polls/s")
    print(f"time to known p50 {at(0.5, verdict.all):.2f} s, p95 {at(0.95, verdict.all):.2f} s")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", default="1,100,1000", help="tasks in flight (1,100,1000)")
    parser.add_argument("--seconds", type=float, default=165, help="stop after these, real (165)")
    parser.add_argument("--speed", type=float, default=8, help="divide all times by this (8)")
    parser.add_argument("--sigma", type=float, default=0.2, help="spread of durations (0.2)")
    parser.add_argument(
        "--turnover", type=float, default=25, help="arrival of one size in s; 0: all at once (25)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the durations (1)")
    parser.add_argument(
        "--polls-per-second", type=float, default=200, help="limit of each channel (200)"
    )
    parser.add_argument(
        "--inflight", type=int, help="only: hold this many at once, in real time, for under 60 s"
    )
    options = parser.parse_args()
    with fake_upstream(1.0 if options.inflight else options.speed, options.sigma) as url:
        (hold if options.inflight else compare)(options, url)


if __name__ == "__main__":
    main()
