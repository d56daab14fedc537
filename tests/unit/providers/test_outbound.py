"""The channels' client: what it sends, what it lets pass, and whether it can tell what was sent."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import traceback
from typing import Any

import pytest

from filmgate.core.channel import Channel
from filmgate.dialects.base import Outbound
from filmgate.providers.outbound import (
    MAX_ANSWER_BYTES,
    Answer,
    NoAnswer,
    NotSent,
    Wire,
    is_below,
)
from tests.unit.providers.scripted import (
    KEY,
    SECRETS,
    channel,
    hang,
    hang_up,
    listener,
    part,
    say,
    upstream,
)

POST = Outbound(method="POST", path="/v1/videos", body={"prompt": "图"})
GET = Outbound(method="GET", path="/v1/videos/1")


async def submit(wire: Wire, there: Channel, deadline: float = 1.0) -> Answer:
    async with wire.submit(
        there, POST, credential=KEY, idempotency_key="t-0", deadline=deadline
    ) as incoming:
        return await incoming.read()


async def trouble(wire: Wire, there: Channel, deadline: float = 1.0) -> NotSent | NoAnswer:
    with pytest.raises((NotSent, NoAnswer)) as found:
        await submit(wire, there, deadline)
    error = found.value
    while error is not None:
        told = "".join(traceback.format_exception(error)) + repr(error)
        assert not [secret for secret in SECRETS if secret in told]
        error = error.__cause__ or error.__context__
    return found.value


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# -- what is sent ---------------------------------------------------------------------------------


async def test_a_submit_says_who_it_is_from(wire: Wire) -> None:
    async with upstream(say(200, {"id": 1})) as there:
        answer = await submit(wire, channel("xai", there.url + "/relay/"))
    assert (answer.status, answer.body, answer.garbled) == (200, {"id": 1}, False)
    seen = there.seen[0]
    assert (seen.method, seen.path, seen.body) == ("POST", "/relay/v1/videos", {"prompt": "图"})
    expected = {
        "Authorization": f"Bearer {KEY}",
        "Idempotency-Key": "t-0",
        "X-Relay-Token": "planted-header-value",
        "Content-Type": "application/json",
        "User-Agent": "filmgate",
    }
    assert expected == {name: seen.headers[name] for name in expected}


async def test_an_operators_own_authorization_wins(wire: Wire) -> None:
    async with upstream(say()) as there:
        await submit(wire, channel("xai", there.url, headers={"Authorization": "Token abcdefgh"}))
    sent = [
        value for name, value in there.seen[0].headers.items() if name.lower() == "authorization"
    ]
    assert ["Token abcdefgh"] == sent


async def test_polls_share_connections_and_submits_never_do(wire: Wire) -> None:
    ports: list[Any] = []

    async def note(request: Any) -> Any:
        ports.append(request.transport.get_extra_info("peername")[1])
        return await say(200, {})(request)

    async with upstream(note) as there:
        for _ in range(3):
            await wire.call(channel("xai", there.url), GET, deadline=1.0)
        assert len(set(ports)) == 1
        for _ in range(3):
            await submit(wire, channel("xai", there.url))
        assert len(set(ports)) == 4


async def test_the_proxy_of_the_environment_is_not_asked(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    async with upstream(say()) as there:
        assert (await submit(wire, channel("xai", there.url))).status == 200


async def test_the_proxy_of_a_channel_is_asked(wire: Wire) -> None:
    async with upstream(say(200, {"id": "via"})) as proxy:
        there = channel("xai", "http://8.8.8.8/api", proxy=proxy.url)
        assert (await submit(wire, there)).body == {"id": "via"}


async def test_redirects_are_not_followed(wire: Wire) -> None:
    async with upstream(say(307, None, Location="/elsewhere")) as there:
        assert (await submit(wire, channel("xai", there.url))).status == 307
        assert len(there.seen) == 1


# -- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", (None, False)),
        (b" \n", (None, False)),
        (b"<html>502</html>", (None, True)),
        (b'{"id":', (None, True)),
        (b"\xff\xfe", (None, True)),
        (b"[" * 100_000, (None, True)),
        (b"[1]", ([1], False)),
    ],
)
async def test_bodies(wire: Wire, raw: bytes, expected: tuple[Any, bool]) -> None:
    async with upstream(say(200, raw)) as there:
        answer = await submit(wire, channel("xai", there.url))
    assert expected == (answer.body, answer.garbled)


async def test_our_secrets_are_struck_out_of_answers(wire: Wire) -> None:
    echo = {"error": f"bad key {KEY}, header planted-header-value"}
    async with upstream(say(401, echo)) as there:
        answer = await submit(wire, channel("xai", there.url))
    assert answer.body == {"error": "bad key [key], header [key]"}


async def test_an_endless_answer_is_cut(wire: Wire) -> None:
    async with upstream(say(200, b" " * (MAX_ANSWER_BYTES + 1))) as there:
        assert "larger than 8 MiB" in str(await trouble(wire, channel("xai", there.url), 5.0))


# -- sent or not ----------------------------------------------------------------------------------


async def nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Close at once, before reading anything."""


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()


