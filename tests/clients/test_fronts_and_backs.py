"""Any API in, any upstream out: the gateway in front of itself, every front over every back.

The gateway behind draws in its sandbox; the one in front has a channel to it for each dialect.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.chaos.books import check_books, task_rows
from tests.clients.test_operations import data_url, facts
from tests.gateway import Gateway
from tests.media_host import picture

SHAPES = {
    "xai": ("text", "image", "references", "edit", "extend"),
    "newapi": ("text", "image", "references"),
    "chat": ("text", "image", "references"),
    "openai": ("text", "image"),
}
PATHS = {
    "xai": "/v1/videos/generations",
    "newapi": "/v1/video/generations",
    "chat": "/v1/chat/completions",
    "openai": "/v1/videos",
}
MATRIX = [
    (front, back, shape)
    for front, said in SHAPES.items()
    for back, can in SHAPES.items()
    for shape in said
    if shape in can
]
UNKNOWN = {"x_unknown": [1, {"deep": None}], "x_word": "二"}


class Pair(NamedTuple):
    """The gateway in front, the one behind, and what came of every combination."""

    front: Gateway
    behind: Gateway
    made: dict[tuple[str, str, str], Future[tuple[bytes, dict[str, Any]]]]


def body(front: str, shape: str, model: str, media: str, seconds: int = 1) -> dict[str, Any]:
    """A request in a front's own words; every second picture is a file inside the request."""
    images = {"image": [data_url(picture(1), "image/png")]}.get(shape, [])
    if shape == "references":
        images = [f"{media}/a.png", data_url(picture(2), "image/png"), f"{media}/c.png"]
    match front:
        case "xai" if shape in {"edit", "extend"}:
            fields: dict[str, Any] = {"video": {"url": f"{media}/clip.mp4"}}
            fields |= {"duration": 2} if shape == "extend" else {}
        case "xai":
            fields = {"duration": seconds, "resolution": "480p"}
            if shape == "image":
                fields["image"] = {"url": images[0]}
            elif images:
                fields["reference_images"] = [{"url": url} for url in images]
        case "newapi":
            fields = {"seconds": seconds, "resolution": "480p", "image_urls": images}
        case "openai":
            fields = {"seconds": str(seconds), "size": "854x480"}
            fields |= {"input_reference": images[0]} if images else {}
        case _:
            parts = [{"type": "text", "text": "@图一 变成 @图二"}]
            parts += [{"type": "image_url", "image_url": {"url": url}} for url in images]
            config = {"video_length": seconds, "resolution_name": "480p"}
            messages = [{"role": "user", "content": parts}]
            return {
                "model": model,
                "messages": messages,
                "video_config": config,
                "stream": False,
                **UNKNOWN,
            }
    return {"model": model, "prompt": "a silk ribbon", **fields, **UNKNOWN}


def make(
    front: Gateway, dialect: str, path: str, request: dict[str, Any]
) -> tuple[bytes, dict[str, Any]]:
    """Create, wait to the end, download; the MP4 and the last answer."""
    status, answer = front.call("POST", path, request, timeout=170)
    assert status == 200, answer
    if dialect == "chat":
        link = answer["choices"][0]["message"]["content"]
        return front.raw("GET", link, key="")[1], answer
    task_id = answer.get("request_id") or answer["id"]
    front.finish(task_id)
    poll = {"newapi": "/v1/video/generations/{}"}.get(dialect, "/v1/videos/{}").format(task_id)
    status, answer = front.call("GET", poll)
    assert status == 200, answer
    status, mp4, _ = front.raw("GET", f"/v1/videos/{task_id}/content")
    assert status == 200, (answer, mp4)
    return mp4, answer


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, media_url: str) -> Iterator[Pair]:
    behind = Gateway(tmp_path_factory.mktemp("behind"))
    front = Gateway(tmp_path_factory.mktemp("front"), FILMGATE_ALLOW_PRIVATE_UPSTREAMS="1")
    offer_models(front)
    for back in SHAPES:
        add = ("channel", "add", f"via-{back}", "--dialect", back, "--base-url", behind.base_url)
        options = ("--api-key", behind.key, "--poll-seconds", "0.5")
        models = ("--model", f"via-{back}=grok-imagine-video")
        done = front.command(*add, *options, *models)
        assert done.returncode == 0, done.stderr
    try:
        behind.start()
        front.start()
        with ThreadPoolExecutor(8) as pool:
            made = {
                (dialect, back, shape): pool.submit(
                    make,
                    front,
                    dialect,
                    {"edit": "/v1/videos/edits", "extend": "/v1/videos/extensions"}.get(
                        shape, PATHS[dialect]
                    ),
                    body(dialect, shape, f"via-{back}", media_url),
                )
                for dialect, back, shape in MATRIX
            }
            yield Pair(front, behind, made)
    finally:
        front.stop()
        behind.stop()


