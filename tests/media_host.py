"""A host for images and clips on this machine, as a customer's own web server would be."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image, ImageDraw

_COLOURS = ("#c0392b", "#2980b9", "#27ae60", "#8e44ad", "#f39c12", "#16a085", "#2c3e50")


def picture(number: int, size: tuple[int, int] = (640, 360)) -> bytes:
    """A PNG that differs by ``number``."""
    image = Image.new("RGB", size, _COLOURS[number % len(_COLOURS)])
    width, height = size
    ImageDraw.Draw(image).ellipse(
        (width // 4, height // 4, width * 3 // 4, height * 3 // 4), "#ffffff"
    )
    with io.BytesIO() as file:
        image.save(file, "PNG")
        return file.getvalue()


@contextmanager
def media_host(clip: Path) -> Iterator[str]:
    """Serve a PNG at every path ending in .png, ``clip`` at every .mp4, and 404 elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(".png"):
                self._send("image/png", picture(sum(self.path.encode())))
            elif self.path.endswith(".mp4"):
                self._send("video/mp4", clip.read_bytes())
            else:
                self.send_error(400 if "bad" in self.path else 404)

        def _send(self, kind: str, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
