"""A gateway under test: the real server as its own process, on a free port and a fresh home."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_READY_SECONDS = 60
_DONE_SECONDS = 180


class Gateway:
    """Starts, stops and kills a server, and speaks to it with ``key``."""

    def __init__(
        self, home: Path, *, database_url: str = "", balance: str = "1000", **settings: str
    ) -> None:
        self.home = home
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.media_url = ""
        self._environment = {
            **{name: value for name, value in os.environ.items() if "FILMGATE_" not in name},
            "FILMGATE_HOME": str(home),
            "FILMGATE_PORT": str(self.port),
            "FILMGATE_LOG_LEVEL": "warning",
            **({"FILMGATE_DATABASE_URL": database_url} if database_url else {}),
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.key = self.new_key("tests", balance)

    def new_key(self, customer: str, balance: str = "0", *options: str) -> str:
        """A key made by the command line."""
        arguments = ["key", "create", "--customer", customer, "--balance", balance, "--json"]
        done = self.command(*arguments, *options)
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["key"])

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a filmgate command in this gateway's environment."""
        return subprocess.run(
            [sys.executable, "-m", "filmgate", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, **environment: str) -> Gateway:
        """Start the server and wait until it answers."""
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.serving"],
                cwd=ROOT,
                env=self._environment | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_ready()
        return self

    def _wait_ready(self) -> None:
        last = time.monotonic() + _READY_SECONDS
        while time.monotonic() < last:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log()}")
            if self.answers():
                return
            time.sleep(0.05)
        raise AssertionError(f"the server never answered: {self.log()}")

    def answers(self) -> bool:
        """Whether a server answers at all."""
        try:
            urllib.request.urlopen(f"{self.base_url}/healthz", timeout=1).close()
        except OSError:
            return False
        return True

    def log(self) -> str:
        """What the server printed."""
        return (self.home / "server.log").read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        """Ask the server to stop and wait for it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """kill -9 of the server and every process it started."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def wait_killed(self, seconds: float = 60) -> None:
        """Wait until a planted fault has killed the server's worker, then kill what is left."""
        assert self.process is not None
        marker = self.home / "crashed"
        last = time.monotonic() + seconds
        while not marker.exists():
            assert time.monotonic() < last, f"the planted fault never came: {self.log()}"
            time.sleep(0.02)
        self.kill()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        timeout: float = 60,
    ) -> tuple[int, Any]:
        """One request; the status and the JSON answer."""
        status, data, _ = self.raw(method, path, body, key=key, timeout=timeout)
        return status, json.loads(data) if data else None

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> tuple[int, bytes, dict[str, str]]:
        """One request; the status, the bytes and the headers of its answer."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        url = path if path.startswith("http") else self.base_url + path
        credential = self.key if key is None else key
        sent = {"Content-Type": "application/json"} | (headers or {})
        if credential:
            sent["Authorization"] = f"Bearer {credential}"
        request = urllib.request.Request(url, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), dict(error.headers)

    def create(self, seconds: int = 1, **fields: Any) -> str:
        """Create a small clip over the newapi dialect; returns its task id."""
        body = {
            "model": "grok-image-video",
            "prompt": "a silk ribbon",
            "seconds": seconds,
            "resolution": "480p",
        }
        status, answer = self.call("POST", "/v1/video/generations", body | fields)
        assert status == 200, answer
        return str(answer["task_id"])

    def finish(self, task_id: str, seconds: float = _DONE_SECONDS) -> dict[str, Any]:
        """Poll until the task has ended; returns newapi's ``data``."""
        last = time.monotonic() + seconds
        while time.monotonic() < last:
            status, answer = self.call("GET", f"/v1/video/generations/{task_id}")
            assert status == 200, answer
            if answer["data"]["status"] in {"SUCCESS", "FAILURE"}:
                return dict(answer["data"])
            time.sleep(0.1)
        raise AssertionError(f"{task_id} never ended: {answer} {self.log()}")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
