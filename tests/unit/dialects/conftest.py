"""The shipped models and a task in any state, for the dialects' own tests."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest

from filmgate.core.catalog import Catalog, read_catalog
from filmgate.core.pricing import quote
from filmgate.core.task import Asset, Task
from filmgate.core.video import VideoRequest

TaskOf = Callable[..., Task]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    text = resources.files("filmgate").joinpath("catalog.toml").read_text("utf-8")
    return read_catalog(tomllib.loads(text))


@pytest.fixture
def task_of(catalog: Catalog) -> TaskOf:
    """A task of a plain request; ``status="completed"`` brings a ten-second clip along."""

    def make(**state: Any) -> Task:
        request = VideoRequest(
            model="grok-imagine-video",
            prompt="a boat",
            seconds=10,
            aspect_ratio="16:9",
            resolution="480p",
        )
        clip = Asset(key="k", size=1, sha256="0", seconds=10.02, width=854, height=480)
        given = {"asset": clip} if state.get("status") == "completed" else {}
        return Task(
            id="0190a1b2c3d4e5f60718293a4b5c6d7e",
            customer_id="c",
            key_id="k",
            dialect="xai",
            request=request,
            quote=quote(catalog[request.model].prices, request),
            created_at=1_780_000_000.5,
            **(given | state),
        )

    return make
