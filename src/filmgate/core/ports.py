"""The interfaces between the use cases and the world, each with the errors it may raise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from filmgate.core.ledger import Entry
from filmgate.core.media import Kind
from filmgate.core.task import Asset, Failure, Status, Task
from filmgate.core.upstream import Clip, Upstream
from filmgate.core.video import Media


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as stored: never the secret, only its digest. ``models`` of ``()`` means all."""

    id: str
    customer_id: str
    digest: bytes
    hint: str
    models: tuple[str, ...] = ()
    disabled: bool = False
    created_at: float = 0.0


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

    async def many(self, task_ids: Iterable[str]) -> list[Task]:
        """Those of the tasks that exist."""

    async def move(
        self, task_id: str, to: Status, *, provider: str = "", upstream_id: str = ""
    ) -> bool:
        """Move to a status that is not final, if ``MOVES`` allows it from where the task is."""

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
        flagged: str = "",
    ) -> bool:
        """Move to a final status and settle the hold in one transaction; only one caller wins.

        ``only_from`` narrows where the task may come from, for who must not overtake another step.
        """

    async def request_cancel(self, task_id: str) -> None:
        """Leave a note for whoever drives the task."""

    async def cancel_requests(self) -> set[str]:
        """Ids of unfinished tasks that their owners want cancelled."""

    async def note_progress(self, progress: Mapping[str, int]) -> None:
        """Raise the progress of tasks still in progress; it never goes down."""


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


class Provider(Protocol):
    """Makes videos: the sandbox, or an upstream reached over a channel."""

    @property
    def name(self) -> str:
        """Stored on tasks, so it never changes."""

    @property
    def submit_deadline(self) -> float:
        """Seconds after which a submission counts as unknown."""

    @property
    def poll_seconds(self) -> float:
        """Seconds between polls."""

    async def submit(self, task: Task) -> str:
        """Hand the job over, once; returns the upstream's id for it.

        Raises ``NotSubmitted`` (may be sent again), ``SubmitUnknown`` (must not), ``TaskFailed``.
        """

    async def find(self, task: Task) -> str:
        """The upstream's id of a job whose submission was cut short.

        Raises ``NotSubmitted`` (surely not there), ``SubmitUnknown`` (cannot tell),
        ``StillRunning`` (ask again later).
        """

    async def poll(self, task: Task) -> Upstream:
        """How the job is doing. Raises ``StillRunning`` when it cannot be asked just now."""

    async def fetch(self, task: Task, done: Upstream) -> Clip:
        """Bring the finished clip to a local file. Raises ``StillRunning`` to be polled again."""

    async def cancel(self, task: Task) -> None:
        """Stop the job as far as that is possible; never raises."""

    async def forget(self, task: Task) -> None:
        """Drop local leftovers of a task that has ended; never raises."""
