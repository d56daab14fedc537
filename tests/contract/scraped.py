"""Finds commands, JSON, table rows and programs in the text of a scraped web page.

The pages lost their markup on the way, so blocks end where the next one begins, sometimes on the
same line. Each function here says which mark it goes by.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any
from urllib.parse import urlsplit

import msgspec

# A command ends at a line end outside quotes, or where a JSON answer was glued to it.
_CURL = re.compile(r"""^curl (?:'[^']*'|"(?:\\.|[^"\\])*"|\\\n|[^'"\\\n{])*""", re.M | re.S)
_GLUED_CONTINUATION = re.compile(r"(?<=\S)\\\n")
_JSON_START = re.compile(r"(?<![^\n}])[{\[]")
_PROGRAM = re.compile(r"^const (?:BASE_URL|baseURL) .*?(?=^\d+\. |\Z)", re.M | re.S)

_FLAGS_WITH_VALUE = {
    "-X": "method",
    "--request": "method",
    "--url": "url",
    "-d": "body",
    "--data": "body",
    "--data-raw": "body",
    "-o": "saves",
}


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one example of a document asks for.

    ``path`` is the URL without its host, or the shell variable that stands for a whole URL.
    ``authorized`` says whether it sends a key, ``saves`` is the file the answer goes to.
    """

    name: str
    method: str
    path: str
    authorized: bool = False
    headers: dict[str, str] = {}
    body: dict[str, Any] | None = None
    saves: str = ""


def search(pattern: str, text: str) -> re.Match[str]:
    """The first match of ``pattern``. Raises ``ValueError`` when the document changed its words."""
    match = re.search(pattern, text, re.M)
    if match is None:
        raise ValueError(f"the document no longer says {pattern!r}: read it again")
    return match


def commands(text: str) -> list[str]:
    """Every curl command, in order, ready for a shell.

    A backslash that lost the space before it would glue two arguments together: it gets it back.
    """
    return [_GLUED_CONTINUATION.sub(r" \\\n", match[0]) for match in _CURL.finditer(text)]


def read_curl(name: str, command: str) -> Request:
    """What one curl command asks for. The credential is left out, only its presence is kept."""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    said: dict[str, str] = {}
    headers: dict[str, str] = {}
    for word in words:
        if word in ("-H", "--header"):
            key, _, value = next(words).partition(":")
            headers[key] = value.strip()
        elif word in _FLAGS_WITH_VALUE:
            said[_FLAGS_WITH_VALUE[word]] = next(words)
        elif not word.startswith("-"):
            said["url"] = word
    return Request(
        name=name,
        method=said.get("method", "POST" if "body" in said else "GET"),
        path=urlsplit(said["url"]).path,
        authorized=headers.pop("Authorization", None) is not None,
        headers=headers,
        body=json.loads(said["body"]) if "body" in said else None,
        saves=said.get("saves", ""),
    )


def json_blocks(text: str) -> list[Any]:
    """Every JSON object or list that begins a line or follows another one; not the commands'."""
    text = _CURL.sub("\n", text)
    decoder = json.JSONDecoder()
    blocks, end = [], 0
    for match in _JSON_START.finditer(text):
        if match.start() < end:
            continue
        try:
            block, end = decoder.raw_decode(text, match.start())
        except json.JSONDecodeError:
            continue  # a brace of a program
        blocks.append(block)
    return blocks


def rows(text: str) -> list[list[str]]:
    """Every table row as its cells, rulers left out."""
    return [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in text.splitlines()
        if " | " in line
    ]


def program(text: str) -> str:
    """The page's JavaScript: from its base URL to the next numbered heading."""
    match = _PROGRAM.search(text)
    if match is None:
        raise ValueError("the document has no program")
    return match[0].rstrip() + "\n"
