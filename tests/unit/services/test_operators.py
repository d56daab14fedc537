"""The operators' use cases over a real store; only the upstream's answers are scripted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from filmgate.app import shipped_catalog
from filmgate.core.channel import Channel
from filmgate.core.errors import InvalidRequest, NotFound, StillRunning
from filmgate.services.operators import Operators, describe
from filmgate.store import migrations
from filmgate.store.channels import ChannelStore
from filmgate.store.database import Database
from filmgate.store.models import ModelStore

RELAY = {"dialect": "newapi", "base_url": "https://relay.example.com/v1/"}
KEY, OTHER_KEY = "sk-0123456789-abcd", "sk-0123456789-wxyz"
OPENAI_LIST = {"object": "list", "data": [{"id": "their-video"}, {"id": "gpt-9"}]}
XAI_LIST = {"models": [{"id": "grok-imagine-video", "aliases": ["their-video"]}, "garbage"]}


class Upstream:
    """Answers by path (and by key, where that is given); notes what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str | tuple[str, str], tuple[int, object]] = {}
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def ask(self, channel: Channel, path: str) -> tuple[int, object]:
        self.asked.append((path, channel.credentials))
        key = "".join(channel.credentials)
        answer = self.answers.get((path, key)) or self.answers.get(path)
        if answer is None:
            raise StillRunning("it refused the connection")
        return answer


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'filmgate.db'}")
    migrations.upgrade(database.engine)
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> ChannelStore:
    return ChannelStore(database, b"s" * 32)


@pytest.fixture
async def operators(database: Database, store: ChannelStore, upstream: Upstream) -> Operators:
    made = Operators(store, ModelStore(database), shipped_catalog(), upstream.ask)
    await made.seed()
    return made


async def states(operators: Operators) -> dict[str, bool]:
    return {channel.name: channel.serving for channel in await operators.channels()}


# -- seeding --------------------------------------------------------------------------------------


async def test_an_empty_database_gets_the_sandbox_and_the_shipped_models(
    operators: Operators,
) -> None:
    [sandbox] = await operators.channels()
    assert ("sandbox", "sandbox", "sandbox", 30) == (
        sandbox.id,
        sandbox.name,
        sandbox.dialect,
        sandbox.call_seconds,
    )
    assert list(shipped_catalog()) == await operators.models()


async def test_a_sandbox_that_was_removed_stays_removed(operators: Operators) -> None:
    await operators.remove("sandbox")
    await operators.seed()
    assert [] == await operators.channels()


# -- the sandbox never takes over by surprise -----------------------------------------------------


async def test_the_first_real_channel_turns_the_sandbox_off_and_says_so(
    operators: Operators,
) -> None:
    first = await operators.add("first", RELAY)
    assert len(first.notes) == 1
    assert first.notes[0].endswith("filmgate channel enable sandbox")
    second = await operators.add("second", RELAY)
    assert () == second.notes
    assert {"first": True, "second": True, "sandbox": False} == await states(operators)


async def test_without_real_channels_nothing_serves_until_the_operator_says_so(
    operators: Operators,
) -> None:
    await operators.add("first", RELAY)
    disabled = await operators.disable("first")
    removed = await operators.remove("first")
    for notes in (disabled.notes, removed):
        assert "No channel serves now" in notes[0]
        assert notes[0].endswith("filmgate channel enable sandbox")
    assert {"sandbox": False} == await states(operators)
    assert () == (await operators.enable("sandbox")).notes
    assert {"sandbox": True} == await states(operators)


async def test_enabling_the_sandbox_beside_a_real_channel_warns(operators: Operators) -> None:
    await operators.add("first", RELAY)
    assert "drawn clips" in (await operators.enable("sandbox")).notes[0]


# -- settings -------------------------------------------------------------------------------------


async def test_an_address_is_kept_without_its_v1(operators: Operators) -> None:
    added = await operators.add("relay", RELAY)
    assert added.channel.base_url == "https://relay.example.com"
    changed = await operators.change("relay", {"base_url": "https://other.example.com/api/v1"})
    assert changed.channel.base_url == "https://other.example.com/api"


async def test_a_change_keeps_everything_else(operators: Operators) -> None:
    added = await operators.add("relay", {**RELAY, "api_keys": [KEY], "max_in_flight": 3})
    changed = await operators.change("relay", {"weight": 5, "max_in_flight": None})
    expected = msgspec.structs.replace(added.channel, weight=5, max_in_flight=None)
    assert expected == changed.channel == await operators.channel("relay")


