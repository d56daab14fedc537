"""Fetching customers' URLs: what comes through, what is refused, and that nothing inside is asked.

No test leaves the machine: an audit hook sees every connect of the process and stops those that
are not to loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import socket
import sys
import time
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from filmgate.core.errors import InputUnfetchable
from filmgate.providers.addresses import Dialler, policy
from filmgate.providers.egress import Egress, Fetched
from tests.unit.providers.egress_origin import MP4, PNG, serve_origin

# -- what is dialled ----------------------------------------------------------------------------

_dialled: list[Any] = []


class Stopped(OSError):
    """A connect that would have left the machine."""


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        _dialled.append(args[1])
        if args[1][0] not in {"127.0.0.1", "::1"}:
            raise Stopped("a test must not leave the machine")


sys.addaudithook(_watch)


@pytest.fixture
def dialled() -> Iterator[list[Any]]:
    _dialled.clear()
    yield _dialled
    _dialled.clear()


class Names:
    """A name service that records its questions and answers them one list after the other.

    Like libc's, it takes every old spelling of an IPv4 address for that address.
    """

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        with contextlib.suppress(OSError):
            return [socket.inet_ntoa(socket.inet_aton(host))]
        if not self.answers:
            raise socket.gaierror("no such name")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    async with serve_origin() as url:
        yield url


@pytest.fixture
async def inside() -> AsyncIterator[Egress]:
    async with Egress(allow_private=True) as egress:
        yield egress


async def fetch(egress: Egress, url: str, sink: Path, **options: Any) -> Fetched:
    asked = {"limit_bytes": 8 << 20, "kinds": {"image"}, "deadline_seconds": 5.0, **options}
    return await egress.fetch(url, sink=sink, **asked)


def is_left(sink: Path) -> bool:
    return sink.exists()


async def refusal(egress: Egress, url: str, sink: Path, **options: Any) -> str:
    """The words a customer gets when ``url`` cannot be fetched."""
    with pytest.raises(InputUnfetchable) as found:
        await fetch(egress, url, sink, **options)
    assert not is_left(sink)
    return found.value.message


def said(reason: str, noun: str = "Image") -> str:
    return f"{noun} URL could not be fetched: {reason}"


# -- what comes through -------------------------------------------------------------------------


async def test_a_picture(inside: Egress, origin: str, tmp_path: Path) -> None:
    sink = tmp_path / "input"
    fetched = await fetch(inside, origin + "/png", sink)
    sha256 = hashlib.sha256(PNG).hexdigest()
    assert (sink, "image/png", len(PNG), sha256) == (
        fetched.path, fetched.mime, fetched.size, fetched.sha256
    )  # fmt: skip
    assert sink.read_bytes() == PNG


async def test_a_clip_is_known_by_its_bytes(inside: Egress, origin: str, tmp_path: Path) -> None:
    fetched = await fetch(inside, origin + "/mp4", tmp_path / "input", kinds={"video"})
    assert (fetched.mime, fetched.size) == ("video/mp4", len(MP4))


async def test_the_request_says_little_and_keeps_a_signature(
    inside: Egress, origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    sink = tmp_path / "input"
    await fetch(inside, origin + "/echo/a%2Fb//../图?sig=a%2Bb+c/=&e=%41#there", sink)
    path, *headers = sink.read_bytes()[len(PNG) :].decode().splitlines()
    assert path == "/echo/a%2Fb//../%E5%9B%BE?sig=a%2Bb+c/=&e=%41"
    names = {line.partition(":")[0] for line in headers}
    assert names == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
    assert "Accept-Encoding: identity" in headers
    assert "python" not in " ".join(headers).lower()


async def test_five_redirects_are_followed(inside: Egress, origin: str, tmp_path: Path) -> None:
    fetched = await fetch(inside, origin + "/hops/4", tmp_path / "input")
    assert fetched.size == len(PNG)


async def test_exactly_the_limit(inside: Egress, origin: str, tmp_path: Path) -> None:
    fetched = await fetch(inside, origin + "/sized/10000", tmp_path / "input", limit_bytes=10_000)
    assert fetched.size == 10_000


# -- what is refused, and in which words --------------------------------------------------------

NOT_AN_IMAGE = "The file is not an image (jpeg, png, webp, gif or bmp)."


@pytest.mark.parametrize(
    ("path", "options", "reason"),
    [
        ("/status/400", {}, "Fetching image failed with HTTP status 400 Bad Request."),
        ("/status/404", {}, "Fetching image failed with HTTP status 404 Not Found."),
        ("/status/503", {}, "Fetching image failed with HTTP status 503 Service Unavailable."),
        ("/status/206", {}, "Fetching image failed with HTTP status 206 Partial Content."),
        ("/status/302", {}, "Fetching image failed with HTTP status 302 Found."),
        ("/status/599", {}, "Fetching image failed with HTTP status 599."),
        ("/sized/10001", {"limit_bytes": 10_000}, "The image is larger than 10000 bytes."),
        ("/endless", {}, "The image is larger than 8 MB."),
        ("/html", {}, NOT_AN_IMAGE),
        ("/empty", {}, NOT_AN_IMAGE),
        ("/mp4", {}, NOT_AN_IMAGE),
        ("/bomb", {}, NOT_AN_IMAGE),
        ("/bomb?declared", {}, "Fetching image failed because its server sent it compressed."),
        ("/cut", {}, "Fetching image failed because its server sent only a part."),
        ("/drip", {"deadline_seconds": 0.3}, "Fetching image took longer than 0.3 s."),
        ("/silent", {"deadline_seconds": 0.3}, "Fetching image took longer than 0.3 s."),
        ("/hops/5", {}, "Fetching image failed because it is redirected more than 5 times."),
        ("/loop", {}, "Fetching image failed because it is redirected more than 5 times."),
    ],
)
async def test_a_bad_origin(
    inside: Egress, origin: str, tmp_path: Path, path: str, options: dict[str, Any], reason: str
) -> None:
    began = time.monotonic()
    assert said(reason) == await refusal(inside, origin + path, tmp_path / "input", **options)
    assert time.monotonic() - began < 2


async def test_the_words_for_a_clip(inside: Egress, origin: str, tmp_path: Path) -> None:
    options = {"kinds": {"video"}, "limit_bytes": 64 << 20}
    assert said("The file is not an MP4 video.", "Video") == await refusal(
        inside, origin + "/png", tmp_path / "input", **options
    )
    assert said("Fetching video failed with HTTP status 410 Gone.", "Video") == await refusal(
        inside, origin + "/status/410", tmp_path / "input", **options
    )


async def test_nobody_listens(inside: Egress, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a"
        message = await refusal(inside, url, tmp_path / "input")
    assert said("Fetching image failed because its server did not answer.") == message


async def test_plain_http_on_a_tls_url(inside: Egress, origin: str, tmp_path: Path) -> None:
    message = await refusal(inside, origin.replace("http:", "https:"), tmp_path / "input")
    assert said("Fetching image failed because its server has no valid TLS.") == message


async def test_a_sink_that_cannot_be_written_is_our_fault(
    inside: Egress, origin: str, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await fetch(inside, origin + "/png", tmp_path / "absent" / "input")


# -- nothing inside is dialled ------------------------------------------------------------------

HOSTILE = tomllib.loads(Path(__file__).with_name("hostile_urls.toml").read_text())
HOSTILE["not_plain"] += [
    "http://-/\ud800",
    "http://\ud800/",
    "http://" + "a" * 300 + ".example/",
    "http://example.com/" + "a" * 8200,
]


def test_the_table_is_large() -> None:
    assert len({url for urls in HOSTILE.values() for url in urls}) >= 130


@pytest.mark.parametrize("url", [url for urls in HOSTILE.values() for url in urls], ids=ascii)
async def test_a_hostile_url(url: str, tmp_path: Path, dialled: list[Any]) -> None:
    async with Egress(lookup=Names(["127.0.0.1"])) as egress:
        message = await refusal(egress, url, tmp_path / "input")
    assert dialled == []
    # Neither what it resolves to nor which rule refused it is told.
    assert re.fullmatch(
        r"Image URL could not be fetched: Fetching image failed because "
        r"(the address is not public|the URL is not a plain one: .* a public host)\.",
        message,
    )


@pytest.mark.parametrize("url", HOSTILE["addresses"], ids=ascii)
async def test_a_redirect_to_a_hostile_url(
    url: str, origin: str, tmp_path: Path, dialled: list[Any]
) -> None:
    async with Gate(origin) as egress:
        await refusal(egress, f"http://origin.example/to?url={quote(url)}", tmp_path / "input")
        assert dialled == [egress.listening]


class Gate(Egress):
    """A guarded client that believes one loopback listener to be the public host origin.example."""

    def __init__(self, origin: str) -> None:
        port = int(origin.rpartition(":")[2])
        self.listening = ("127.0.0.1", port)
        self.names = Names(["8.8.8.8"])
        super().__init__(lookup=self.names)
        self._dialler = Detouring(self.listening, self.names)


class Detouring(Dialler):
    """Dials by the rules of ``Egress``, but every socket ends at one listener."""

    def __init__(self, listening: tuple[str, int], names: Names) -> None:
        super().__init__(policy(allow_private=False, any_port=False), names)
        self._listening = listening

    def _checked_socket(self, info: Any) -> socket.socket:
        super()._checked_socket(info).close()
        return Detour(self._listening)


class Detour(socket.socket):
    """A socket that reaches a listener here in place of the public address it is sent to."""

    def __init__(self, listening: tuple[str, int]) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self.listening = listening

    def connect(self, _: Any) -> None:
        super().connect(self.listening)


async def test_a_public_host_works(origin: str, tmp_path: Path, dialled: list[Any]) -> None:
    async with Gate(origin) as egress:
        fetched = await fetch(egress, "http://origin.example/png", tmp_path / "input")
    assert (len(PNG), [egress.listening]) == (fetched.size, dialled)
    assert egress.names.asked == ["origin.example"]


async def test_a_redirect_to_a_name_inside(origin: str, tmp_path: Path, dialled: list[Any]) -> None:
    async with Gate(origin) as egress:
        egress.names.answers = [["8.8.8.8"], ["127.0.0.1"]]
        url = "http://origin.example/to?url=http://inside.example/"
        message = await refusal(egress, url, tmp_path / "input")
    assert said("Fetching image failed because the address is not public.") == message
    assert (egress.names.asked, len(dialled)) == (["origin.example", "inside.example"], 1)


async def test_a_name_that_changes_its_mind_between_hops(
    origin: str, tmp_path: Path, dialled: list[Any]
) -> None:
    async with Gate(origin) as egress:
        egress.names.answers = [["8.8.8.8"], ["169.254.169.254"]]
        await refusal(egress, "http://origin.example/loop", tmp_path / "input")
    assert (egress.names.asked, len(dialled)) == (["origin.example"] * 2, 1)


async def test_the_checked_answer_is_the_one_dialled(tmp_path: Path, dialled: list[Any]) -> None:
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    async with Egress(lookup=names) as egress:
        await refusal(egress, "http://rebind.example/", tmp_path / "input")
        assert (names.asked, dialled) == (["rebind.example"], [("8.8.8.8", 80)])
        await refusal(egress, "http://rebind.example/", tmp_path / "input")
    assert (names.asked, dialled) == (["rebind.example"] * 2, [("8.8.8.8", 80)])


@pytest.mark.parametrize(
    "answers",
    [
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["8.8.8.8"] * 9 + ["10.0.0.1"],
        ["2606:4700::1111", "::1"],
        ["8.8.8.8", "fe80::1%2"],
        ["8.8.8.8", "::ffff:8.8.4.4"],
        ["168.63.129.16"],
        [],
    ],
    ids=str,
)
async def test_answers_that_are_not_all_public(
    answers: list[str], tmp_path: Path, dialled: list[Any]
) -> None:
    async with Egress(lookup=Names(answers)) as egress:
        message = await refusal(egress, "http://mixed.example/", tmp_path / "input")
    assert said("Fetching image failed because the address is not public.") == message
    assert dialled == []


class WithoutTheFirstGate(Egress):
    """A client whose check of the URL's text missed something."""

    def _checked(self, url: str) -> URL:
        return URL(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.1", "[::ffff:127.0.0.1]"])
async def test_the_last_gate_holds_alone(host: str, tmp_path: Path, dialled: list[Any]) -> None:
    async with WithoutTheFirstGate() as egress:
        message = await refusal(egress, f"http://{host}/", tmp_path / "input")
    assert said("Fetching image failed because the address is not public.") == message
    assert dialled == []


async def test_a_name_nobody_knows_sounds_like_a_name_inside(tmp_path: Path) -> None:
    async with Egress(lookup=Names()) as egress:
        message = await refusal(egress, "http://nobody.example/", tmp_path / "input")
    assert said("Fetching image failed because the address is not public.") == message


async def test_a_name_server_that_never_answers(tmp_path: Path) -> None:
    async def stall(host: str, port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    async with Egress(lookup=stall) as egress:
        message = await refusal(
            egress, "http://slow.example/", tmp_path / "input", deadline_seconds=0.2
        )
    assert said("Fetching image took longer than 0.2 s.") == message


async def test_private_is_not_everything(tmp_path: Path, dialled: list[Any]) -> None:
    async with Egress(allow_private=True) as egress:
        for url in ("http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://0.0.0.0/"):
            await refusal(egress, url, tmp_path / "input")
    assert dialled == []
