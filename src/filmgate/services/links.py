"""Result links: they open without a key, expire, and cannot be guessed or altered."""

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
_SPELLING = {"openai": as_video, "xai": as_uuid}


class Links:
    """Makes and checks the links of finished tasks on one public base URL."""

    def __init__(self, secret: bytes, public_url: str) -> None:
        self._secret = secret
        self._public_url = public_url.rstrip("/")

    def make(self, task_id: str, dialect: str = "newapi", now: float | None = None) -> str:
        """A link to the task's MP4, good for at least ``LIFETIME_SECONDS``."""
        moment = time.time() if now is None else now
        expires = (int(moment + LIFETIME_SECONDS) // _STEP_SECONDS + 1) * _STEP_SECONDS
        spelling = _SPELLING.get(dialect, as_task)(task_id)
        signature = self._sign(task_id, expires)
        return (
            f"{self._public_url}/v1/videos/{spelling}/content"
            f"?expires={expires}&signature={signature}"
        )

    def check(self, task_id: str, expires: str, signature: str) -> bool:
        """Whether a link's query is one we made and has not expired."""
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
            return False
        expected = self._sign(task_id, int(expires)).encode()
        good = hmac.compare_digest(expected, signature.encode())
        return good and time.time() < int(expires)

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

    def _sign(self, task_id: str, expires: int) -> str:
        message = f"content:{task_id}:{expires}".encode()
        digest = hmac.digest(self._secret, message, "sha256")
        return base64.urlsafe_b64encode(digest[:18]).decode()
