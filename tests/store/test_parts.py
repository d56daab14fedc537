"""Parts of a long clip: one that fails for a passing reason is tried again, but not for ever."""

from pathlib import Path

import pytest

from filmgate.core.channel import Channel
from filmgate.core.pricing import Prices, Quote
from filmgate.core.task import Failure, FailureCode, Task
from filmgate.core.video import VideoRequest
from filmgate.media.join.run import Joiner
from filmgate.media.objects import Objects
from filmgate.services.parts import Parts
from filmgate.store.database import Database
from filmgate.store.tasks import TaskStore
from tests.store.test_stores import customer, database, hold, store  # noqa: F401 - fixtures

CHANNEL = Channel(id="c", name="c", dialect="xai")


@pytest.fixture
def parts(store: TaskStore, tmp_path: Path) -> Parts:  # noqa: F811 - the fixture
    return Parts(store, Objects.open(str(tmp_path)), Joiner(1))


async def running(database: Database, store: TaskStore, seconds: int) -> Task:  # noqa: F811
    customer_id, key_id = await customer(database, 10_000_000)
    task = Task(
        id="a" * 32,
        customer_id=customer_id,
        key_id=key_id,
        dialect="chat",
        request=VideoRequest(model="m", prompt="p", seconds=seconds),
        quote=Quote(hold=1, prices=Prices(per_second={"480p": 1})),
    )
    await store.create(task, hold(task))
    await store.move(task.id, "submitting", channel="c")
    await store.move(task.id, "in_progress", upstream_id="u1")
    return task


@pytest.mark.parametrize(
    ("seconds", "code", "outcomes"),
    [
        (30, "service_unavailable", [True, True, False]),
        (30, "internal_error", [True, True, False]),
        (30, "invalid_argument", [False]),  # about the request: trying again would not help
        (10, "service_unavailable", [False]),  # one call, one verdict
    ],
)
async def test_a_failed_part_is_tried_again(
    database: Database,  # noqa: F811
    store: TaskStore,  # noqa: F811
    parts: Parts,
    seconds: int,
    code: FailureCode,
    outcomes: list[bool],
) -> None:
    task = await running(database, store, seconds)
    for expected in outcomes:
        assert await parts.retry(task, CHANNEL, Failure(code, "m")) is expected
        row = await store.get(task.id)
        assert row is not None
        assert (row.status, row.part) == ("queued" if expected else "in_progress", 0)
        # What was bought before is kept: it makes the next try's idempotency key its own.
        assert (row.channel, row.upstream_id) == ("c", "u1")
        await store.move(task.id, "submitting")
        await store.move(task.id, "in_progress")


def test_progress_is_the_whole_tasks(parts: Parts) -> None:
    task = Task(
        id="b" * 32,
        customer_id="c",
        key_id="k",
        dialect="chat",
        request=VideoRequest(model="m", prompt="p", seconds=30),
        quote=Quote(hold=1, prices=Prices(per_second={})),
        part=1,
    )
    assert parts.count(task, CHANNEL) == 3
    assert [parts.progress(task, CHANNEL, percent) for percent in (0, 50, 100)] == [33, 50, 66]
    assert parts.more(task, CHANNEL)
