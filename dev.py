#!/usr/bin/env python3
"""The one task runner: `python3 dev.py TARGET`. Needs only Python 3.11 or newer with pip.

Every target sets up what it needs in .venv first (nothing is installed outside this folder).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BIN = ROOT / ".venv" / "bin"
# Heavier suites have targets of their own; `test` runs a sample of them.
SUITES = ("unit", "laws", "store", "contract", "clients", "chaos")


def serve(*options: str) -> None:
    """Start the gateway with its sandbox; options go to `filmgate serve`."""
    install("runtime")
    os.execv(BIN / "filmgate", ["filmgate", "serve", *options])


def cli(*options: str) -> None:
    """Run any other filmgate command, such as: dev.py cli video "a red fox" -o fox.mp4"""
    install("runtime")
    os.execv(BIN / "filmgate", ["filmgate", *options])


def test(*options: str) -> None:
    """Check the code, then run every test; options go to pytest instead of the folders."""
    check()
    # Each file in one process: its tests share a server.
    suites = ["--numprocesses=2", "--dist=loadfile", *(f"tests/{suite}" for suite in SUITES)]
    run("pytest", *(options or suites))


def check() -> None:
    """Lint, format, types, import contracts, file lengths, generated docs."""
    install("dev")
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")
    run("mypy")
    run("lint-imports", "--no-cache")
    run("python", "-m", "tests.check_tree")
    run("python", "-m", "docs.generate", "--check")


def docs() -> None:
    """Write the generated parts of docs/ from the code."""
    install("dev")
    run("python", "-m", "docs.generate")


def gallery() -> None:
    """Render docs/pictures/sandbox.jpg, the README's picture."""
    install("dev")
    run("python", "-m", "docs.gallery")


def extract() -> None:
    """Write tests/contract/data from the documents in ../shared/seeds."""
    install("dev")
    run("python", "-m", "tests.contract.extract", "--write")


def lock() -> None:
    """Resolve the dependencies anew into requirements/*.txt, pinned by hash."""
    install("dev")
    for name, extra in (("runtime", []), ("dev", ["--group", "dev"])):
        target = f"requirements/{name}.txt"
        options = ["--universal", "--generate-hashes", "--no-header", "--quiet", "--upgrade"]
        run("uv", "pip", "compile", "pyproject.toml", *extra, *options, "-o", target)


def install(name: str) -> None:
    """Make .venv and install requirements/NAME.txt, unless that very file is installed."""
    wanted = ROOT / "requirements" / f"{name}.txt"
    described = wanted.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    digest = hashlib.sha256(described).hexdigest()
    stamp = ROOT / ".venv" / f"{name}.installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"Setting up .venv ({name}); this takes a minute the first time.", file=sys.stderr)
    if not (BIN / "python").exists():
        # Without pip inside: Debian's Python cannot put it there, and pip can install from outside.
        venv.create(ROOT / ".venv", symlinks=True, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(BIN / "python"), "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--no-warn-script-location"]
    subprocess.run([*pip, "--require-hashes", "-r", str(wanted)], check=True)
    subprocess.run([*pip, "--no-deps", "--editable", str(ROOT)], check=True)
    stamp.write_text(digest)


def run(program: str, *arguments: str) -> None:
    """Run a program of .venv in the project's folder and stop at its first failure."""
    print(f"$ {program} {' '.join(arguments)}", file=sys.stderr, flush=True)
    done = subprocess.run([BIN / program, *arguments], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


TARGETS: tuple[Callable[..., None], ...] = (serve, cli, test, check, docs, gallery, extract, lock)


def main() -> None:
    """Run one target, or list them."""
    if sys.version_info < (3, 11):
        sys.exit("filmgate needs Python 3.11 or newer.")
    targets = {target.__name__: target for target in TARGETS}
    name, *options = sys.argv[1:] or [""]
    if name not in targets:
        lines = [f"  {target.__name__:8} {(target.__doc__ or '').strip()}" for target in TARGETS]
        sys.exit("Usage: python3 dev.py TARGET [OPTIONS]\n\n" + "\n".join(lines))
    targets[name](*options)


if __name__ == "__main__":
    main()
