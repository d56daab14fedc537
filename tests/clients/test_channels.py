"""Operators at work: channels and models by command and by admin API, beside a running server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import Gateway, free_port

TOKEN = "an-operators-token-of-36-characters."
KEY = "sk-0123456789-secret-abcd"
RELAY = {"dialect": "newapi", "base_url": "https://relay.example.com/v1", "api_keys": [KEY]}


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A running gateway of our own, whose operator may use loopback upstreams."""
    server = Gateway(
        tmp_path_factory.mktemp("operated"),
        FILMGATE_ADMIN_TOKEN=TOKEN,
        FILMGATE_ALLOW_PRIVATE_UPSTREAMS="1",
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def admin(operated: Gateway) -> Iterator[Callable[..., tuple[int, Any]]]:
    """Calls of the admin API; afterwards only the sandbox is left, and on."""

    def call(method: str, path: str, body: object = None) -> tuple[int, Any]:
        return operated.call(method, f"/admin/v1{path}", body, key=TOKEN)

    yield call
    for channel in call("GET", "/channels")[1]["channels"]:
        if channel["name"] != "sandbox":
            assert call("DELETE", f"/channels/{channel['name']}")[0] == 200
    assert call("POST", "/channels/sandbox/enable")[0] == 200


def within_two_seconds(true: Callable[[], bool]) -> bool:
    last = time.monotonic() + 2
    while time.monotonic() < last:
        if true():
            return True
        time.sleep(0.1)
    return False


def accepts_work(gateway: Gateway) -> bool:
    body = {"model": "grok-image-video", "prompt": "p", "seconds": 1, "resolution": "480p"}
    status, _ = gateway.call("POST", "/v1/video/generations", body)
    assert status in {200, 503}
    return status == 200


# -- by command -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("admin")
def test_a_channels_life_by_command(operated: Gateway, gateway: Gateway) -> None:
    reach = ["--dialect", "openai", "--base-url", f"{gateway.base_url}/v1"]
    keys = ["--api-key", gateway.key, "--api-key", KEY]
    options = ["--max-in-flight", "9", "--price", "grok-imagine-video:480p=0.05", "--resubmit-safe"]
    added = operated.command(
        "channel", "add", "next", *reach, *keys, *options, "--header", "X-Tenant=t", "--json"
    )
    assert added.returncode == 0, added.stderr
    made = json.loads(added.stdout)
    assert made["base_url"] == gateway.base_url
    assert made["api_keys"] == [f"…{gateway.key[-4:]}", "…abcd"]
    assert made["prices"]["grok-imagine-video"]["per_second"] == {"480p": 50_000}
    assert (made["max_in_flight"], made["resubmit_safe"]) == (9, True)
    assert "filmgate channel enable sandbox" in made["notes"][0]

    tested = operated.command("channel", "test", "next")
    assert tested.returncode == 1
    assert "refused 1 of 2 keys (…abcd)" in tested.stdout
    changed = operated.command(
        "channel", "set", "next", "--api-key", gateway.key, "--max-in-flight", "0"
    )
    assert changed.stdout == "Changed next.\n"
    tested = operated.command("channel", "test", "next", "--json")
    assert tested.returncode == 0, tested.stdout
    found = json.loads(tested.stdout)
    assert (found["passed"], found["accepted"], found["status"]) == (True, True, 200)
    assert "grok-imagine-video" in found["listed"]

    listed = operated.command("channel", "list")
    assert re.search(r"^next +on +openai", listed.stdout, re.MULTILINE)
    assert re.search(r"^sandbox +off +sandbox", listed.stdout, re.MULTILINE)
    shown = json.loads(operated.command("channel", "show", "next", "--json").stdout)
    assert (shown["max_in_flight"], shown["resubmit_safe"]) == (None, True)
    assert "No channel serves now" in operated.command("channel", "disable", "next").stdout
    assert "Enabled next." in operated.command("channel", "enable", "next").stdout
    removed = operated.command("channel", "remove", "next")
    assert "filmgate channel enable sandbox" in removed.stdout


@pytest.mark.usefixtures("admin")
def test_a_key_from_stdin_stays_out_of_sight(operated: Gateway) -> None:
    arguments = ["channel", "add", "quiet", "--dialect", "xai", "--base-url", "https://api.x.ai"]
    done = subprocess.run(
        [sys.executable, "-m", "filmgate", *arguments, "--api-key", "-"],
        env={
            "PATH": "/usr/bin:/bin",
            "FILMGATE_HOME": str(operated.home),
        },
        input=f"{KEY}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Added quiet" in done.stdout
    for command in ("list", "show quiet", "show quiet --json", "list --json"):
        printed = operated.command("channel", *command.split()).stdout
        assert "…abcd" in printed
        assert KEY not in printed
    assert not any(
        KEY.encode() in file.read_bytes() for file in operated.home.rglob("*") if file.is_file()
    )


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("add a --dialect grpc --base-url https://a.example", 1, "dialect must be one of"),
        ("add a --dialect xai --base-url http://10.0.0.1", 1, "ALLOW_PRIVATE_UPSTREAMS=1"),
        ("add a --dialect xai --base-url https://a.example --model x=y", 1, "is not on offer"),
        ("add a --dialect xai --base-url https://a.example --model x", 2, "OURS=THEIRS"),
        ("add a --dialect xai --base-url https://a.example --price x=1", 2, "FAMILY:480p=0.05"),
        ("add a --dialect xai --base-url https://a.example --weight 0", 1, "weight must be"),
        ("set none --weight 2", 1, "no channel 'none'"),
        ("test none", 1, "no channel 'none'"),
    ],
)
def test_a_wrong_command_is_told_what_would_do(
    gateway: Gateway, arguments: str, code: int, says: str
) -> None:
    done = gateway.command("channel", *arguments.split())
    assert (code, "") == (done.returncode, done.stdout)
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_models_by_command(operated: Gateway, tmp_path: Path) -> None:
    assert "grok-imagine-video-1.5-lite" in operated.command("model", "list").stdout
    exported = operated.command("model", "export").stdout
    file = tmp_path / "models.toml"
    file.write_text(exported.replace("480p = 50_000", "480p = 60_000"))
    done = operated.command("model", "import", str(file))
    assert done.stdout.startswith(f"{len(tomllib.loads(exported)['model'])} models are on offer")
    rows = json.loads(operated.command("model", "list", "--json").stdout)
    assert rows[0]["prices"]["per_second"]["480p"] == 60_000
    file.write_text(exported.replace("480p = 50_000", "480p = 0.05"))
    refused = operated.command("model", "import", str(file))
    assert refused.returncode == 1
    assert "grok-imagine-video: prices.per_second" in refused.stderr
    file.write_text(exported)
    assert operated.command("model", "import", str(file)).returncode == 0
    assert exported == operated.command("model", "export").stdout