async def half_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    await writer.drain()


@pytest.mark.parametrize("talk", [nothing, garbage, half_a_head])
async def test_once_connected_it_may_have_arrived(wire: Wire, talk: Any) -> None:
    async with listener(talk) as url:
        assert type(await trouble(wire, channel("xai", url))) is NoAnswer


@pytest.mark.parametrize("step", [hang, hang_up, part(b"{}", 1), part(b"", 0, 9)])
async def test_once_read_it_has_arrived(wire: Wire, step: Any) -> None:
    async with upstream(step) as there:
        error = await trouble(wire, channel("xai", there.url), 0.3)
        assert (type(error), len(there.seen)) == (NoAnswer, 1)


async def test_a_refused_connection_is_not_sent(wire: Wire) -> None:
    error = await trouble(wire, channel("xai", f"http://127.0.0.1:{closed_port()}"))
    assert (type(error), str(error)) == (NotSent, "it refused the connection")


async def test_a_name_without_address_is_not_sent() -> None:
    async def nowhere(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("no such name")

    async with Wire(lookup=nowhere) as wire:
        error = await trouble(wire, channel("xai", "http://gone.example"))
    assert (type(error), str(error)) == (NotSent, "its name has no address")


async def test_a_lookup_that_hangs_is_not_sent() -> None:
    async def asleep(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    began = time.monotonic()
    async with Wire(lookup=asleep) as wire:
        error = await trouble(wire, channel("xai", "http://slow.example"), 0.8)
    # In good time, while whoever waits for us has not given up on knowing.
    assert time.monotonic() - began < 0.7
    assert (type(error), str(error)) == (NotSent, "no connection in time")


async def test_tls_to_a_plain_port_is_not_sent(wire: Wire) -> None:
    async with upstream(say()) as there:
        error = await trouble(wire, channel("xai", there.url.replace("http", "https")))
        assert (type(error), str(error), there.seen) == (NotSent, "it has no valid TLS", [])


async def test_tls_that_never_begins_is_not_sent(wire: Wire) -> None:
    async def mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listener(mute) as url:
        error = await trouble(wire, channel("xai", url.replace("http", "https")), 0.3)
    assert (type(error), str(error)) == (NotSent, "no connection in time")


async def test_a_proxy_that_is_away_or_refuses_is_not_sent(wire: Wire) -> None:
    away = f"http://user:planted-header-value@127.0.0.1:{closed_port()}"
    error = await trouble(wire, channel("xai", "https://8.8.8.8", proxy=away))
    assert (type(error), str(error)) == (NotSent, "the channel's proxy refused the connection")
    async with upstream(say(407)) as proxy:
        error = await trouble(wire, channel("xai", "https://8.8.8.8", proxy=proxy.url))
    assert type(error) is NotSent


@pytest.mark.parametrize(
    "settings",
    [
        {"headers": {"X-Bad": "a\r\nb"}},
        {"proxy": "socks5://127.0.0.1:9"},
    ],
)
async def test_what_cannot_be_written_is_not_sent(wire: Wire, settings: Any) -> None:
    async with upstream(say()) as there:
        error = await trouble(wire, channel("xai", there.url, **settings))
        assert (type(error), there.seen) == (NotSent, [])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "http://[::1]:8000",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "http://inside.example",
        "http://user:password@8.8.8.8",
    ],
)
async def test_private_addresses_need_the_setting(url: str) -> None:
    async def inside(_host: str, _port: int) -> list[str]:
        return ["192.168.1.1"]

    async with Wire(lookup=inside) as wire:
        error = await trouble(wire, channel("xai", url))
    assert type(error) is NotSent
    assert "FILMGATE_ALLOW_PRIVATE_UPSTREAMS=1" in str(error)


async def test_the_metadata_service_is_never_asked(wire: Wire) -> None:
    assert type(await trouble(wire, channel("xai", "http://169.254.169.254"))) is NotSent


async def test_no_log_has_a_secret(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with upstream(hang_up) as there:
        await trouble(wire, channel("xai", there.url))
        await trouble(wire, channel("xai", there.url, proxy=f"http://127.0.0.1:{closed_port()}"))
    assert not [secret for secret in SECRETS if secret in caplog.text]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example/relay/v1/videos/1/content", True),
        ("https://api.example:443/relay/x", True),
        ("https://api.example/other/x", False),
        ("https://api.example/relayed/x", False),
        ("https://api.example/relay/../other", False),
        ("https://api.example/relay/%2e%2e/other", False),
        ("http://api.example/relay/x", False),
        ("https://api.example:8443/relay/x", False),
        ("https://cdn.example/relay/x", False),
        ("https://api.example@cdn.example/relay/x", False),
    ],
)
def test_what_is_below_a_base_url(url: str, expected: bool) -> None:
    assert expected == is_below("https://api.example/relay", url)
