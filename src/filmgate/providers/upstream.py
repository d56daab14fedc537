"""An upstream that is asked for a video and then polled, in whichever dialect it speaks."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from filmgate.core.catalog import Catalog
from filmgate.core.channel import Channel
from filmgate.core.errors import (
    CredentialsRefused,
    FilmgateError,
    Inexpressible,
    InvalidRequest,
    NotSubmitted,
    RequestRefused,
    SendAgainHere,
    StillRunning,
    SubmitUnknown,
    UnknownModel,
)
from filmgate.core.task import FAILURE_CODES, Failure, FailureCode, Task
from filmgate.core.upstream import Clip, Upstream
from filmgate.core.video import VideoRequest
from filmgate.dialects import answers
from filmgate.dialects.base import Dialect, Outbound
from filmgate.providers.download import Downloads
from filmgate.providers.outbound import Answer, NoAnswer, NotSent, Wire

Offer = Callable[[VideoRequest, Channel], Awaitable[VideoRequest]]
"""The request with its stored files as URLs or ``data:`` URLs that the channel can take."""

POLL_SECONDS = 30.0
TROUBLE_SECONDS = 2.0
BUSY_SECONDS = 2.0

_log = structlog.get_logger()
_KEY_REFUSED = {401, 402, 403}
_VERDICTS = {400, 404, 410}
# The rest of 3xx may answer a request that was acted on.
_MOVED = {301, 307, 308}
_CANCEL_PATHS = {"openai": "/v1/videos/{id}"}


class UpstreamProvider:
    """Implements ``core.ports.Provider`` for one channel whose dialect has a status poll.

    It keeps nothing that a restart would miss. ``models`` is the catalogue in force.
    """

    def __init__(
        self,
        channel: Channel,
        dialect: Dialect,
        wire: Wire,
        downloads: Downloads,
        *,
        offer: Offer,
        models: Catalog,
    ) -> None:
        self._channel = channel
        self._dialect = dialect
        self._wire = wire
        self._downloads = downloads
        self._offer = offer
        self._models = models
        self._taken_by: dict[str, str] = {}

    async def submit(self, task: Task, request: VideoRequest) -> str:
        channel = self._channel
        outbound = await written(request, channel, self._dialect, self._offer, self._models)
        refusal: NotSubmitted | None = None
        for credential in in_turn(channel, task):
            try:
                async with self._wire.submit(
                    channel,
                    outbound,
                    credential=credential,
                    idempotency_key=idempotency_key(task),
                    deadline=channel.submit_deadline,
                ) as incoming:
                    answer = await incoming.read()
                upstream_id = self._created(answer)
            except CredentialsRefused as error:
                refusal = error
                continue
            except (NotSent, NoAnswer, SubmitUnknown) as error:
                raise undone(channel, error) from None
            self._taken_by[task.id] = credential
            return upstream_id
        raise refusal or CredentialsRefused(f"{channel.name} has no credential")

    def _created(self, answer: Answer) -> str:
        if not answer.ok:
            raise refused(self._channel, self._dialect, answer)
        return self._dialect.decode_created(answer.body)

    async def find(self, task: Task) -> str:
        raise undone(self._channel, NoAnswer("an interrupted submission cannot be looked up"))

    async def poll(self, task: Task) -> Upstream:
        """The dialect's reading of the answer, with its ``body`` for callers of the same dialect.

        With several credentials in rotation a job is known to one of them only, so that what the
        others say of it is not believed.
        """
        answer = await self._asked(task, self._dialect.encode_poll(task.upstream_id))
        state = self._dialect.decode_task(answer.status, answer.body)
        if state.url.startswith("/"):
            state = msgspec.structs.replace(state, url=_own_path(state.url, answer.body, task))
        if isinstance(answer.body, dict):
            state = msgspec.structs.replace(state, body=answer.body)
        return state

    async def _asked(self, task: Task, outbound: Outbound) -> Answer:
        """The answer that counts: the first that is neither trouble nor a refusal of a key."""
        channel, verdict, refusal = self._channel, None, ""
        for credential in self._keys(task):
            try:
                answer = await self._wire.call(
                    channel, outbound, credential=credential, deadline=POLL_SECONDS
                )
            except (NotSent, NoAnswer) as error:
                raise StillRunning(f"{channel.name}: {error}", TROUBLE_SECONDS) from None
            if answer.status in _KEY_REFUSED:
                refusal = refusal or f"{channel.name} refused our key (HTTP {answer.status})"
            elif answer.status in _VERDICTS:
                verdict = answer
                if answer.status == 400:
                    break
            elif answer.status == 202 or (answer.ok and isinstance(answer.body, dict | list)):
                self._taken_by[task.id] = credential
                return answer
            else:
                wait = max(TROUBLE_SECONDS, answers.retry_after(answer.headers))
                raise StillRunning(f"{channel.name} answered HTTP {answer.status}", wait)
        if verdict and (verdict.status == 400 or not refusal):
            return verdict
        # Whose job it is cannot be told while one of the keys is refused.
        raise CredentialsRefused(refusal or f"{channel.name} has no credential")

    async def fetch(self, task: Task, done: Upstream, folder: Path) -> Clip:
        credential = next(iter(self._keys(task)))
        return await self._downloads.clip(task, self._channel, done, folder, credential=credential)

    async def cancel(self, task: Task) -> None:
        path = _CANCEL_PATHS.get(self._dialect.name, "").format(id=task.upstream_id)
        if not path or not task.upstream_id:
            return
        outbound = Outbound(method="DELETE", path=path)
        for credential in self._keys(task):
            try:
                answer = await self._wire.call(
                    self._channel, outbound, credential=credential, deadline=POLL_SECONDS
                )
            except (NotSent, NoAnswer) as error:
                _log.warning("upstream.not_cancelled", task=task.id, why=str(error))
                return
            if answer.ok:
                return

    async def forget(self, task: Task) -> None:
        self._taken_by.pop(task.id, None)
        self._downloads.forget(task)

    def _keys(self, task: Task) -> list[str]:
        """The channel's credentials, the one that is known to have taken the job first."""
        known = self._taken_by.get(task.id)
        return sorted(in_turn(self._channel, task), key=lambda credential: credential != known)