# -- by admin API ---------------------------------------------------------------------------------


def test_without_a_token_there_is_no_admin_api(gateway: Gateway) -> None:
    for path in ("/admin", "/admin/v1/channels", "/admin/v1/openapi.json"):
        assert gateway.call("GET", path, key=TOKEN)[0] == 404


def test_a_short_token_is_refused_at_the_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "filmgate", "serve", "--home", str(tmp_path)],
        env={
            "PATH": "/usr/bin:/bin",
            "FILMGATE_PORT": str(free_port()),
            "FILMGATE_ADMIN_TOKEN": "x" * 23,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "FILMGATE_ADMIN_TOKEN" in done.stderr
    assert "x" * 23 not in done.stderr


@pytest.mark.parametrize("key", ["", TOKEN[:-1], TOKEN + "x", "é" * 36])
def test_strangers_learn_nothing(operated: Gateway, key: str) -> None:
    for path in ("/channels", "/nothing", "/openapi.json"):
        status, data, headers = operated.raw(
            "GET", f"/admin/v1{path}", key="", headers={"Authorization": f"Bearer {key}"}
        )
        sent = {name.lower(): value for name, value in headers.items()}
        assert (401, "Bearer") == (status, sent.get("www-authenticate"))
        assert json.loads(data)["error"]["code"] == "invalid_admin_token"
    # A customer's key opens nothing here, nor the operator's token anything there.
    assert operated.call("GET", "/admin/v1/channels")[0] == 401
    assert operated.call("GET", "/v1/models", key=TOKEN)[0] == 401


def test_a_channels_life_by_api(
    admin: Callable[..., tuple[int, Any]], operated: Gateway, gateway: Gateway
) -> None:
    body = {**RELAY, "base_url": gateway.base_url, "api_keys": [gateway.key], "name": "next"}
    status, made = admin("POST", "/channels", body | {"models": {"grok-image-video": "theirs"}})
    assert (201, [f"…{gateway.key[-4:]}"]) == (status, made["api_keys"])
    assert "sandbox was disabled" in made["notes"][0]
    status, result = admin("POST", "/channels/next/test")
    assert (200, True, ["theirs"]) == (status, result["passed"], result["lacking"])
    status, changed = admin("PATCH", "/channels/next", {"weight": 7, "max_in_flight": 2})
    assert (200, 7, 2) == (status, changed["weight"], changed["max_in_flight"])
    assert changed["models"] == {"grok-image-video": "theirs"}
    status, changed = admin("PATCH", "/channels/next", {"max_in_flight": None, "models": {}})
    assert (200, None, {}) == (status, changed["max_in_flight"], changed["models"])
    assert admin("GET", "/channels/next")[1] == {k: v for k, v in changed.items() if k != "notes"}
    names = [channel["name"] for channel in admin("GET", "/channels")[1]["channels"]]
    assert ["next", "sandbox"] == names
    assert admin("POST", "/channels/next/disable")[1]["serving"] is False
    assert admin("POST", "/channels/next/enable")[1]["serving"] is True
    status, removed = admin("DELETE", "/channels/next")
    assert (200, True) == (status, removed["deleted"])
    assert admin("GET", "/channels/next")[0] == 404
    assert gateway.key not in operated.log()


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"dialect": "grpc"}, 400, "invalid_value", "dialect"),
        ({"base_url": "relay"}, 400, "invalid_value", "base_url"),
        ({"weight": "2"}, 400, "invalid_value", "weight"),
        ({"weight": 0}, 400, "invalid_value", "weight"),
        ({"delivery": "post"}, 400, "invalid_value", "delivery"),
        ({"api_keys": KEY}, 400, "invalid_value", "api_keys"),
        ({"unknown": 1}, 400, "invalid_value", "unknown"),
        ({"id": "x"}, 400, "invalid_value", "id"),
        ({"name": "sandbox"}, 409, "name_taken", "name"),
    ],
)
def test_a_wrong_field_is_named(
    admin: Callable[..., tuple[int, Any]],
    change: dict[str, Any],
    status: int,
    code: str,
    param: str,
) -> None:
    answered, body = admin("POST", "/channels", {"name": "wrong", **RELAY, **change})
    assert (status, code, param) == (answered, body["error"]["code"], body["error"]["param"])
    assert KEY not in body["error"]["message"]


