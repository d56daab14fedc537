"""Channels and models as rows on both databases: what comes back, and what lies on the disk."""

from collections.abc import Iterator

import msgspec
import pytest
import sqlalchemy as sa

from filmgate.app import shipped_catalog
from filmgate.core import ledger
from filmgate.core.channel import Channel
from filmgate.core.errors import InvalidRequest, Unavailable
from filmgate.core.ids import new_id
from filmgate.core.ports import Key
from filmgate.core.pricing import Prices, Quote
from filmgate.core.task import Task
from filmgate.core.video import VideoRequest
from filmgate.store import migrations
from filmgate.store.accounts import AccountStore
from filmgate.store.channels import ChannelStore
from filmgate.store.database import Database
from filmgate.store.models import ModelStore
from filmgate.store.schema import channels
from filmgate.store.tasks import TaskStore

SECRET = b"s" * 32
KEYS = ("sk-upstream-key-one", "sk-upstream-key-two")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database.engine)
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> ChannelStore:
    return ChannelStore(database, SECRET)


def channel(name: str = "relay", **settings: object) -> Channel:
    return msgspec.structs.replace(
        Channel(
            id=new_id(),
            name=name,
            dialect="newapi",
            base_url="https://relay.example.com",
            credentials=KEYS,
            models={"grok-imagine-video": "their-video"},
            max_in_flight=3,
            per_second=0.5,
            prices={"grok-imagine-video": Prices(per_second={"480p": 40_000}, per_image=1)},
            headers={"X-Tenant": "tenant-secret-value"},
            proxy="http://me:proxy-password@proxy.example.com:3128",
            created_at=1_780_000_000.25,
        ),
        **settings,
    )


async def test_every_setting_comes_back(store: ChannelStore) -> None:
    row = channel()
    await store.put(row)
    assert [row] == await store.all()


async def test_channels_are_ordered_by_priority_then_name(store: ChannelStore) -> None:
    rows = {"b": 0, "a": 1, "c": 0}
    for name, priority in rows.items():
        await store.put(channel(name, priority=priority))
    assert ["b", "c", "a"] == [row.name for row in await store.all()]


async def test_a_put_replaces_by_id_and_refuses_a_taken_name(store: ChannelStore) -> None:
    first = channel("first")
    await store.put(first)
    changed = msgspec.structs.replace(first, name="renamed", credentials=())
    await store.put(changed)
    assert [changed] == await store.all()
    with pytest.raises(InvalidRequest) as refused:
        await store.put(channel("renamed"))
    assert ("name_taken", "name") == (refused.value.code, refused.value.param)


async def test_nothing_secret_is_at_rest(store: ChannelStore, database: Database) -> None:
    await store.put(channel())
    row = await database.read(lambda c: c.execute(sa.select(channels)).one())
    stored = repr(tuple(row)).encode() + row.sealed
    for secret in (*KEYS, "tenant-secret-value", "proxy-password"):
        assert secret.encode() not in stored


async def test_secrets_are_bound_to_their_row_and_to_the_homes_secret(
    store: ChannelStore, database: Database
) -> None:
    one, two = channel("one"), channel("two", credentials=("sk-another",))
    await store.put(one)
    await store.put(two)
    with pytest.raises(Unavailable, match=r"secret\.key"):
        await ChannelStore(database, b"t" * 32).all()
    sealed = sa.select(channels.c.sealed).where(channels.c.id == one.id).scalar_subquery()
    moved = channels.update().where(channels.c.id == two.id).values(sealed=sealed)
    await database.write(lambda c: c.execute(moved))
    with pytest.raises(Unavailable, match="channel two cannot be opened"):
        await store.all()


async def test_equal_secrets_are_sealed_differently(
    store: ChannelStore, database: Database
) -> None:
    row = channel()
    sealed = []
    for _ in range(2):
        await store.put(row)
        sealed.append(await database.read(lambda c: c.scalar(sa.select(channels.c.sealed))))
    assert sealed[0] != sealed[1]


async def test_trouble_comes_and_goes(store: ChannelStore) -> None:
    row = channel()
    await store.put(row)
    for trouble, serving in (("It refused our key.", False), ("", True)):
        await store.set_trouble(row.id, trouble)
        [found] = await store.all()
        assert (trouble, serving) == (found.trouble, found.serving)


async def test_a_channel_with_unfinished_tasks_stays(
    store: ChannelStore, database: Database
) -> None:
    row = channel()
    await store.put(row)
    tasks = TaskStore(database, lambda _connection, _task_id: None)
    task = await _task(database, tasks)
    await tasks.move(task.id, "submitting", channel=row.id)
    with pytest.raises(InvalidRequest, match="still running") as refused:
        await store.remove(row.id)
    assert refused.value.code == "channel_busy"
    entry = ledger.settle(task.customer_id, task.id, task.quote.hold, 0)
    assert await tasks.finish(task.id, "failed", entry)
    await store.remove(row.id)
    assert [] == await store.all()


async def test_models_keep_the_operators_order(database: Database) -> None:
    store = ModelStore(database)
    assert [] == await store.all()
    shipped = list(shipped_catalog())
    await store.replace(shipped)
    assert shipped == await store.all()
    await store.replace(reversed(shipped[:3]))
    assert shipped[2::-1] == await store.all()


async def _task(database: Database, tasks: TaskStore) -> Task:
    accounts = AccountStore(database)
    customer = await accounts.open("someone")
    await accounts.post(ledger.top_up(customer, 1_000_000, f"top_up:{new_id()}"))
    key = Key(id=new_id(), customer_id=customer, digest=new_id().encode(), hint="sk-1")
    await accounts.add_key(key)
    task = Task(
        id=new_id(),
        customer_id=customer,
        key_id=key.id,
        dialect="newapi",
        request=VideoRequest(model="grok-image-video", prompt="p", seconds=6),
        quote=Quote(hold=300_000, prices=Prices(per_second={"480p": 50_000})),
        created_at=1_780_000_000.25,
    )
    await tasks.create(task, ledger.hold(customer, task.id, task.quote.hold))
    return task
