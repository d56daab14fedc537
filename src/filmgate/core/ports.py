"""The interfaces between the use cases and the world, each with the errors it may raise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from filmgate.core.catalog import Model
from filmgate.core.channel import Channel
from filmgate.core.ledger import Entry
from filmgate.core.media import Kind
from filmgate.core.task import Asset, Failure, Status, Task
from filmgate.core.upstream import Clip, Upstream
from filmgate.core.video import Media, VideoRequest


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as stored: never the secret, only its digest. ``models`` of ``()`` means all."""

    id: str
    customer_id: str
    digest: bytes
    hint: str
    models: tuple[str, ...] = ()
    disabled: bool = False
    created_at: float = 0.0


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try to hand a task (or a part of it) to a channel, and what came of it."""

    channel: str
    outcome: Literal["submitted", "refused", "busy", "credentials", "unreachable", "unknown"]
    detail: str = ""
    at: float = 0.0


class Stored(msgspec.Struct, frozen=True):
    """A stored file: size in bytes, last modification in unix seconds.

    ``sha256`` (hex) is always known right after a put. Later it is known where the store keeps
    attributes (clouds, memory) and ``None`` on a disk, so who needs it keeps it with the asset.
    """

    key: str
    size: int
    last_modified: int
    sha256: str | None


class Tasks(Protocol):
    """The task rows. Every method is one transaction; guarded moves say whether they happened."""

    async def create(self, task: Task, entry: Entry) -> None:
        """Insert the task, post its hold and enqueue its durable job, all or nothing.

        Raises ``InsufficientBalance`` and ``Unavailable``.
        """

    async def get(self, task_id: str) -> Task | None:
        """One task, whoever owns it."""

    async def states(self, task_ids: Iterable[str]) -> list[tuple[str, Status, int]]:
        """(id, status, progress) of those of the tasks that exist; cheap however large they are."""

    async def many(self, task_ids: Iterable[str]) -> list[Task]:
        """Those of the tasks that exist."""

    async def move(
        self,
        task_id: str,
        to: Status,
        *,
        channel: str | None = None,
        upstream_id: str | None = None,
        part: int | None = None,
        cost: int | None = None,
        attempt: Attempt | None = None,
    ) -> bool:
        """Move to a status that is not final, if ``MOVES`` allows it from where the task is.

        What is ``None`` stays as it is. ``attempt`` is written to the task's history in the same
        transaction.
        """

    async def finish(
        self,
        task_id: str,
        to: Status,
        entry: Entry,
        *,
        only_from: Status | None = None,
        asset: Asset | None = None,
        failure: Failure | None = None,
        moderated: bool = False,
        charged: int = 0,
        cost: int | None = None,
        answer: dict[str, Any] | None = None,
        flagged: str = "",
    ) -> bool:
        """Move to a final status and settle the hold in one transaction; only one caller wins.

        ``only_from`` narrows where the task may come from, for who must not overtake another step.
        """

    async def hide(self, task_id: str) -> None:
        """The owner has deleted the ended task: it is kept for the books, and found no more."""

    async def request_cancel(self, task_id: str) -> None:
        """Leave a note for whoever drives the task."""

    async def cancel_requests(self) -> set[str]:
        """Ids of unfinished tasks that their owners want cancelled."""

    async def note_progress(self, progress: Mapping[str, int]) -> None:
        """Raise the progress of tasks still in progress; it never goes down."""


class Channels(Protocol):
    """The channels as rows; credentials and headers are encrypted at rest."""

    async def all(self) -> list[Channel]:
        """Every channel, by priority and name."""

    async def put(self, channel: Channel) -> None:
        """Insert or replace a channel. Raises ``InvalidRequest`` when its name is taken."""

    async def remove(self, channel_id: str) -> None:
        """Delete a channel. Raises ``InvalidRequest`` while unfinished tasks are at it."""

    async def set_trouble(self, channel_id: str, trouble: str) -> None:
        """Take a channel out of routing with a reason, or back in with ``""``."""


class Models(Protocol):
    """The catalogue's rows, in the operator's order."""

    async def all(self) -> list[Model]:
        """Every model; empty before the shipped catalogue was stored."""

    async def replace(self, catalogue: Iterable[Model]) -> None:
        """Make these the models on offer."""


class Accounts(Protocol):
    """Customers, their keys and their money."""

    async def key_by_digest(self, digest: bytes) -> Key | None:
        """The key with that digest, disabled ones too."""

    async def open(self, name: str) -> str:
        """The id of the customer of that name, made if there is none."""

    async def add_key(self, key: Key) -> None:
        """Store a key."""

    async def post(self, entry: Entry) -> bool:
        """Post an entry once; ``False`` when its reference is already there."""

    async def balance(self, customer_id: str) -> int:
        """Micro-dollars that the customer may still spend."""

    async def any_customer(self) -> bool:
        """Whether anyone was ever registered here."""


class Objects(Protocol):
    """The object store: whole objects only, never a half-written one."""

    async def put_file(self, key: str, path: Path, *, content_type: str) -> Stored:
        """Store a local file under ``key``, replacing what was there."""

    async def put_bytes(self, key: str, data: bytes, *, content_type: str) -> Stored:
        """Store bytes under ``key``."""

    async def head(self, key: str) -> Stored | None:
        """Facts about an object, or ``None``."""

    def stream(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """``length`` bytes from ``start``, in chunks."""

    async def fetch_to(self, key: str, path: Path) -> None:
        """Copy an object to a local file."""

    async def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""

    def local_path(self, key: str) -> Path | None:
        """Where the object is a file of this machine, else ``None``."""


class Fetcher(Protocol):
    """Fetches what customers point at, and nothing inside the operator's network."""

    async def fetch(
        self,
        url: str,
        *,
        limit_bytes: int,
        kinds: Collection[Kind],
        deadline_seconds: float,
        sink: Path,
    ) -> object:
        """Fetch ``url`` into the file ``sink``. Raises ``InputUnfetchable``."""


