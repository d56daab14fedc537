"""A relay that misbehaves as the prompt says, so that many tasks can misbehave at once.

A prompt such as ``submit=500 poll=garbage download=half`` picks one fault per phase; a phase that
is not named goes well. It speaks new-api's dialect and counts what it was asked to make.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

GARBAGE = b'{"id": "task_'
HTML = b"<html><body>Welcome to nginx!</body></html>"
KEY = "sk-upstream-planted-secret-0123456789"


class Upstream:
    """The relay's state: what it accepted, how often each task was polled and fetched."""

    def __init__(self, clip: bytes) -> None:
        self.clip = clip
        self.accepted: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self._polls: Counter[str] = Counter()
        self._fetches: Counter[str] = Counter()
        self._prompts: dict[str, str] = {}
        self.keys: dict[str, set[str]] = defaultdict(set)
        self.base_url = ""
        self.media_url = ""

    def app(self) -> web.Application:
        """The relay as an application."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/video/generations", self._submit)
        app.router.add_get("/v1/video/generations/{id}", self._poll)
        app.router.add_get("/files/{id}.mp4", self._download)
        app.router.add_get("/v1/models", self._models)
        return app

    async def _models(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": "bad key"}}, status=401)
        return web.json_response({"object": "list", "data": [{"id": "grok-image-video"}]})

    # --- submit ---

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt = str(body["prompt"])
        self.asked[prompt] += 1
        self.keys[prompt].add(request.headers.get("Idempotency-Key", ""))
        fault = _fault(prompt, "submit")
        early = await self._submit_fault(request, prompt, fault)
        if early is not None:
            return early
        task_id = self._accept(prompt)
        answer: dict[str, Any] = {"id": task_id, "task_id": task_id, "status": "queued"}
        if fault == "number":
            number = str(len(self._prompts) + 1000)
            self._prompts[number] = prompt
            answer = {"data": {"id": int(number)}}
        return web.json_response(answer, status=202 if fault == "202" else 200)

    async def _submit_fault(
        self, request: web.Request, prompt: str, fault: str
    ) -> web.StreamResponse | None:
        first = self.asked[prompt] == 1
        match fault:
            case "garbage":
                self._accept(prompt)
                return web.Response(body=GARBAGE, content_type="application/json")
            case "html":
                self._accept(prompt)
                return web.Response(body=HTML, content_type="text/html")
            case "400" | "404" | "422":
                return _error(int(fault), "seconds is wrong")
            case "401" | "403":
                return _error(int(fault), f"bad key {KEY}")
            case "429" if first:
                return _error(429, "slow down")
            case "429after" if first:
                return _error(429, "slow down", {"Retry-After": "2"})
            case "500" | "529":
                return _error(int(fault), "trouble")
            case "500once" if first:
                self._accept(prompt)
                return _error(500, "trouble")
            case "500accept":
                self._accept(prompt)
                return _error(500, "trouble")
            case "slow":
                await asyncio.sleep(1.0)
            case "hang":
                self._accept(prompt)
                await asyncio.sleep(60)
            case "reset":
                self._accept(prompt)
                _cut(request)
                return web.Response()
        return None

    def _accept(self, prompt: str) -> str:
        self.accepted[prompt] += 1
        task_id = f"task_{len(self._prompts):032x}"
        self._prompts[task_id] = prompt
        return task_id

    # --- poll ---

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        task_id = request.match_info["id"]
        prompt = self._prompts.get(task_id, "")
        self._polls[task_id] += 1
        count, fault = self._polls[task_id], _fault(prompt, "poll")
        early = await self._poll_fault(request, task_id, fault, count)
        if early is not None:
            return early
        if count < 3:
            percent = {"backwards": 60 - 40 * (count - 1)}.get(fault, 20 * count)
            word = "PONDERING" if fault == "word" else "IN_PROGRESS"
            return _task(task_id, word, f"{percent}%")
        link = f"{self.media_url or self.base_url}/files/{task_id}.mp4"
        shown = "task_" + "f" * 32 if fault == "changed" else task_id
        return _task(shown, "SUCCESS", "100%", link, secret_field={"kept": [1, "二"]})

    async def _poll_fault(
        self, request: web.Request, task_id: str, fault: str, count: int
    ) -> web.StreamResponse | None:
        if fault == "failed":
            return _task(task_id, "FAILURE", "100%", reason="the prompt was too bold")
        if fault == "moderated200":
            body = {"status": "done", "video": {"url": "", "respect_moderation": False}}
            return web.json_response(body)
        if fault == "moderated400":
            return web.json_response(
                {"code": "imagine:content-moderated", "error": "moderated"}, status=400
            )
        if fault == "404":
            return _error(404, "no such task")
        if count > 2:
            return None
        match fault:
            case "garbage":
                return web.Response(body=GARBAGE, content_type="application/json")
            case "html":
                return web.Response(body=HTML, content_type="text/html")
            case "empty202":
                return web.Response(status=202)
            case "408" | "409" | "429" | "500" | "529":
                return _error(int(fault), "trouble")
            case "429after":
                return _error(429, "slow down", {"Retry-After": "1"})
            case "hang" if count == 1:
                await asyncio.sleep(60)
            case "reset":
                _cut(request)
                return web.Response()
        return None

    # --- download ---

    async def _download(self, request: web.Request) -> web.StreamResponse:
        task_id = request.match_info["id"]
        fault = _fault(self._prompts.get(task_id, ""), "download")
        self._fetches[task_id] += 1
        first = self._fetches[task_id] == 1
        match fault:
            case "403" | "404" | "410" if first:
                return web.Response(status=int(fault))
            case "gone":
                return web.Response(status=404)
            case "500" if first:
                return web.Response(status=500)
            case "garbage":
                return web.Response(body=HTML, content_type="video/mp4")
            case "truncated":
                return web.Response(body=self.clip[: len(self.clip) // 2])
            case "redirect" if "to" not in request.query:
                raise web.HTTPFound(f"{request.path}?to=1")
            case "half" if first:
                return await self._part(request, len(self.clip) // 2)
            case "longer" if first:
                return await self._part(request, len(self.clip), len(self.clip) + 1000)
            case "slow":
                await asyncio.sleep(1.5)
        return await self._range(request)

    async def _range(self, request: web.Request) -> web.StreamResponse:
        start = request.http_range.start or 0
        if not start:
            return web.Response(body=self.clip, headers={"ETag": '"clip"'})
        size = len(self.clip)
        headers = {"Content-Range": f"bytes {start}-{size - 1}/{size}", "ETag": '"clip"'}
        return web.Response(body=self.clip[start:], status=206, headers=headers)

    async def _part(
        self, request: web.Request, sent: int, announced: int | None = None
    ) -> web.StreamResponse:
        headers = {"Content-Length": str(announced or len(self.clip)), "ETag": '"clip"'}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(self.clip[:sent])
        await asyncio.sleep(0.05)
        _cut(request)
        return response


def _fault(prompt: str, phase: str) -> str:
    found = re.search(rf"{phase}=(\w+)", prompt)
    return found[1] if found else ""


def _task(
    task_id: str, status: str, progress: str, link: str = "", reason: str = "", **more: Any
) -> web.Response:
    data = {"task_id": task_id, "status": status, "progress": progress, "result_url": link}
    return web.json_response(
        {"code": "success", "message": "", "data": {**data, "fail_reason": reason, **more}}
    )


def _error(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"code": "error", "message": text, "data": None, "error": {"message": text}}
    return web.json_response(body, status=status, headers=headers)


def _cut(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


@contextmanager
def faulty_upstream(clip: Path) -> Iterator[Upstream]:
    """Run the relay in a thread of its own."""
    upstream = Upstream(clip.read_bytes())
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(upstream.app(), handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        upstream.base_url = f"http://{host}:{port}"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=_run, args=(loop, serve), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield upstream
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def _run(loop: asyncio.AbstractEventLoop, serve: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await serve()

    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
