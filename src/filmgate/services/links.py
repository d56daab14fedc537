"""Signed links to our files: they open without a key, expire, and cannot be guessed or altered."""

from __future__ import annotations

import base64
import hmac
import time
from urllib.parse import parse_qs, urlsplit

from filmgate.core.ids import as_task, as_uuid, as_video, read_task_id

# xAI keeps results for 24 hours (document 002), relays for about one (003, section 8).
LIFETIME_SECONDS = 24 * 3600
# Links made within the same hour are equal, so that players and caches see one address.
_STEP_SECONDS = 3600
# Where uploads are stored; in a link the key's first word would only be said twice.
_INPUTS = "inputs/"
_SPELLING = {"openai": as_video, "xai": as_uuid}


class Links:
    """Makes and checks links on one public URL: of results for callers, of inputs for upstreams.

    An input is named by its object-store key; all of them are shown below ``/v1/inputs/``.
    """

    def __init__(self, secret: bytes, public_url: str) -> None:
        self._secret = secret
        self._public_url = public_url.rstrip("/")

    def make(self, task_id: str, dialect: str = "newapi", now: float | None = None) -> str:
        """A link to the task's MP4, good for at least ``LIFETIME_SECONDS``."""
        spelling = _SPELLING.get(dialect, as_task)(task_id)
        query = self._query("content", task_id, now)
        return f"{self._public_url}/v1/videos/{spelling}/content?{query}"

    def make_input(self, key: str, now: float | None = None) -> str:
        """A link to a stored file that an upstream shall fetch, good for as long."""
        name = key.removeprefix(_INPUTS)
        return f"{self._public_url}/v1/inputs/{name}?{self._query('input', key, now)}"

    def check(self, task_id: str, expires: str, signature: str) -> bool:
        """Whether a result link's query is one we made and has not expired."""
        return self._valid("content", task_id, expires, signature)

    def input_of(self, name: str, expires: str, signature: str) -> str | None:
        """The key of the file that a valid input link names, else ``None``."""
        key = name if "/" in name else f"{_INPUTS}{name}"
        return key if self._valid("input", key, expires, signature) else None

    def task_of(self, url: str) -> str | None:
        """The task behind one of our own valid links, else ``None``: no need to fetch ourselves."""
        if not url.startswith(f"{self._public_url}/v1/videos/"):
            return None
        parts = urlsplit(url)
        spelling, _, tail = parts.path.rpartition("/v1/videos/")[2].partition("/")
        task_id = read_task_id(spelling)
        if task_id is None or tail != "content":
            return None
        query = parse_qs(parts.query)
        expires, signature = query.get("expires", [""])[0], query.get("signature", [""])[0]
        return task_id if self.check(task_id, expires, signature) else None

    def _query(self, what: str, name: str, now: float | None) -> str:
        moment = time.time() if now is None else now
        expires = (int(moment + LIFETIME_SECONDS) // _STEP_SECONDS + 1) * _STEP_SECONDS
        return f"expires={expires}&signature={self._sign(what, name, expires)}"

    def _valid(self, what: str, name: str, expires: str, signature: str) -> bool:
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
            return False
        expected = self._sign(what, name, int(expires)).encode()
        good = hmac.compare_digest(expected, signature.encode())
        return good and time.time() < int(expires)

    def _sign(self, what: str, name: str, expires: int) -> str:
        # No two kinds of link share a message, so none opens what another was made for.
        message = f"{what}:{name}:{expires}".encode()
        digest = hmac.digest(self._secret, message, "sha256")
        return base64.urlsafe_b64encode(digest[:18]).decode()
