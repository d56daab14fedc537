"""kill -9 at every named crash point, of every kind of process, and at random moments.

Planted fault that turned these red: letting ``submitting`` tasks be submitted again after a
restart, and posting the capture outside the guarded move.
"""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.books import check_books, task_rows
from tests.chaos.faults import POINTS
from tests.gateway import Gateway


@pytest.fixture
def crashing(tmp_path: Path, database_url: str) -> Iterator[Gateway]:
    """A gateway that is not yet started, on a fresh database of each kind."""
    gateway = Gateway(tmp_path, database_url=database_url, balance="10")
    yield gateway
    gateway.kill()


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_a_named_point(crashing: Gateway, database_url: str, point: str) -> None:
    crashing.start(FILMGATE_TEST_CRASH=point)
    with contextlib.suppress(OSError):  # the server dies before it can answer some of these
        crashing.create(prompt="a clip that must survive")
    crashing.wait_killed()
    before = [row["id"] for row in task_rows(database_url)]
    assert before == [] if point == "before the create commits" else len(before) == 1

    crashing.start()
    for task_id in before:
        assert crashing.finish(task_id)["status"] == "SUCCESS"
    wait_for_calm(crashing)
    rows = check_books(crashing, database_url)
    assert [row["id"] for row in rows] == before
    for task_id in before:
        status, data, _ = crashing.raw("GET", f"/v1/videos/{task_id}/content")
        assert (status, data[4:8]) == (200, b"ftyp")


def wait_for_calm(gateway: Gateway) -> None:
    """Until the workspace of every ended task is gone."""
    last = time.monotonic() + 20
    while any((gateway.home / "sandbox").glob("*")):
        assert time.monotonic() < last, "the sandbox left something behind"
        time.sleep(0.1)


def test_a_killed_worker_is_replaced_and_goes_on(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path).start()
    try:
        task_id = gateway.create(seconds=2)
        os.kill(_children(gateway.process.pid)[-1], signal.SIGKILL)  # type: ignore[union-attr]  # started
        with contextlib.suppress(AssertionError):
            gateway._wait_ready()
        assert _patiently(gateway, task_id)["status"] == "SUCCESS"
        check_books(gateway, f"sqlite:///{tmp_path / 'filmgate.db'}")
    finally:
        gateway.kill()


def test_a_killed_supervisor_takes_its_worker_along(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path).start()
    try:
        task_id = gateway.create(seconds=2)
        gateway.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]  # started
        gateway.process.wait()  # type: ignore[union-attr]  # started
        last = time.monotonic() + 10
        while gateway.answers():
            assert time.monotonic() < last, "the orphan lives on"
            time.sleep(0.05)
        gateway.start()
        assert gateway.finish(task_id)["status"] == "SUCCESS"
        check_books(gateway, f"sqlite:///{tmp_path / 'filmgate.db'}")
    finally:
        gateway.kill()


def test_a_killed_renderer_is_started_again(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path).start()
    try:
        task_id = gateway.create(seconds=6, resolution="720p")
        worker = _children(gateway.process.pid)[-1]  # type: ignore[union-attr]  # started
        last = time.monotonic() + 20
        while not (renderers := _children(worker, "sandbox.render")):
            assert time.monotonic() < last
            time.sleep(0.05)
        os.kill(renderers[0], signal.SIGKILL)
        assert gateway.finish(task_id)["status"] == "SUCCESS"
        check_books(gateway, f"sqlite:///{tmp_path / 'filmgate.db'}")
    finally:
        gateway.kill()


def test_random_kills_lose_nothing(crashing: Gateway, database_url: str) -> None:
    seed = int(os.environ.get("FILMGATE_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed}")
    dice = random.Random(seed)
    accepted: list[str] = []
    crashing.start()
    for _round in range(3):
        for _ in range(4):
            accepted.append(crashing.create(seconds=1))
            time.sleep(dice.uniform(0, 0.3))
        time.sleep(dice.uniform(0, 1.5))
        crashing.kill()
        crashing.start()
    for task_id in accepted:
        assert crashing.finish(task_id)["status"] == "SUCCESS"
    wait_for_calm(crashing)
    assert len(check_books(crashing, database_url)) == len(accepted)


def _children(parent: int, command: str = "") -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if command in line]


def _patiently(gateway: Gateway, task_id: str) -> dict[str, object]:
    """As ``finish``, though the server may be away for a moment."""
    last = time.monotonic() + 60
    while True:
        try:
            return gateway.finish(task_id)
        except OSError:
            assert time.monotonic() < last
            time.sleep(0.1)
