"""Events that are there become the part of all days before one to come, while others write on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import TextClause, inspect, text
from sqlalchemy.engine import make_url

from server.platform import migrate
from server.platform.database import Database
from server.platform.migrate import MigrationBlocked, SchemaTooOld, require_schema, upgrade_database
from server.platform.migration_steps import Patience
from server.platform.streams import _INSERT_EVENTS, _MOVE_HEADS
from tests.deploy.schema import version_of
from tests.server.platform.test_migrate import check_for_drift
from tests.server.platform.test_migrating_beside_others import SOON, read_for_long, upgrade_to

OLD = 3
EVENTS = "platform_stream_event"
LOCKED_OUT = Patience(lock_s=0.2, pauses_s=())
NO_LONGER = {"lock_timeout": "20s"}
"""Who waits longer than that for a lock fails, as who waits for a backup does: that does not end. A
migration changes tables in some twenty statements, which takes a busy machine its time.
"""
PARTS = text(
    "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
    " WHERE inhparent = to_regclass('platform_stream_event')"
)
CHECKS = text("SELECT conname FROM pg_constraint WHERE conname ^@ 'ck_platform_stream_event'")
READ = f"SELECT pos FROM {EVENTS} WHERE stream_id = $1 AND pos > $2 ORDER BY pos LIMIT 500"


@pytest.fixture
async def database(empty_postgres_url: str) -> AsyncIterator[Database]:
    """A database of the schema before, without an event."""
    database = Database(empty_postgres_url)
    await upgrade_to(database, OLD)
    yield database
    await database.close()


class OldProcess:
    """A process of the version before: it appends by statements that it has prepared."""

    def __init__(self, url: str) -> None:
        self._url = str(make_url(url).set(drivername="postgresql").render_as_string(False))
        self.id = UUID(int=1)
        self.appended = 0

    async def __aenter__(self) -> "OldProcess":
        self._line = await asyncpg.connect(self._url, server_settings=NO_LONGER)
        await self._line.execute(
            "INSERT INTO platform_stream (id, epoch, head, oldest, created_at, updated_at)"
            " VALUES ($1, $2, 0, 1, now(), now())",
            *(self.id, uuid4()),
        )
        self._move = await self._line.prepare(_MOVE_HEADS)
        self._insert = await self._line.prepare(_INSERT_EVENTS)
        self._read = await self._line.prepare(READ)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._line.close()

    async def append(self) -> None:
        """Append an event."""
        async with self._line.transaction():
            now = datetime.now(UTC)
            [row] = await self._move.fetch([self.id], [1], now)
            await self._insert.fetch([self.id], [row["head"]], ["kind"], [b"{}"], now)
        self.appended += 1

    async def read(self) -> list[int]:
        """All positions."""
        found: list[int] = []
        while page := await self._read.fetch(self.id, found[-1] if found else 0):
            found += [row["pos"] for row in page]
        return found


async def names(database: Database, question: TextClause) -> list[str]:
    async with database.reader.connect() as connection:
        return [row[0] for row in await connection.execute(question)]


async def parts(database: Database) -> list[str]:
    return await names(database, PARTS)


async def test_a_process_of_the_version_before_writes_and_reads_on(
    database: Database, empty_postgres_url: str
) -> None:
    async with OldProcess(empty_postgres_url) as old:
        for _ in range(20):
            await old.append()
        migrating = asyncio.create_task(upgrade_database(database, SOON))
        while not migrating.done():
            await old.append()
        await migrating
        for _ in range(20):
            await old.append()
        assert await old.read() == list(range(1, old.appended + 1))
    [before] = [name for name in await parts(database) if "before" in name]
    async with database.writer.connect() as connection:
        await connection.run_sync(check_for_drift)
        count = await connection.scalar(text(f"SELECT count(*) FROM {before}"))
    assert count == old.appended > 40
    assert await names(database, CHECKS) == []


async def test_it_goes_on_where_it_was_stopped(
    database: Database, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it could not lock the events, but had said already of which days they are."""
    async with OldProcess(empty_postgres_url) as old:
        await old.append()
        async with database.writer.begin() as reading:
            await reading.execute(text("LOCK TABLE platform_stream IN ACCESS SHARE MODE"))
            with pytest.raises(MigrationBlocked) as given_up:
                await upgrade_database(database, LOCKED_OUT)
        [check] = await names(database, CHECKS)
        assert "migration 0004 was tried 1 times" in str(given_up.value)
        last_day = date.fromisoformat(check[-8:])
        assert f"run `picky-server migrate` again before {last_day}" in str(given_up.value)
        with pytest.raises(SchemaTooOld, match=f"`picky-server migrate` before {last_day}, from"):
            await require_schema(database)
        assert await version_of(database) == OLD
        await old.append()
        await upgrade_database(database, SOON)
        assert f"{EVENTS}_before_{check[-8:]}" in await parts(database)
        assert await old.read() == [1, 2]


async def test_a_backup_keeps_it_waiting_and_nobody_else(
    database: Database, empty_postgres_url: str
) -> None:
    async with OldProcess(empty_postgres_url) as old:
        await old.append()
        async with read_for_long(database, EVENTS, "platform_stream"):
            migrating = asyncio.create_task(upgrade_database(database, SOON))
            for _ in range(50):
                await old.append()
            assert not migrating.done()
        await migrating
        assert await old.read() == list(range(1, 52))


async def test_without_events_days_begin_today(database: Database) -> None:
    before = datetime.now(UTC)
    await upgrade_database(database, SOON)
    [begin] = [name[-8:] for name in await parts(database) if "before" in name]
    assert begin in {f"{moment:%Y%m%d}" for moment in (before, datetime.now(UTC))}
    assert {f"{EVENTS}_{begin}", f"{EVENTS}_default"} < set(await parts(database))


async def test_in_one_transaction_days_begin_after_the_last_event(
    database: Database, empty_postgres_url: str
) -> None:
    """As a restore has it."""
    async with OldProcess(empty_postgres_url) as old:
        await old.append()
        await upgrade_to(database, migrate.newest_schema())
        assert await old.read() == [1]
    async with database.writer.connect() as connection:
        await connection.run_sync(check_for_drift)


async def test_functions_of_tables_that_are_gone_are_no_hindrance(database: Database) -> None:
    """Somebody emptied the database by dropping its tables."""
    await upgrade_database(database, SOON)
    async with database.unlimited() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        await connection.execute(text(f"DROP TABLE {', '.join(names)} CASCADE"))
    await upgrade_database(database, SOON)
    async with database.writer.connect() as connection:
        await connection.run_sync(check_for_drift)


async def test_it_can_be_undone(database: Database, empty_postgres_url: str) -> None:
    async with OldProcess(empty_postgres_url) as old:
        await old.append()
        await upgrade_database(database, SOON)
        await old.append()
        async with database.unlimited() as connection:
            await connection.run_sync(downgrade)
        assert await parts(database) == []
        assert await old.read() == [1, 2]
        await upgrade_database(database, SOON)
        assert await old.read() == [1, 2]


def downgrade(connection: object) -> None:
    from alembic import command

    command.downgrade(migrate._config(connection), f"{OLD:04}")