@pytest.mark.parametrize(
    ("settings", "param", "says"),
    [
        ({"dialect": "grpc"}, "dialect", "xai, newapi, openai, sandbox"),
        ({"base_url": ""}, "base_url", "https://api.example.com"),
        ({"base_url": "ftp://relay.example.com"}, "base_url", "https://api.example.com"),
        ({"base_url": "https://relay.example.com:eighty"}, "base_url", "https://api.example.com"),
        ({"base_url": "https://relay.example.com/a b"}, "base_url", "https://api.example.com"),
        ({"base_url": "https://me:secret@relay.example.com"}, "base_url", "api_keys"),
        ({"base_url": "https://relay.example.com?k=v"}, "base_url", "leave out"),
        ({"api_keys": ["sk with spaces"]}, "api_keys", "visible ASCII"),
        ({"api_keys": [KEY, KEY]}, "api_keys", "twice"),
        ({"models": {"gpt-9": "x"}}, "models", "grok-imagine-video"),
        ({"models": {"grok-imagine-video": " "}}, "models", "upstream's name"),
        ({"weight": 0}, "weight", "greater than 0"),
        ({"weight": "2"}, "weight", "int"),
        ({"priority": -1}, "priority", "0 (tried first)"),
        ({"max_in_flight": 0}, "max_in_flight", "greater than 0"),
        ({"per_second": float("nan")}, "per_second", "greater than 0"),
        ({"deadline": float("inf")}, "deadline", "greater than 0"),
        ({"deadline": 30.0}, "submit_deadline", "longer than deadline"),
        ({"delivery": "post"}, "delivery", "store, link"),
        ({"inputs": "post"}, "inputs", "auto, inline, link"),
        ({"headers": {"Host": "x"}}, "headers", "Host"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "headers", "printable ASCII"),
        ({"proxy": "socks5://localhost"}, "proxy", "https://api.example.com"),
        ({"prices": {"sora": {"per_second": {"480p": 1}}}}, "prices", "no family"),
        ({"prices": {"grok-imagine-video": {"per_second": {}}}}, "prices", "price a second"),
        ({"prices": {"grok-imagine-video": {"per_second": {"4k": 1}}}}, "prices", "4k"),
        ({"prices": {"grok-imagine-video": {"per_second": {"480p": -1}}}}, "prices", "below 0"),
        ({"dialect": "sandbox"}, "base_url", "neither"),
    ],
)
async def test_a_wrong_setting_is_named(
    operators: Operators, settings: dict[str, Any], param: str, says: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await operators.add("relay", {**RELAY, "api_keys": [KEY], **settings})
    assert (param, True) == (refused.value.param, says in refused.value.message)
    assert KEY not in refused.value.message
    assert {"sandbox": True} == await states(operators)


@pytest.mark.parametrize("name", ["", "-relay", "a b", "a/b", "雪", "x" * 64])
async def test_a_name_must_fit_into_a_path(operators: Operators, name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await operators.add(name, RELAY)
    assert refused.value.param == "name"


async def test_names_are_taken_once_and_unknown_ones_are_told(operators: Operators) -> None:
    await operators.add("relay", RELAY)
    with pytest.raises(InvalidRequest) as refused:
        await operators.add("relay", RELAY)
    assert refused.value.code == "name_taken"
    with pytest.raises(NotFound, match="filmgate channel list"):
        await operators.change("none", {})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[fe80::1]",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "localhost",
        "LOCALHOST.",
        "sglang",
        "gpu.internal",
    ],
)
async def test_an_address_inside_must_be_meant(
    operators: Operators, database: Database, store: ChannelStore, upstream: Upstream, host: str
) -> None:
    settings = {"dialect": "openai", "base_url": f"http://{host}:8000"}
    with pytest.raises(InvalidRequest, match="FILMGATE_ALLOW_PRIVATE_UPSTREAMS=1"):
        await operators.add("inside", settings)
    models = ModelStore(database)
    daring = Operators(store, models, shipped_catalog(), upstream.ask, allow_private=True)
    await daring.add("inside", settings)


async def test_an_address_outside_is_fine(operators: Operators) -> None:
    for number, host in enumerate(("8.8.8.8", "[2606:4700::1111]", "api.x.ai", "例え.jp")):
        url = f"https://{host.encode('idna').decode() if host[0] != '[' else host}"
        await operators.add(f"outside{number}", {"dialect": "xai", "base_url": url})


def test_only_hints_of_secrets_are_shown() -> None:
    channel = Channel(
        id="1",
        name="relay",
        dialect="newapi",
        credentials=(KEY, "short"),
        headers={"X-Tenant": "0123456789abcdef", "X-Team": "a"},
        proxy="http://me:password@proxy.example.com:3128",
    )
    shown = describe(channel)
    assert ["…abcd", "…"] == shown["api_keys"]
    assert {"X-Tenant": "…cdef", "X-Team": "…"} == shown["headers"]
    assert shown["proxy"] == "http://…@proxy.example.com:3128"
    assert "credentials" not in shown


