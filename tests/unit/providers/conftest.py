"""What the tests of the providers share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from filmgate.providers.outbound import Wire


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire(allow_private=True) as wire:
        yield wire
