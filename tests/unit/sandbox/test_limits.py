"""The limits a renderer puts itself under."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from filmgate.core import confine
from tests.unit.sandbox.media import RENDERER, job

REPORT = """
import os, resource
from filmgate.core.confine import confine
confine()
names = "AS", "CPU", "FSIZE", "CORE"
print(*[resource.getrlimit(getattr(resource, "RLIMIT_" + n))[0] for n in names], os.nice(0))
"""


def test_limits_are_in_force() -> None:
    child = subprocess.run([sys.executable, "-c", REPORT], capture_output=True, check=True)
    *bounds, nice = map(int, child.stdout.split())
    expected = [confine.ADDRESS_SPACE, confine.CPU_SECONDS, confine.FILE_SIZE, 0]
    assert expected == bounds
    assert nice == min(os.nice(0) + confine.NICENESS, 19)


def test_the_largest_clip_fits_its_address_space(tmp_path: Path) -> None:
    """Peak of the process that makes the heaviest pictures, from its own /proc entry."""
    program = (
        "import sys; from filmgate.providers.sandbox.render import main; main();"
        "print(*[l.split()[1] for l in open('/proc/self/status') if l.startswith('VmPeak')],"
        "file=sys.stderr)"
    )
    asked = job(tmp_path, prompt="planet", aspect_ratio="16:9", resolution="1080p")
    child = subprocess.run(
        [sys.executable, "-c", program],
        input=msgspec.json.encode(asked),
        capture_output=True,
        check=True,
    )
    peak = int(child.stderr.split()[-1]) * 1024
    assert peak < 0.8 * confine.ADDRESS_SPACE


def test_a_renderer_dies_with_its_parent(tmp_path: Path) -> None:
    asked = tmp_path / "job.json"
    long = job(tmp_path, seconds=30, resolution="1080p")
    asked.write_bytes(msgspec.json.encode(long) + b"\n")
    program = (
        "import subprocess, sys, time;"
        f"child = subprocess.Popen({RENDERER!r}, stdin=open({str(asked)!r}),"
        "stdout=subprocess.PIPE);"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    renderer = int(parent.stdout.readline())
    assert _runs(renderer)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _runs(renderer) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(renderer)


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
