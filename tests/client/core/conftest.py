"""What several tests of the core need."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from client_tui.core.cache import Cache
from tests.client.core.fakes import (
    ME,
    fake_server,
)
from tests.client.core.session_world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    cache = await Cache(tmp_path / "cache.db", ME).open()
    async with fake_server() as server:
        yield World(server, cache)
    await cache.close()
