"""A relay that only pretends: new-api's create and poll, whose tasks end after seeded durations.

It counts the polls of every task and knows the exact moment each was done, on the clock that all
processes of a machine share (``time.monotonic``). Started by ``time_to_known.py``; prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import time
from dataclasses import dataclass, field
from typing import cast

import uvloop

# Clip length in seconds -> the median of how long it takes to make, unscaled.
MEDIANS = {5: 20.0, 10: 25.0, 15: 30.0}


@dataclass(slots=True)
class Job:
    """One task: when it is done (monotonic seconds) and how often somebody asked."""

    done_at: float
    polls: int = 0


@dataclass
class Relay:
    """The tasks. ``speed`` divides every duration, ``sigma`` is the lognormal's spread."""

    speed: float
    sigma: float
    jobs: dict[str, Job] = field(default_factory=dict)

    def create(self, body: bytes) -> object:
        """Take a task; its prompt is the seed of its duration, so both rules get the same ones."""
        asked = json.loads(body)
        dice = random.Random(asked["prompt"])  # noqa: S311 - durations, not secrets
        duration = MEDIANS[asked["seconds"]] * dice.lognormvariate(0.0, self.sigma) / self.speed
        task_id = f"task_{len(self.jobs):032x}"
        self.jobs[task_id] = Job(time.monotonic() + duration)
        return {"id": task_id, "task_id": task_id, "object": "video", "status": "queued"}

    def poll(self, task_id: str) -> object:
        """A task as document 003 words it; the progress says nothing, as most relays' does."""
        job = self.jobs[task_id]
        job.polls += 1
        done = time.monotonic() >= job.done_at
        data = {
            "task_id": task_id,
            "status": "SUCCESS" if done else "IN_PROGRESS",
            "progress": "100%" if done else "30%",
            "result_url": f"http://127.0.0.1/{task_id}.mp4" if done else "",
            "fail_reason": "",
        }
        return {"code": "success", "message": "", "data": data}

    def answer(self, method: str, path: str, body: bytes) -> object:
        """The JSON for one request."""
        if method == "POST":
            return self.create(body)
        if path == "/moments":
            usage = resource.getrusage(resource.RUSAGE_SELF)
            jobs = {name: (job.done_at, job.polls) for name, job in self.jobs.items()}
            return {"jobs": jobs, "cpu": usage.ru_utime + usage.ru_stime}
        return self.poll(path.rpartition("/")[2])


class Connection(asyncio.Protocol):
    """As little HTTP as aiohttp's client needs, so that the fake costs less than who is measured.

    A web framework here would take most of the machine from the client.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].decode("latin-1")
            size = 0
            for line in head.split("\r\n")[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    size = int(value)
            if len(self._received) < end + 4 + size:
                return
            body = self._received[end + 4 : end + 4 + size]
            self._received = self._received[end + 4 + size :]
            method, path, _ = head.split(" ", 2)
            text = json.dumps(self._relay.answer(method, path, body)).encode()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(text)
                + text
            )


async def serve(relay: Relay) -> None:
    """Answer on a free loopback port until stopped."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(relay), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=1.0, help="divide all durations by this")
    parser.add_argument("--sigma", type=float, default=0.2, help="spread of the lognormal")
    options = parser.parse_args()
    uvloop.run(serve(Relay(options.speed, options.sigma)))


if __name__ == "__main__":
    main()