# -- tests of a channel ---------------------------------------------------------------------------


async def probed(operators: Operators, **settings: Any) -> dict[str, Any]:
    await operators.add("relay", {**RELAY, "api_keys": [KEY], **settings})
    result = msgspec.to_builtins(await operators.test("relay"))
    return {name: value for name, value in result.items() if name not in {"channel", "message"}}


async def test_a_pass_names_the_models_and_ends_the_trouble(
    operators: Operators, store: ChannelStore, upstream: Upstream
) -> None:
    upstream.answers["/v1/models"] = (200, OPENAI_LIST)
    added = await operators.add(
        "relay",
        {
            **RELAY,
            "api_keys": [KEY, OTHER_KEY],
            "models": {
                "grok-imagine-video": "their-video",
                "grok-imagine-video-1.5": "their-video-2",
            },
        },
    )
    await store.set_trouble(added.channel.id, "It refused our key.")
    result = await operators.test("relay")
    assert (True, True, True, 200) == (
        result.passed,
        result.reachable,
        result.accepted,
        result.status,
    )
    assert (("their-video",), ("their-video-2",)) == (result.listed, result.lacking)
    assert [("/v1/models", (KEY,)), ("/v1/models", (OTHER_KEY,))] == upstream.asked
    assert (await operators.channel("relay")).serving


async def test_a_refused_key_is_told_apart(
    operators: Operators, store: ChannelStore, upstream: Upstream
) -> None:
    upstream.answers["/v1/models"] = (200, OPENAI_LIST)
    upstream.answers["/v1/models", OTHER_KEY] = (401, {"error": "no"})
    await operators.add("relay", {**RELAY, "api_keys": [KEY, OTHER_KEY]})
    await store.set_trouble((await operators.channel("relay")).id, "It refused our key.")
    result = await operators.test("relay")
    assert (False, False, ("…wxyz",)) == (result.passed, result.accepted, result.refused_keys)
    assert "refused 1 of 2 keys (…wxyz)" in result.message
    assert (await operators.channel("relay")).trouble == "It refused our key."


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, None), "gives no list of models (HTTP 404)"),
        ((200, "<html>"), "gives no list of models (HTTP 200)"),
        ((500, {"data": None}), "gives no list of models (HTTP 500)"),
    ],
)
async def test_an_answer_that_proves_nothing_does_not_pass(
    operators: Operators, upstream: Upstream, answer: tuple[int, object], says: str
) -> None:
    upstream.answers["/v1/models"] = answer
    await operators.add("relay", {**RELAY, "api_keys": [KEY]})
    result = await operators.test("relay")
    assert (False, True, None) == (result.passed, result.reachable, result.accepted)
    assert says in result.message


async def test_no_answer_says_why(operators: Operators) -> None:
    await operators.add("relay", RELAY)
    result = await operators.test("relay")
    assert (False, False) == (result.passed, result.reachable)
    assert result.message == "No answer from https://relay.example.com: it refused the connection"


@pytest.mark.parametrize("path", ["/v1/video-generation-models", "/v1/models"])
async def test_xai_lists_its_models_in_either_place(
    operators: Operators, upstream: Upstream, path: str
) -> None:
    upstream.answers = {"/v1/video-generation-models": (404, None), "/v1/models": (404, None)}
    upstream.answers[path] = (200, XAI_LIST)
    found = await probed(operators, dialect="xai", models={"grok-imagine-video": "their-video"})
    assert (True, ["their-video"], []) == (
        found["passed"],
        list(found["listed"]),
        list(found["lacking"]),
    )


async def test_without_a_map_the_families_are_looked_for(
    operators: Operators, upstream: Upstream
) -> None:
    upstream.answers["/v1/models"] = (200, {"data": [{"id": "grok-imagine-video"}]})
    found = await probed(operators)
    assert ["grok-imagine-video"] == list(found["listed"])
    assert ["grok-imagine-video-1.5", "grok-imagine-video-1.5-lite"] == list(found["lacking"])


async def test_the_sandbox_needs_no_asking(operators: Operators, upstream: Upstream) -> None:
    assert (await operators.test("sandbox")).passed
    assert [] == upstream.asked


# -- models ---------------------------------------------------------------------------------------


async def test_a_channel_whose_model_is_gone_is_told(operators: Operators) -> None:
    await operators.add("relay", {**RELAY, "models": {"grok-imagine-video": "x"}})
    mine = msgspec.structs.replace(next(iter(shipped_catalog())), name="a", family="f")
    notes = await operators.replace_models([mine])
    expected = "Channel relay still maps grok-imagine-video, which is no longer on offer."
    assert (expected,) == notes
    assert ["a"] == [model.name for model in await operators.models()]
