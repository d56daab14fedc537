"""The shipped models, the documents' bodies as the dialects read them, and a running gateway."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest

from filmgate.core.catalog import Catalog, read_catalog
from filmgate.core.video import VideoRequest
from filmgate.dialects.base import Call
from filmgate.dialects.registry import DIALECTS
from tests.contract.documents import DIALECT, Address, creates
from tests.gateway import Gateway

Decode = Callable[[str, dict[str, Any] | None], VideoRequest]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    shipped = resources.files("filmgate").joinpath("catalog.toml").read_text("utf-8")
    return read_catalog(tomllib.loads(shipped))


@pytest.fixture(scope="session")
def address(gateway: Gateway) -> Address:
    """The running gateway, as a customer with a key and images of his own reaches it."""
    return Address(gateway.base_url, gateway.key, gateway.media_url)


@pytest.fixture(scope="session")
def decode(catalog: Catalog) -> Decode:
    """Reads a create body with the dialect, and for the operation, of one document."""

    def read(number: str, body: dict[str, Any] | None) -> VideoRequest:
        extending = any(one.path.endswith("/extensions") for one in creates(number).values())
        call = Call(operation="extend" if extending else "generate", body=body or {})
        return DIALECTS[DIALECT[number]].decode(call, catalog)

    return read
