"""The limits that a child process puts itself under before it opens anyone's media: all of them.

Standard library only, so that it can be called before any library is loaded.
"""

import ctypes
import os
import resource
import signal
import sys
from typing import BinaryIO

ADDRESS_SPACE = 2 * 1024**3
"""Bytes of address space. Measured peaks: 0.7 GB at 1080p, 1.2 GB to open a 49-megapixel image."""
CPU_SECONDS = 900
"""A 30 s clip at 1080p takes about 60 s on one fast core."""
FILE_SIZE = 256 * 1024**2
"""Bytes per written file; 30 s at 1080p are about 45 MB."""
NICENESS = 10

# Each of these libraries would start a thread per core, and each thread reserves address space.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PR_SET_PDEATHSIG = 1


def confine() -> None:
    """Put this process under its limits. Call before numpy, OpenCV or PyAV are imported."""
    for name in _ONE_THREAD:
        os.environ[name] = "1"
    _die_with_parent()
    os.nice(NICENESS)
    for limit, value in (
        (resource.RLIMIT_AS, ADDRESS_SPACE),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
    ):
        _lower(limit, value)


def child_environment() -> dict[str, str]:
    """What a child may see: no setting and no secret of ours, only where to find its code."""
    kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    return {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", **kept}


def take_stdout() -> BinaryIO:
    """Keep standard output for our answers: what libraries print goes to standard error."""
    ours = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return ours


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def _die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends, and end now if it just has."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
