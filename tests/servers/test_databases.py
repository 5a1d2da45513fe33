"""Every database test gets the newest schema without rows, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from server.platform.tables import Stream

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
STREAM = {
    "id": UUID(int=1),
    "epoch": UUID(int=2),
    "head": 0,
    "oldest": 1,
    "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    "updated_at": datetime(2026, 1, 1, tzinfo=UTC),
}


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    url = make_url(database_url)
    engine = create_async_engine(url.set(drivername=DRIVERS[url.drivername]))
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_a_database_is_migrated_and_empty_each_time(
    connection: AsyncConnection, turn: str
) -> None:
    tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert {"alembic_version", "platform_stream"} <= set(tables)
    assert await connection.scalar(select(func.count()).select_from(Stream)) == 0
    await connection.execute(insert(Stream), [STREAM])