class InputFiles(Protocol):
    """Brings a request's media to local files, wherever they are."""

    async def bring(self, media: Media, kind: Kind, path: Path) -> None:
        """Write the image or clip to ``path``. Raises ``InputUnfetchable``."""


class Joiner(Protocol):
    """Cuts and joins clips in a confined process; raises ``TaskFailed`` when it cannot."""

    async def seconds(self, clip: Path) -> float:
        """How long a clip lasts."""

    async def tail(self, clip: Path, seconds: float, target: Path) -> None:
        """Write the clip's last ``seconds`` to ``target``."""

    async def join(self, pieces: Sequence[tuple[Path, float]], target: Path) -> Clip:
        """Write one clip of all pieces, each without its first so many seconds."""


class Provider(Protocol):
    """Makes videos: the sandbox, or an upstream reached over a channel."""

    async def submit(self, task: Task, request: VideoRequest) -> str:
        """Hand a job over, once; returns the upstream's id for it.

        ``request`` is the task's own, or the part of a long one that is due, with our model name.
        Raises ``NotSubmitted`` or a subclass (may be sent again, here or elsewhere),
        ``SubmitUnknown`` (must not), ``TaskFailed``, ``Inexpressible``.
        """

    async def find(self, task: Task) -> str:
        """The upstream's id of a job whose submission was cut short.

        Raises ``NotSubmitted`` (surely not there), ``SubmitUnknown`` (cannot tell),
        ``StillRunning`` (ask again later).
        """

    async def poll(self, task: Task) -> Upstream:
        """How the job is doing.

        Raises ``StillRunning`` when it cannot be asked just now, ``CredentialsRefused`` when our
        key is no longer good, ``SubmitUnknown`` when it has been lost sight of for good.
        """

    async def fetch(self, task: Task, done: Upstream, folder: Path) -> Clip:
        """Bring the finished clip to a local file in ``folder``, whole.

        Raises ``StillRunning`` to be polled again (for a fresh link), ``TaskFailed``.
        """

    async def cancel(self, task: Task) -> None:
        """Stop the job as far as that is possible; never raises."""

    async def forget(self, task: Task) -> None:
        """Drop local leftovers of a task that has ended; never raises."""
