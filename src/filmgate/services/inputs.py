"""The media of a request: taken in before money moves, brought to local files when a job runs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

from filmgate.core.errors import InputUnfetchable, InvalidRequest
from filmgate.core.ids import read_task_id
from filmgate.core.media import LIMITS, Kind, check_url, parse_data_url
from filmgate.core.ports import Fetcher, Objects, Tasks
from filmgate.core.video import Media, VideoRequest
from filmgate.services.access import Caller
from filmgate.services.links import Links

_FETCH_SECONDS = 30.0
# Looks at an image's header; raises ``InvalidRequest`` when no model could take it.
CheckImage = Callable[[bytes], object]


class Inputs:
    """Takes media in (``take``) and hands them out (``bring``: ``core.ports.InputFiles``)."""

    def __init__(
        self,
        objects: Objects,
        tasks: Tasks,
        fetcher: Fetcher,
        links: Links,
        check_image: CheckImage,
    ) -> None:
        self._objects = objects
        self._tasks = tasks
        self._fetcher = fetcher
        self._links = links
        self._check_image = check_image

    async def take(self, request: VideoRequest, caller: Caller) -> VideoRequest:
        """The request with every inline file stored and every result of ours looked up.

        Addresses elsewhere stay as they are and are fetched when the job runs, so an image that
        cannot be fetched ends the task in the document's words (003, section 8). Raises
        ``InvalidRequest`` for media that are broken, too large or not the caller's.
        """
        taken: dict[Media, Media] = {}
        for media in request.media():
            if media not in taken:
                kind: Kind = "video" if media == request.video else "image"
                taken[media] = await self._take_one(media, kind, caller)
        return request.with_media(taken)

    async def bring(self, media: Media, kind: Kind, path: Path) -> None:
        """Write an image or clip to ``path``. Raises ``InputUnfetchable``."""
        if not media.object_key:
            await self._fetcher.fetch(
                media.url,
                limit_bytes=LIMITS[kind],
                kinds={kind},
                deadline_seconds=_FETCH_SECONDS,
                sink=path,
            )
            return
        if await self._objects.head(media.object_key) is None:
            raise InputUnfetchable("The input file is no longer stored; send it again.")
        await self._objects.fetch_to(media.object_key, path)

    async def _take_one(self, media: Media, kind: Kind, caller: Caller) -> Media:
        if media.voice_id:
            return media
        if media.url.startswith("data:"):
            return await self._store(media.url, kind)
        if media.file_id:
            return await self._own_result(media.file_id, caller)
        task_id = self._links.task_of(media.url)
        if task_id is not None:
            return await self._result(task_id)
        check_url(media.url)
        return media

    async def _store(self, url: str, kind: Kind) -> Media:
        # Megabytes of base64 would hold the event loop.
        key, data = await asyncio.to_thread(self._decode, url, kind)
        if await self._objects.head(key) is None:
            await self._objects.put_bytes(key, data, content_type="application/octet-stream")
        return Media(object_key=key)

    def _decode(self, url: str, kind: Kind) -> tuple[str, bytes]:
        _mime, data = parse_data_url(url, {kind})
        if kind == "image":
            self._check_image(data)
        # Named by content: the same image sent twice is stored once.
        return f"inputs/{hashlib.sha256(data).hexdigest()}", data

    async def _own_result(self, file_id: str, caller: Caller) -> Media:
        task_id = read_task_id(file_id)
        task = await self._tasks.get(task_id) if task_id else None
        if task is None or task.customer_id != caller.customer_id:
            raise InvalidRequest(
                "No such file or video: send the id of your own, a public URL or a data URL.",
                code="file_not_found",
                param="file_id",
            )
        return await self._result(task.id)

    async def _result(self, task_id: str) -> Media:
        task = await self._tasks.get(task_id)
        if task is None or task.asset is None:
            raise InvalidRequest(
                "That video is not finished, or is gone: wait until it is done.",
                code="video_not_ready",
                param="video",
            )
        if task.asset.url:
            return Media(url=task.asset.url)
        return Media(object_key=task.asset.key)