async def written(
    request: VideoRequest, channel: Channel, dialect: Dialect, offer: Offer, models: Catalog
) -> Outbound:
    """The create for a channel, under its own model name.

    Raises ``Inexpressible`` and whatever ``offer`` does.
    """
    try:
        theirs = channel.theirs(models[request.model])
    except UnknownModel:
        theirs = None
    if theirs is None:
        raise Inexpressible(dialect.name, "model")
    offered = await offer(request, channel)
    return dialect.encode_request(msgspec.structs.replace(offered, model=theirs))


def in_turn(channel: Channel, task: Task) -> list[str]:
    """The channel's credentials in this task's own order; one empty one where it has none.

    The order spreads tasks evenly, is the same after a restart, and a credential more or less
    changes it for no other (rendezvous hashing).
    """

    def rank(credential: str) -> bytes:
        return hashlib.sha256(f"{task.id} {credential}".encode()).digest()

    return sorted(channel.credentials, key=rank) or [""]


def idempotency_key(task: Task) -> str:
    """One key for each submission that may be bought: a task's part, each time it is tried anew.

    What was bought before (``upstream_id``) tells a new try from the same one sent again.
    """
    if not task.upstream_id:
        return f"{task.id}-{task.part}"
    before = hashlib.sha256(task.upstream_id.encode()).hexdigest()[:8]
    return f"{task.id}-{task.part}-{before}"


def undone(channel: Channel, error: Exception) -> FilmgateError:
    """What a submission without a proper answer means: not sent, or perhaps bought.

    A channel that honours ``Idempotency-Key`` may be sent the same again in either case.
    """
    if isinstance(error, NotSent):
        return NotSubmitted(f"{channel.name} was not reached: {error}")
    if channel.resubmit_safe:
        return SendAgainHere(f"{channel.name} gave no answer and will be asked again: {error}")
    return SubmitUnknown(f"{channel.name} may have taken the job: {error}")


def refused(channel: Channel, dialect: Dialect, answer: Answer) -> FilmgateError:
    """Why a submit was answered with anything but a 2xx (contracts, section 9)."""
    status = answer.status
    _log.info(
        "upstream.refused",
        channel=channel.name,
        status=status,
        said=answers.error_text(answer.body),
    )
    if status in _KEY_REFUSED:
        return CredentialsRefused(
            f"{channel.name} refused our key (HTTP {status}); check its credentials and balance"
        )
    if status == 407:
        return NotSubmitted(f"{channel.name} was not reached: its proxy wants another password")
    if status in _MOVED:
        return NotSubmitted(
            f"{channel.name} redirects (HTTP {status}); set its base_url to where it leads"
        )
    if status == 429:
        wait = max(BUSY_SECONDS, answers.retry_after(answer.headers))
        return NotSubmitted(f"{channel.name} is busy (HTTP 429)", retry_after=wait)
    # 409 is how an API says that the same key is being worked on.
    if not 400 <= status < 500 or status in {408, 409}:
        return SubmitUnknown(f"HTTP {status}")
    error = dialect.decode_error(status, answer.body, answer.headers)
    if not isinstance(error, InvalidRequest):
        return RequestRefused(Failure(code="service_unavailable", message=error.message))
    code: FailureCode = "invalid_argument"
    code = next((known for known in FAILURE_CODES if known == error.code), code)
    return RequestRefused(Failure(code=code, message=error.message))


def _own_path(path: str, body: Any, task: Task) -> str:
    """A clip's path below the base URL, for our job: an answer may name it by another id."""
    try:
        named = answers.read_id(body)
    except SubmitUnknown:
        return path
    return path.replace(f"/{named}/", f"/{task.upstream_id}/")