def offer_models(front: Gateway) -> None:
    """A model per channel, so that a request chooses its way."""
    shipped = front.command("model", "export").stdout
    family = """
[family.via-{0}]
shapes = ["text", "image", "references", "edit", "extend"]
aspect_ratios = ["16:9", "9:16"]
seconds = [1, 30]
prices = {{ per_second = {{ 480p = 50_000, 720p = 70_000 }}, per_input_second = 10_000 }}
"""
    row = '\n[[model]]\nname = "via-{0}"\nfamily = "via-{0}"\ndescription = "by {0}"\n'
    file = front.home / "models.toml"
    added = "".join(family.format(back) for back in SHAPES)
    rows = "".join(row.format(back) for back in SHAPES)
    file.write_text(shipped + added + rows)
    done = front.command("model", "import", str(file))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("front", "back", "shape"), MATRIX)
def test_every_front_over_every_back(pair: Pair, front: str, back: str, shape: str) -> None:
    mp4, answer = pair.made[front, back, shape].result(timeout=170)
    seconds = {"edit": 3.0, "extend": 5.0}.get(shape, 1.0)
    expected = {"codecs": ["h264", "aac"], "seconds": seconds}
    assert {name: facts(mp4)[name] for name in expected} == expected
    said = json.dumps(answer)
    assert pair.behind.base_url not in said
    assert pair.behind.key not in said


@pytest.mark.parametrize("dialect", ["xai", "newapi", "openai", "chat"])
def test_unknown_fields_travel_where_both_sides_speak_the_same(pair: Pair, dialect: str) -> None:
    pair.made[dialect, dialect, "text"].result(timeout=170)
    url = f"sqlite:///{pair.behind.home / 'filmgate.db'}"
    received = [
        json.loads(row["request"])["original"]
        for row in task_rows(url)
        if row["dialect"] == dialect
    ]
    assert any(UNKNOWN.items() <= original.items() for original in received)


def test_a_long_clip_is_made_in_parts_and_is_one(pair: Pair, media_url: str) -> None:
    request = body("newapi", "text", "via-xai", media_url, seconds=20)
    mp4, answer = make(pair.front, "newapi", PATHS["newapi"], request)
    assert answer["data"]["status"] == "SUCCESS"
    assert facts(mp4) == {"size": (854, 480), "codecs": ["h264", "aac"], "seconds": 20.0}
    rows = task_rows(f"sqlite:///{pair.front.home / 'filmgate.db'}")
    row = next(row for row in rows if row["id"] == answer["data"]["task_id"][5:])
    assert (row["part"], row["charged"]) == (1, 20 * 50_000)
    # 15 s generated, then 5 s added to a tail of 8 s: what the gateway behind charged for it.
    assert row["cost"] == (15 + 5) * 50_000 + 8 * 10_000


def test_both_books_balance(pair: Pair) -> None:
    for future in pair.made.values():
        future.result(timeout=170)
    for gateway in (pair.front, pair.behind):
        check_books(gateway, f"sqlite:///{gateway.home / 'filmgate.db'}")


def test_a_channel_is_tested_for_real(pair: Pair) -> None:
    for back in SHAPES:
        done = pair.front.command("channel", "test", f"via-{back}", "--json")
        assert done.returncode == 0, done.stdout
        assert json.loads(done.stdout)["passed"] is True
    for _ in range(2):  # the wrong key is found out without buying anything
        pair.front.command("channel", "set", "via-chat", "--api-key", "sk-wrong")
        assert pair.front.command("channel", "test", "via-chat").returncode == 1
        time.sleep(0.1)
    pair.front.command("channel", "set", "via-chat", "--api-key", pair.behind.key)


def test_a_home_of_the_first_version_goes_on(tmp_path: Path) -> None:
    """The schema of the first migration is brought up to date with its tasks in it."""
    from alembic import command
    from alembic.config import Config

    from filmgate.store import migrations
    from filmgate.store.database import Database

    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO customers VALUES ('c', 'n', 5, 0.0)")
        connection.exec_driver_sql("INSERT INTO keys VALUES ('k', 'c', x'00', 'h', '[]', 0, 0.0)")
        connection.exec_driver_sql(
            "INSERT INTO tasks VALUES ('t','c','k','xai','{}','{}','queued',0,NULL,NULL,0,0,"
            "'sandbox','u',0,'',0.0,NULL,NULL)"
        )
    migrations.upgrade(database.engine)
    with database.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT channel, part, deleted FROM tasks").one()
    database.close()
    assert tuple(row) == ("sandbox", 0, 0)
