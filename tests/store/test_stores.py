"""Rows and money on both databases: guarded moves, exact balances, nothing counted twice."""

import asyncio
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from filmgate.core import ledger
from filmgate.core.errors import InsufficientBalance
from filmgate.core.ids import new_id
from filmgate.core.ports import Key
from filmgate.core.pricing import Prices, Quote
from filmgate.core.task import FINAL, MOVES, STATUSES, Asset, Failure, Status, Task
from filmgate.core.video import Media, VideoRequest
from filmgate.store import migrations
from filmgate.store.accounts import AccountStore
from filmgate.store.database import Database
from filmgate.store.schema import customers, ledger_postings, metadata, tasks
from filmgate.store.tasks import TaskStore

PRICE = 300_000


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database.engine)
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> TaskStore:
    return TaskStore(database, lambda _connection, _task_id: None)


async def customer(database: Database, balance: int) -> tuple[str, str]:
    accounts = AccountStore(database)
    customer_id = await accounts.open("someone")
    await accounts.post(ledger.top_up(customer_id, balance, f"top_up:{new_id()}"))
    key = Key(id=new_id(), customer_id=customer_id, digest=new_id().encode(), hint="sk-1")
    await accounts.add_key(key)
    return customer_id, key.id


def new_task(customer_id: str, key_id: str) -> Task:
    return Task(
        id=new_id(),
        customer_id=customer_id,
        key_id=key_id,
        dialect="newapi",
        request=VideoRequest(
            model="grok-image-video",
            prompt="雪夜",
            seconds=6,
            references=(Media(url="https://example.com/1.png"), Media(object_key="inputs/x")),
            original={"unknown": [1, {"deep": None}]},
        ),
        quote=Quote(hold=PRICE, prices=Prices(per_second={"480p": 50_000})),
        created_at=1_780_000_000.25,
    )


def hold(task: Task) -> ledger.Entry:
    return ledger.hold(task.customer_id, task.id, task.quote.hold)


def settle(task: Task, due: int) -> ledger.Entry:
    return ledger.settle(task.customer_id, task.id, task.quote.hold, due)


async def postings_sum(database: Database) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(ledger_postings.c.amount), 0))
    return int(await database.read(lambda c: c.execute(query).scalar_one()))


async def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    def work(connection: sa.Connection) -> object:
        context = MigrationContext.configure(connection)
        # DBOS keeps its own tables in the same database.
        ours = set(metadata.tables)
        return [
            change
            for change in compare_metadata(context, metadata)
            if getattr(change[1], "name", "") in ours or change[0] != "remove_table"
        ]

    assert await database.read(work) == []


async def test_a_task_comes_back_as_it_was_stored(database: Database, store: TaskStore) -> None:
    task = new_task(*await customer(database, PRICE))
    await store.create(task, hold(task))
    assert await store.get(task.id) == task
    assert await store.get(new_id()) is None


async def test_two_hundred_creates_on_a_balance_for_ten_make_exactly_ten(
    database: Database, store: TaskStore
) -> None:
    customer_id, key_id = await customer(database, 10 * PRICE + PRICE - 1)
    wanted = [new_task(customer_id, key_id) for _ in range(200)]
    results = await asyncio.gather(
        *(store.create(task, hold(task)) for task in wanted), return_exceptions=True
    )
    assert results.count(None) == 10
    assert sum(isinstance(result, InsufficientBalance) for result in results) == 190
    assert len(await store.many(task.id for task in wanted)) == 10
    assert await AccountStore(database).balance(customer_id) == PRICE - 1
    assert await postings_sum(database) == 0


async def test_a_create_whose_job_cannot_be_enqueued_leaves_nothing(database: Database) -> None:
    def refuse(_connection: sa.Connection, _task_id: str) -> None:
        raise RuntimeError("no queue")

    task = new_task(*await customer(database, PRICE))
    store = TaskStore(database, refuse)
    with pytest.raises(RuntimeError, match="no queue"):
        await store.create(task, hold(task))
    assert await store.get(task.id) is None
    assert await AccountStore(database).balance(task.customer_id) == PRICE


async def test_eight_verdicts_at_once_settle_once(database: Database, store: TaskStore) -> None:
    task = new_task(*await customer(database, PRICE))
    await store.create(task, hold(task))
    await store.move(task.id, "submitting", channel="sandbox")
    await store.move(task.id, "in_progress", upstream_id="u")
    asset = Asset(key="videos/x.mp4", size=1, sha256="0", seconds=6.0)
    failure = Failure(code="internal_error", message="m")
    wins = await asyncio.gather(
        *(
            store.finish(task.id, "completed", settle(task, PRICE), asset=asset, charged=PRICE)
            if number % 2
            else store.finish(task.id, "failed", settle(task, 0), failure=failure)
            for number in range(8)
        )
    )
    assert wins.count(True) == 1
    ended = await store.get(task.id)
    assert ended is not None
    expected = 0 if ended.status == "completed" else PRICE
    assert await AccountStore(database).balance(task.customer_id) == expected
    assert (ended.asset is None) == (ended.status == "failed")
    assert await postings_sum(database) == 0


@pytest.mark.parametrize("start", STATUSES)
async def test_moves_follow_the_table(database: Database, store: TaskStore, start: Status) -> None:
    customer_id, key_id = await customer(database, 10 * PRICE)
    for target in STATUSES:
        task = new_task(customer_id, key_id)
        await store.create(task, hold(task))
        change = tasks.update().where(tasks.c.id == task.id).values(status=start)
        await database.write(lambda c, change=change: c.execute(change))  # type: ignore[misc]
        if target in FINAL:
            moved = await store.finish(task.id, target, settle(task, 0))
        else:
            moved = await store.move(task.id, target)
        after = await store.get(task.id)
        assert after is not None
        assert (moved, after.status) == (
            (True, target) if target in MOVES[start] else (False, start)
        )


async def test_progress_only_rises_and_only_while_in_progress(
    database: Database, store: TaskStore
) -> None:
    task = new_task(*await customer(database, PRICE))
    await store.create(task, hold(task))
    seen = []
    for status, percent in [(None, 5), ("submitting", 6), ("in_progress", 30), (None, 20)]:
        if status:
            await store.move(task.id, status)  # type: ignore[arg-type]  # a table of words
        await store.note_progress({task.id: percent})
        row = await store.get(task.id)
        assert row is not None
        seen.append(row.progress)
    assert seen == [0, 0, 30, 30]


async def test_cancel_requests_are_those_of_live_tasks(
    database: Database, store: TaskStore
) -> None:
    customer_id, key_id = await customer(database, 2 * PRICE)
    live, ended = new_task(customer_id, key_id), new_task(customer_id, key_id)
    for task in (live, ended):
        await store.create(task, hold(task))
        await store.request_cancel(task.id)
    await store.finish(ended.id, "cancelled", settle(ended, 0))
    assert await store.cancel_requests() == {live.id}


async def test_a_top_up_counts_once_per_reference(database: Database) -> None:
    accounts = AccountStore(database)
    customer_id = await accounts.open("someone")
    entry = ledger.top_up(customer_id, 500, "top_up:invoice-7")
    results = await asyncio.gather(*(accounts.post(entry) for _ in range(8)))
    assert results.count(True) == 1
    assert await accounts.balance(customer_id) == 500


async def test_the_database_itself_refuses_a_negative_balance(database: Database) -> None:
    customer_id, _ = await customer(database, 5)
    overdraw = customers.update().where(customers.c.id == customer_id).values(balance=-1)
    with pytest.raises(sa.exc.IntegrityError):
        await database.write(lambda connection: connection.execute(overdraw))
