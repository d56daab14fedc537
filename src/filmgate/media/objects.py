"""Where finished clips and uploads are kept: one small store over a disk, S3, GCS or Azure.

A file is under its key whole or not at all: whoever reads a key never meets half of it, even when
the writer was killed or the disk was full.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from filmgate.core.errors import ObjectMissing, Unavailable
from filmgate.core.ports import Stored

CHUNK = 1 << 20
"""Bytes per piece of a stream. Smaller pieces cost several times the CPU."""

_CLOUD_SCHEMES = frozenset({"s3", "gs", "az"})
_STAGING = ".staging"
_STALE_SECONDS = 86_400
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,7}}")


class Objects:
    """Files by key. Keys are ours (``clips/0190…/video.mp4``), never a caller's text.

    Every method raises ``ValueError`` for a key outside that alphabet, and ``OSError`` or an
    obstore error when the store itself fails.
    """

    # On a disk two things are done here rather than by obstore 0.12, as measured with strace:
    # - its LocalStore stages beside the target ("name#1") and renames, but calls fsync on neither
    #   the file nor the directory, so a power cut after a put may leave an empty file;
    # - its local stream hops threads every 8 KiB: 3.5 CPU s/GB, against 0.14 for 1 MiB reads here.

    def __init__(self, store: ObjectStore, root: Path | None = None) -> None:
        """``root`` is the directory of a store on a disk, None for any other."""
        self._store = store
        self._root = root

    @classmethod
    def open(cls, url: str) -> Objects:
        """The store at ``url``: a path, ``file:///dir``, ``s3://bucket/prefix``, ``gs://…``,
        ``az://container/prefix`` or ``memory:///``.

        Clouds take their credentials from the environment, by each vendor's usual names.
        Raises ``ValueError`` for another kind of URL.
        """
        scheme = urlsplit(url).scheme
        if scheme in _CLOUD_SCHEMES:
            return cls(from_url(url))
        if scheme == "memory":
            return cls(MemoryStore())
        if scheme not in {"", "file"}:
            raise ValueError(
                f"a store cannot be opened at a {scheme}:// URL; "
                "give a directory or a file://, s3://, gs://, az:// or memory:// URL"
            )
        root = Path(unquote(urlsplit(url).path) if scheme else url).absolute()
        (root / _STAGING).mkdir(parents=True, exist_ok=True)
        _sweep_staging(root)
        return cls(LocalStore(root), root)

    async def put_file(self, key: str, path: Path, *, content_type: str) -> Stored:
        """Store a copy of the file at ``path`` in constant memory; replaces what was there."""
        _check_key(key)
        with _available():
            if self._root is not None:
                return await asyncio.to_thread(_publish_file, self._root, key, path)
            digest = await asyncio.to_thread(_sha256_of, path)
            return await self._upload(key, path, digest, content_type)

    async def put_bytes(self, key: str, data: bytes, *, content_type: str) -> Stored:
        """Store ``data``; replaces what was there."""
        _check_key(key)
        with _available():
            if self._root is not None:
                return await asyncio.to_thread(_publish, self._root, key, io.BytesIO(data))
            digest = hashlib.sha256(data).hexdigest()
            return await self._upload(key, data, digest, content_type)

    async def head(self, key: str) -> Stored | None:
        """What is stored under ``key``, or None."""
        _check_key(key)
        try:
            with _available():
                found = await obstore.get_async(self._store, key, options={"head": True})
        except FileNotFoundError:
            return None
        modified = _seconds(found.meta["last_modified"])
        return Stored(key, found.meta["size"], modified, found.attributes.get("sha256"))

    async def stream(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """``length`` bytes from byte ``start``, in pieces of at most 1 MiB.

        Raises ``ObjectMissing`` when the key is gone or the file ends before the span does.
        """
        _check_key(key)
        if length == 0:
            return
        pieces = (
            self._read_disk(key, start, length) if self._root else self._get(key, start, length)
        )
        sent = 0
        try:
            async for piece in pieces:
                yield piece
                sent += len(piece)
        except FileNotFoundError as missing:
            raise ObjectMissing(key) from missing
        if sent != length:
            raise ObjectMissing(key)

    async def fetch_to(self, key: str, path: Path) -> None:
        """Copy a stored file to ``path``. Raises ``ObjectMissing``; then ``path`` is not left."""
        stored = await self.head(key)
        if stored is None:
            raise ObjectMissing(key)
        file = await asyncio.to_thread(path.open, "wb")
        try:
            async for piece in self.stream(key, 0, stored.size):
                await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(file.close)
        except BaseException:
            file.close()
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise

    def local_path(self, key: str) -> Path | None:
        """Where the file is on this machine; None for a store elsewhere."""
        _check_key(key)
        return None if self._root is None else self._root / key

    async def delete(self, key: str) -> None:
        """Forget ``key``; a key that is not there is no error."""
        _check_key(key)
        with suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def list(self, prefix: str = "") -> AsyncIterator[Stored]:
        """Everything below ``prefix``, which is whole segments (``clips`` or ``clips/0190…``)."""
        if prefix:
            _check_key(prefix)
        async for batch in obstore.list(self._store, prefix or None):
            for meta in batch:
                if _KEY.fullmatch(meta["path"]):  # what is being staged is not stored
                    modified = _seconds(meta["last_modified"])
                    yield Stored(meta["path"], meta["size"], modified, None)

    async def _upload(
        self, key: str, source: Path | bytes, digest: str, content_type: str
    ) -> Stored:
        attributes = {"Content-Type": content_type, "sha256": digest}
        await obstore.put_async(self._store, key, source, attributes=attributes, max_concurrency=2)
        stored = await self.head(key)
        if stored is None:
            raise ObjectMissing(key)
        return Stored(key, stored.size, stored.last_modified, digest)

    async def _get(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        found = await obstore.get_async(
            self._store, key, options={"range": (start, start + length)}
        )
        async for piece in found.stream(min_chunk_size=CHUNK):
            for offset in range(0, len(piece), CHUNK):
                yield piece[offset : offset + CHUNK]

    async def _read_disk(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        assert self._root is not None
        # One open file for the whole stream: a file deleted or replaced meanwhile still ends well.
        file = await asyncio.to_thread(_open_at, self._root / key, start)
        with file:
            while length and (piece := await asyncio.to_thread(file.read, min(CHUNK, length))):
                length -= len(piece)
                yield piece


@contextmanager
def _available() -> Iterator[None]:
    """A store that is full, read-only or out of reach is away for now, whatever it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, BaseError) as error:
        raise Unavailable("The file store cannot be used right now; try again shortly.") from error


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(
            f"{key[:80]!r} is not a key: use letters, digits, '.', '_' and '-' in up to 8 "
            "segments parted by '/', none beginning with a dot"
        )


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