def test_the_api_and_the_command_refuse_in_the_same_words(
    admin: Callable[..., tuple[int, Any]], operated: Gateway
) -> None:
    _, refused = admin("POST", "/channels", {"name": "x", **RELAY, "delivery": "post"})
    options = ["--dialect", "newapi", "--base-url", RELAY["base_url"], "--delivery", "post"]
    done = operated.command("channel", "add", "x", *options)
    assert done.stderr == f"filmgate: {refused['error']['message']}\n"


def test_bodies_and_routes_that_are_not_there(
    admin: Callable[..., tuple[int, Any]], operated: Gateway
) -> None:
    status, data, _ = operated.raw("POST", "/admin/v1/channels", b"{", key=TOKEN)
    assert (400, "malformed_body") == (status, json.loads(data)["error"]["code"])
    assert admin("GET", "/nothing")[0] == 404
    assert admin("PUT", "/channels")[0] == 405


def test_models_by_api(admin: Callable[..., tuple[int, Any]], operated: Gateway) -> None:
    _, shipped = admin("GET", "/models")
    one = shipped["models"][0] | {"name": "our-own-name"}
    assert admin("PUT", "/models", {"models": [*shipped["models"], one]})[0] == 200

    def offered() -> bool:
        _, listed = operated.call("GET", "/v1/models")
        return "our-own-name" in {model["id"] for model in listed["data"]}

    assert within_two_seconds(offered)
    status, refused = admin("PUT", "/models", {"models": [one | {"shapes": ["poem"]}]})
    assert (400, "shapes[0]") == (status, refused["error"]["param"])
    assert admin("PUT", "/models", {"models": []})[0] == 400
    status, again = admin("PUT", "/models", shipped)
    assert (200, shipped["models"]) == (status, again["models"])


def test_the_schema_describes_every_route(admin: Callable[..., tuple[int, Any]]) -> None:
    _, schema = admin("GET", "/openapi.json")
    assert set(schema["paths"]) == {
        "/channels",
        "/channels/{name}",
        "/channels/{name}/test",
        "/channels/{name}/enable",
        "/channels/{name}/disable",
        "/models",
    }
    fields = schema["components"]["schemas"]["NewChannel"]["properties"]
    assert all(field.get("description") for field in fields.values())
    assert fields["delivery"]["enum"] == ["store", "link"]


# -- a running server -----------------------------------------------------------------------------


def test_a_running_server_sees_a_change_within_two_seconds(
    admin: Callable[..., tuple[int, Any]], operated: Gateway
) -> None:
    assert within_two_seconds(lambda: accepts_work(operated))
    assert operated.command("channel", "disable", "sandbox").returncode == 0
    assert within_two_seconds(lambda: not accepts_work(operated))
    assert admin("POST", "/channels/sandbox/enable")[0] == 200
    assert within_two_seconds(lambda: accepts_work(operated))
