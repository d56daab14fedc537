"""A small client for any filmgate (or xAI's own REST API): create, follow, download."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

_POLL_SECONDS = 1.0
_CHUNK = 1 << 20
# A status poll that fails says nothing about the video: keep asking for a while.
_PATIENCE = 30


class ClientError(Exception):
    """The server said no, or the video failed; the message is for the person at the terminal."""


class Client:
    """Speaks xAI's dialect to ``base_url`` with ``key``. Use as an async context manager."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base = base_url.rstrip("/").removesuffix("/v1")
        self._headers = {"Authorization": f"Bearer {key}"}

    async def __aenter__(self) -> Client:
        self._session = aiohttp.ClientSession(headers=self._headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def create(self, path: str, body: dict[str, Any]) -> str:
        """Start a video at ``generations``, ``edits`` or ``extensions``; returns its id.

        Raises ``ClientError`` with the server's own words.
        """
        try:
            async with self._session.post(f"{self._base}/v1/videos/{path}", json=body) as response:
                answer = await _json(response)
                if response.status != 200:
                    raise ClientError(_reason(answer, response.status))
        except aiohttp.ClientError as error:
            raise ClientError(f"Cannot reach {self._base}: {error}") from error
        return str(answer["request_id"])

    async def follow(self, request_id: str, progress: Callable[[int], None]) -> str:
        """Poll until the video is done; returns its URL. Raises ``ClientError`` if it fails."""
        trouble = 0
        while True:
            answer: dict[str, Any] = {}
            try:
                url = f"{self._base}/v1/videos/{request_id}"
                async with self._session.get(url) as response:
                    if response.status < 300:
                        answer = await _json(response)
                    elif response.status < 500 and response.status != 429:
                        raise ClientError(_reason(await _json(response), response.status))
            except aiohttp.ClientError:
                pass
            trouble = 0 if answer else trouble + 1
            if trouble > _PATIENCE:
                raise ClientError(f"{self._base} no longer answers; the video is {request_id}.")
            match answer.get("status"):
                case "done":
                    progress(100)
                    if link := str(answer["video"]["url"]):
                        return link
                    raise ClientError("The result was withheld by a content check.")
                case "failed" | "expired":
                    raise ClientError(_reason(answer, 200))
            progress(int(answer.get("progress") or 0))
            await asyncio.sleep(_POLL_SECONDS)

    async def download(self, url: str, path: Path) -> int:
        """Save the MP4 to ``path``, whole or not at all; returns its size in bytes."""
        part = path.with_name(path.name + ".part")
        async with self._session.get(url) as response:
            if response.status != 200:
                raise ClientError(f"Download failed with HTTP {response.status}: {url}")
            size = 0
            with part.open("wb") as file:
                async for chunk in response.content.iter_chunked(_CHUNK):
                    size += file.write(chunk)
        part.replace(path)
        return size


def as_media(source: str) -> dict[str, str]:
    """A local file as a data URL, anything else as the URL it is. Raises ``ClientError``."""
    if source.startswith(("http://", "https://", "data:")):
        return {"url": source}
    path = Path(source)
    if not path.is_file():
        raise ClientError(f"{source} is neither a file nor a URL.")
    mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {"url": f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"}


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        answer = await response.json(content_type=None)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _reason(answer: dict[str, Any], status: int) -> str:
    error = answer.get("error")
    if isinstance(error, dict):
        return str(error.get("message"))
    return str(error) if error else f"The server answered HTTP {status}."
