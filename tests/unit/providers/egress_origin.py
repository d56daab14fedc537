"""An origin on loopback with every sort of good and bad manners, for the tests of egress."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
MP4 = b"\0\0\0\x20ftypisom" + bytes(5000)


async def _png(_: web.Request) -> web.Response:
    return web.Response(body=PNG)


async def _mp4(_: web.Request) -> web.Response:
    return web.Response(body=MP4, content_type="text/plain")


async def _html(_: web.Request) -> web.Response:
    return web.Response(text="<html>log in first</html>", content_type="image/png")


async def _empty(_: web.Request) -> web.Response:
    return web.Response(body=b"")


async def _status(request: web.Request) -> web.Response:
    return web.Response(status=int(request.match_info["code"]), reason="<b>db.internal</b>")


async def _sized(request: web.Request) -> web.Response:
    return web.Response(body=PNG.ljust(int(request.match_info["size"]), b"\0"))


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(PNG)
    while True:
        await response.write(bytes(1 << 16))


async def _drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for byte in PNG:
        await response.write(bytes([byte]))
        await asyncio.sleep(0.02)
    return response


async def _silent(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(PNG) + 1000)})
    await response.prepare(request)
    await response.write(PNG)
    assert request.transport is not None
    request.transport.close()
    return response


async def _bomb(request: web.Request) -> web.StreamResponse:
    squeeze = zlib.compressobj(9, wbits=31)
    body = squeeze.compress(PNG + bytes(64 << 20)) + squeeze.flush()
    headers = {"Content-Encoding": "gzip"} if "declared" in request.query else {}
    return web.Response(body=body, headers=headers)


async def _hops(request: web.Request) -> web.Response:
    left = int(request.match_info["left"])
    to = f"/hops/{left - 1}" if left else "/png"
    return web.Response(status=302, headers={"Location": to})


async def _to(request: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": request.query["url"]})


async def _loop(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/loop", "Set-Cookie": "seen=1"})


async def _echo(request: web.Request) -> web.Response:
    lines = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    return web.Response(body=PNG + f"{request.raw_path}\n{lines}".encode())


@asynccontextmanager
async def serve_origin() -> AsyncIterator[str]:
    """Run the origin; the value is its base URL."""
    app = web.Application()
    app.router.add_get("/png", _png)
    app.router.add_get("/mp4", _mp4)
    app.router.add_get("/html", _html)
    app.router.add_get("/empty", _empty)
    app.router.add_get("/status/{code}", _status)
    app.router.add_get("/sized/{size}", _sized)
    app.router.add_get("/endless", _endless)
    app.router.add_get("/drip", _drip)
    app.router.add_get("/silent", _silent)
    app.router.add_get("/cut", _cut)
    app.router.add_get("/bomb", _bomb)
    app.router.add_get("/hops/{left}", _hops)
    app.router.add_get("/to", _to)
    app.router.add_get("/loop", _loop)
    app.router.add_get("/echo/{rest:.*}", _echo)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
