"""What the five documents promise: their payloads as data, their commands and programs to run.

Payloads come from ``data/*.json`` (made by ``extract.py``) and are always there. Commands and
programs are read out of the documents themselves, which live beside the repository or where
``FILMGATE_SEEDS`` says.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import msgspec
import pytest

from tests.contract import scraped
from tests.contract.scraped import Request

DOCUMENTS = ("000", "001", "002", "003", "004")
DIALECT = {"000": "chat", "001": "xai", "002": "xai", "003": "newapi", "004": "newapi"}
DATA = Path(__file__).parent / "data"
_BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared" / "seeds"

_KEY = re.compile(r"Bearer (?:<\w+>|YOUR_API_KEY|)(?=['\"])")
_HOST = re.compile(r"https://[\w.-]+(?=/(?:grok/)?v1\b)")
_MEDIA = re.compile(r"https://(?:[\w.-]+/)*(?=[\w-]+\.(?:png|mp4)\b)")
_TASK = re.compile(r"\{request_id\}|task_x{32}")
_BASE_URL = re.compile(r"(?<= = ['\"])https://[\w.-]+")


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """A JSON body that a document shows, and its HTTP status where the document says one."""

    name: str
    body: dict[str, Any]
    status: int | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One document's payloads, in its order.

    ``curls`` are its commands, ``requests`` the bodies it shows outside a command. ``frames`` are
    a stream's ``data:`` payloads, ``raw`` is a body that is not JSON, ``rules`` are limits and
    words as values.
    """

    curls: tuple[Request, ...] = ()
    requests: tuple[Request, ...] = ()
    answers: tuple[Sample, ...] = ()
    frames: tuple[dict[str, Any] | str, ...] = ()
    raw: str = ""
    rules: dict[str, Any] = {}


class Address(NamedTuple):
    """Where a gateway and a host of sample media run, by base URL without ``/v1``, and a key.

    The media host knows every path that ends in ``.png`` or ``.mp4``, and no other.
    """

    base_url: str
    key: str
    media_url: str


@functools.cache
def document(number: str) -> Document:
    """The payloads of document ``number`` (``"003"``)."""
    return msgspec.json.decode((DATA / f"{number}.json").read_bytes(), type=Document)


def curls(number: str) -> dict[str, Request]:
    """The document's curl examples by name."""
    return {curl.name: curl for curl in document(number).curls}


def creates(number: str) -> dict[str, Request]:
    """Every create request the document shows, by name: as a command or as a body on its own."""
    shown = (*document(number).curls, *document(number).requests)
    return {request.name: request for request in shown if request.body is not None}


def answers(number: str) -> dict[str, dict[str, Any]]:
    """The JSON answers the document shows, by name."""
    return {sample.name: sample.body for sample in document(number).answers}


def rules(number: str) -> dict[str, Any]:
    """The document's limits, lists and error texts as values."""
    return document(number).rules


def seeds() -> Path | None:
    """The folder with the documents, or ``None`` in a clone that stands alone."""
    folder = Path(os.environ.get("FILMGATE_SEEDS", _BESIDE_THE_REPOSITORY))
    return folder if folder.is_dir() else None


def absent(reason: str) -> NoReturn:
    """Give up a test for want of something: skipped on a desk, failed in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def required_seeds() -> Path:
    """The folder with the documents; without it the test is given up."""
    return seeds() or absent(
        "the documents are not here: put them in ../shared/seeds or set FILMGATE_SEEDS"
    )


def text(number: str, folder: Path) -> str:
    """The document as it was scraped."""
    (path,) = folder.glob(f"{number}_*.txt")
    return path.read_text(encoding="utf-8")


def program(number: str, address: Address) -> str:
    """The document's JavaScript with only its base URL and its written key replaced.

    Document 003's program takes its key from ``NEWAPI_API_KEY`` instead.
    """
    source = scraped.program(text(number, required_seeds()))
    return _BASE_URL.sub(address.base_url, source).replace("YOUR_API_KEY", address.key)


def curl_command(number: str, name: str, address: Address, task_id: str = "") -> str:
    """One example as a shell command: the document's own words, but for hosts, key and ids.

    ``$result_url`` is left for the shell's environment. A body shown without a command, and every
    example in a clone without the documents, is written as a command here; in CI they must be here.
    """
    folder = required_seeds() if os.environ.get("CI") else seeds()
    names = list(curls(number))
    if folder is not None and name in names:
        command = scraped.commands(text(number, folder))[names.index(name)]
    else:
        command = _written((curls(number) | creates(number))[name])
    command = _KEY.sub(f"Bearer {address.key}", command)
    command = _HOST.sub(address.base_url, command)
    command = _MEDIA.sub(f"{address.media_url}/", command)
    return _TASK.sub(task_id, command) if task_id else command


def _written(request: Request) -> str:
    """A request as a command, with placeholders where a document's own command has them."""
    headers = dict(request.headers)
    if request.authorized:
        headers["Authorization"] = "Bearer YOUR_API_KEY"
    words = ["curl", "-L", "-X", request.method]
    for key, value in headers.items():
        words += ["-H", f"{key}: {value}"]
    if request.body is not None:
        words += ["-d", msgspec.json.encode(request.body).decode()]
    if request.saves:
        words += ["-o", request.saves]
    variable = request.path.startswith("$")
    url = f'"{request.path}"' if variable else shlex.quote(f"https://gateway{request.path}")
    return f"{shlex.join(words)} {url}"