# -- on a disk ----------------------------------------------------------------------------------


def _open_at(path: Path, start: int) -> BinaryIO:
    file = path.open("rb", buffering=0)
    file.seek(start)
    return file


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _publish_file(root: Path, key: str, path: Path) -> Stored:
    with path.open("rb") as source:
        return _publish(root, key, source)


def _publish(root: Path, key: str, source: BinaryIO) -> Stored:
    """Copy ``source`` aside, make it durable, and only then let ``key`` name it."""
    staged, target = root / _STAGING / uuid4().hex, root / key
    digest = hashlib.sha256()
    try:
        with staged.open("xb") as file:
            while piece := source.read(CHUNK):
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            facts = os.fstat(file.fileno())
        _make_directory(target.parent)
        staged.replace(target)
        _sync_directory(target.parent)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    return Stored(key, facts.st_size, int(facts.st_mtime), digest.hexdigest())


def _make_directory(directory: Path) -> None:
    """Create a directory and its parents so that they outlive a power cut."""
    if directory.is_dir():
        return
    _make_directory(directory.parent)
    directory.mkdir(exist_ok=True)
    _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep_staging(root: Path) -> None:
    """Remove what killed writers left; another process may be writing the young ones."""
    for left in (root / _STAGING).iterdir():
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                left.unlink()
