"""Every fault of an upstream, in every phase: the right end, the right money, no second purchase.

Planted faults that turned these red: retrying a submit after HTTP 500, treating a garbage poll as
final, and settling before the download was checked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.chaos.books import task_rows
from tests.chaos.upstream import KEY, Upstream, faulty_upstream
from tests.gateway import Gateway


class End(NamedTuple):
    """How a task must end. ``bought`` is how often the upstream may have made it."""

    status: str = "SUCCESS"
    bought: int = 1
    flagged: bool = False
    says: str = ""


LOST = End("FAILURE", flagged=True, says="you were not charged")
NOT_BOUGHT = End("FAILURE", bought=0)

FAULTS: dict[str, End] = {
    "all is well": End(),
    "submit=202": End(),
    "submit=number": End(),
    "submit=slow": End(),
    "submit=429": End(),
    "submit=429after": End(),
    "submit=400": NOT_BOUGHT._replace(says="seconds is wrong"),
    "submit=404": NOT_BOUGHT,
    "submit=422": NOT_BOUGHT,
    "submit=garbage": LOST,
    "submit=html": LOST,
    "submit=500": LOST._replace(bought=0),
    "submit=529": LOST._replace(bought=0),
    "submit=500accept": LOST,
    "submit=hang": LOST,
    "submit=reset": LOST,
    **{
        f"poll={fault}": End()
        for fault in (
            *("garbage", "html", "empty202", "408", "409", "429", "429after", "500", "529"),
            *("hang", "reset", "word", "backwards", "changed"),
        )
    },
    "poll=failed": End("FAILURE", says="too bold"),
    "poll=404": End("FAILURE"),
    "poll=moderated200": End("FAILURE"),
    "poll=moderated400": End("FAILURE"),
    **{
        f"download={fault}": End()
        for fault in ("403", "404", "410", "500", "half", "longer", "redirect", "slow")
    },
    "download=gone": End("FAILURE"),
    "download=garbage": End("FAILURE"),
    "download=truncated": End("FAILURE"),
}


class Stage(NamedTuple):
    """A gateway in front of the faulty upstream, and how every fault ended there."""

    gateway: Gateway
    upstream: Upstream
    database_url: str
    ended: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("faults")
    database_url = f"sqlite:///{home / 'filmgate.db'}"
    with faulty_upstream(clip) as upstream:
        gateway = Gateway(home, FILMGATE_ALLOW_PRIVATE_UPSTREAMS="1")
        added = gateway.command(
            *("channel", "add", "relay", "--dialect", "newapi", "--base-url", upstream.base_url),
            *("--api-key", KEY, "--model", "grok-imagine-video=grok-image-video"),
            *("--submit-deadline", "3", "--json"),
        )
        assert added.returncode == 0, added.stderr
        gateway.start()
        try:
            with ThreadPoolExecutor(16) as pool:
                created = dict(
                    zip(FAULTS, pool.map(lambda f: gateway.create(prompt=f), FAULTS), strict=True)
                )
                ended = dict(zip(created, pool.map(gateway.finish, created.values()), strict=True))
            yield Stage(gateway, upstream, database_url, ended)
        finally:
            gateway.stop()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_task_ends_as_it_must(stage: Stage, fault: str) -> None:
    end, data = FAULTS[fault], stage.ended[fault]
    assert data["status"] == end.status, data
    assert end.says in data["fail_reason"]
    assert (data["result_url"] != "") == (end.status == "SUCCESS")
    if end.status == "SUCCESS":
        status, mp4, _ = stage.gateway.raw("GET", data["result_url"], key="")
        assert (status, mp4) == (200, stage.upstream.clip)


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_bought_twice(stage: Stage, fault: str) -> None:
    assert stage.upstream.accepted[fault] == FAULTS[fault].bought


@pytest.mark.parametrize("fault", FAULTS)
def test_the_money_is_right(stage: Stage, fault: str) -> None:
    rows = {json.loads(row["request"])["prompt"]: row for row in task_rows(stage.database_url)}
    end, row = FAULTS[fault], rows[fault]
    # A withheld result is paid for all the same (contracts, section 1.5): the channel's default.
    paid = end.status == "SUCCESS" or "moderated" in fault
    assert row["charged"] == (50_000 if paid else 0)
    assert (row["flagged"] != "") == end.flagged


PLACES: dict[str, tuple[str, dict[str, Any]]] = {
    "xai": ("/v1/videos/generations", {"model": "grok-imagine-video", "duration": 1}),
    "openai": ("/v1/videos", {"model": "grok-imagine-video", "seconds": "1"}),
    "chat": ("/v1/chat/completions", {"model": "grok-imagine-1.0-video", "stream": False}),
}


@pytest.mark.parametrize("dialect", PLACES)
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("poll=failed", "too bold"),
        ("submit=422", "seconds is wrong"),
        ("submit=500accept", "you were not charged"),
        ("download=garbage", "video"),
        ("poll=moderated200", ""),
    ],
)
def test_each_dialect_has_words_for_it(stage: Stage, dialect: str, fault: str, says: str) -> None:
    path, fields = PLACES[dialect]
    prompt = f"{fault} told to {dialect}"
    messages = [{"role": "user", "content": prompt}]
    body = fields | ({"messages": messages} if dialect == "chat" else {"prompt": prompt})
    status, answer = stage.gateway.call("POST", path, body)
    if dialect != "chat":
        task_id = answer.get("request_id") or answer["id"]
        stage.gateway.finish(task_id)
        status, answer = stage.gateway.call("GET", f"/v1/videos/{task_id}")
    match dialect, answer:
        case "xai", {"status": "done", "video": video}:
            told = "" if (video["url"], video["respect_moderation"]) == ("", False) else "?"
            assert fault == "poll=moderated200"
        case "xai", {"status": "failed", "error": {"code": str(), "message": str(told)}}:
            assert status == 200
        case "openai", {"status": "failed", "error": {"code": str(), "message": str(told)}}:
            assert status == 200
        case "chat", {"error": {"message": str(told), "type": str(), "code": str()}}:
            assert 400 <= status < 500  # a 5xx would make SDKs buy another one
        case _:
            raise AssertionError((status, answer))
    assert says in told
    assert KEY not in json.dumps(answer)


def test_no_secret_is_told(stage: Stage) -> None:
    told = json.dumps(stage.ended) + stage.gateway.log()
    assert KEY not in told
    assert stage.upstream.base_url not in json.dumps(stage.ended)


def test_unknown_fields_of_the_upstream_survive(stage: Stage) -> None:
    """newapi in, newapi out: the answer travels (contracts, section 3)."""
    assert stage.ended["all is well"]["secret_field"] == {"kept": [1, "二"]}


def test_a_refused_credential_takes_the_channel_out(tmp_path: Path, clip: Path) -> None:
    with faulty_upstream(clip) as upstream:
        gateway = Gateway(tmp_path, FILMGATE_ALLOW_PRIVATE_UPSTREAMS="1")
        for name, priority in (("first", "0"), ("second", "1")):
            gateway.command(
                *("channel", "add", name, "--dialect", "newapi", "--base-url", upstream.base_url),
                *("--api-key", KEY, "--model", "grok-imagine-video=grok-image-video"),
                *("--priority", priority),
            )
        gateway.start()
        try:
            # Both refuse; the caller hears of neither key and is not charged.
            task_id = gateway.create(prompt="submit=401")
            last, listed = time.monotonic() + 30, ""
            while listed.count("refused our key") < 2:
                assert time.monotonic() < last, listed
                listed = gateway.command("channel", "list", "--json").stdout
            assert KEY not in listed
            ended = gateway.finish(task_id)
            assert ended["status"] == "FAILURE"
            assert "You were not charged" in ended["fail_reason"]
            # Nobody serves until an operator has looked.
            status, answer = gateway.call(
                "POST", "/v1/video/generations", {"model": "grok-image-video", "prompt": "p"}
            )
            assert status == 503
            assert KEY not in json.dumps(answer)
            assert gateway.command("channel", "test", "first").returncode == 0
            time.sleep(2)  # a running server re-reads its channels every second
            healed = gateway.create(prompt="all is well")
            assert gateway.finish(healed)["status"] == "SUCCESS"
        finally:
            gateway.stop()
