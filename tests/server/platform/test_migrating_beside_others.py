"""The schema of PostgreSQL is changed while others read and write, and nobody waits for long."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs
from typer.testing import CliRunner

from server.app import logs
from server.app.cli import app
from server.platform import migrate
from server.platform.database import Database
from server.platform.failures import is_unavailable
from server.platform.migrate import (
    MigrationBlocked,
    newest_schema,
    schema_is_current,
    upgrade_database,
)
from server.platform.migration_steps import MIGRATES, Patience
from tests.deploy.schema import version_of
from tests.server.platform.test_migrate import check_for_drift

SOON = Patience(lock_s=0.3, pauses_s=(0.01,) * 1000)
AT_ONCE = Patience(lock_s=0.2, pauses_s=(0.01, 0.01))
IN_TURNS = Patience(lock_s=1.5, pauses_s=(0.01,) * 1000)
REQUEST_WAITS_S = 2 * IN_TURNS.lock_s
"""As for two locks that a migration waits for. What is left over is for a busy machine: PostgreSQL
ends a wait when it is its turn, and only then.
"""
OLD = 1

APPOINTMENTS = "trades_appointment"
"""What 0002 changes."""
SESSIONS = "accounts_session"
"""What 0003 changes."""
INDEX = "ix_trades_appointment_no_show_by"
BUILT_FIRST = "ix_trades_appointment_pending_no_show"
VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
END_ITS_LOCK = text(
    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)
END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = :name"
)
WAITS = text(
    "SELECT count(*), pg_sleep(0.05) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = :name AND wait_event_type = 'Lock'"
)
WAITS_FOR = text(f"{WAITS} AND :holder = ANY(pg_blocking_pids(pid))")


@pytest.fixture
async def database(empty_postgres_url: str) -> AsyncIterator[Database]:
    """A database of an old schema."""
    database = Database(empty_postgres_url)
    await upgrade_to(database, OLD)
    yield database
    await database.close()


async def upgrade_to(database: Database, version: int) -> None:
    def upgrade(connection: Any) -> None:
        command.upgrade(migrate._config(connection), f"{version:04}")

    async with database.unlimited() as connection:
        await connection.run_sync(upgrade)


@asynccontextmanager
async def read_for_long(database: Database, *tables: str) -> AsyncIterator[AsyncConnection]:
    """Keep tables from being changed as a backup does."""
    async with database.snapshot.connect() as connection:
        for table in tables:
            await connection.execute(text(f"SELECT count(*) FROM {table}"))
        yield connection


async def until(condition: Callable[[], Any]) -> None:
    while not await condition():
        pass  # asking lets the others go on


async def migration_waits_for(database: Database, holder: AsyncConnection) -> None:
    """Until a migration waits for just that one: an index also waits for whoever looks here."""
    raw = await holder.get_raw_connection()
    driver: Any = raw.driver_connection
    asked = {"name": MIGRATES, "holder": driver.get_server_pid()}

    async def waits() -> bool:
        async with database.reader.connect() as connection:
            return bool(await connection.scalar(WAITS_FOR, asked))

    await until(waits)


async def use(database: Database, table: str) -> None:
    """Read and write a table as a request would. It fails when it waits for a lock for as long as
    ``REQUEST_WAITS_S``.
    """
    async with database.writer.begin() as connection:
        await connection.execute(text(f"SET LOCAL lock_timeout = '{REQUEST_WAITS_S}s'"))
        await connection.execute(text(f"SELECT count(*) FROM {table}"))
        await connection.execute(text(f"UPDATE {table} SET updated_at = updated_at"))


async def test_requests_wait_no_longer_than_for_one_lock(database: Database) -> None:
    async with read_for_long(database, APPOINTMENTS) as reading:
        migrating = asyncio.create_task(upgrade_database(database, IN_TURNS))
        for _ in range(3):
            await migration_waits_for(database, reading)
            await use(database, APPOINTMENTS)
        assert not migrating.done()
    await migrating
    assert await schema_is_current(database)


async def test_who_holds_it_is_told_when_the_migration_gives_up(database: Database) -> None:
    async with read_for_long(database, APPOINTMENTS) as holding:
        process = await holding.scalar(text("SELECT pg_backend_pid()"))
        with capture_logs() as told, pytest.raises(MigrationBlocked) as given_up:
            await upgrade_database(database, AT_ONCE)
        assert f"held by process {process} (picky of postgres)" in str(given_up.value)
        assert "migration 0002 was tried 3 times" in str(given_up.value)
        blocked = [note for note in told if note["event"] == "migration_blocked"]
        assert len(blocked) == len(AT_ONCE.pauses_s)
    assert await version_of(database) == OLD
    await upgrade_database(database, AT_ONCE)
    assert await schema_is_current(database)


async def test_the_command_tells_it_in_a_line(
    database: Database, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "PATIENCE", AT_ONCE)
    monkeypatch.setattr(logs, "configure_logs", lambda _: None)
    monkeypatch.setenv("PICKY_DATABASE_URL", empty_postgres_url)
    async with read_for_long(database, APPOINTMENTS):
        result = await asyncio.to_thread(CliRunner().invoke, app, ["migrate"])
    assert result.exit_code == 1
    assert "pg_terminate_backend" in result.stderr


async def test_a_migration_that_was_killed_goes_on_after_what_it_has_done(
    database: Database, empty_postgres_url: str
) -> None:
    """The reader sees nothing of its own any more, so that indexes are built beside it."""
    async with database.writer.begin() as reading:
        await reading.execute(text(f"LOCK TABLE {SESSIONS} IN ACCESS SHARE MODE"))
        await killed_when_it_waits(database, empty_postgres_url, reading)
        assert await version_of(database) == OLD + 1
    await upgrade_database(database, SOON)
    assert await schema_is_current(database)


async def killed_when_it_waits(database: Database, url: str, holder: AsyncConnection) -> None:
    """Start a migration and kill it when it waits for the holder."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "migrate"),
        env=os.environ | {"PICKY_DATABASE_URL": url},
        stderr=asyncio.subprocess.DEVNULL,
    )
    await migration_waits_for(database, holder)
    process.kill()
    await process.wait()


async def test_an_index_whose_building_was_killed_is_built_again(
    database: Database, empty_postgres_url: str
) -> None:
    """It waits for somebody who may still see what was before it, and keeps nobody waiting."""
    async with read_for_long(database, SESSIONS) as reading:
        await killed_when_it_waits(database, empty_postgres_url, reading)
        await database_ends_it(database)
        assert await version_of(database) == OLD
        await use(database, APPOINTMENTS)
        async with database.writer.connect() as connection:
            assert await connection.scalar(VALID, {"name": BUILT_FIRST}) is False
    await upgrade_database(database, SOON)
    async with database.writer.connect() as connection:
        assert await connection.scalar(VALID, {"name": BUILT_FIRST}) is True


async def database_ends_it(database: Database) -> None:
    """PostgreSQL goes on with what it was told last by a client that has gone."""
    async with database.writer.begin() as connection:
        await connection.execute(END, {"name": MIGRATES})
    await until(lambda: is_over(database))


async def is_over(database: Database) -> bool:
    async with database.reader.connect() as connection:
        return not await connection.scalar(WAITS, {"name": MIGRATES})


async def test_a_broken_index_is_built_again(database: Database) -> None:
    async with database.writer.begin() as connection:
        await connection.execute(text(f"CREATE INDEX {INDEX} ON {APPOINTMENTS} (no_show_by)"))
        broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"
        await connection.execute(text(broken), {"name": INDEX})
    await upgrade_database(database, SOON)
    async with database.writer.connect() as connection:
        assert await connection.scalar(VALID, {"name": INDEX}) is True
        await connection.run_sync(check_for_drift)


async def test_who_loses_the_lock_of_who_migrates_goes_no_further(database: Database) -> None:
    async with database.writer.begin() as reading:
        await reading.execute(text(f"LOCK TABLE {SESSIONS} IN ACCESS SHARE MODE"))
        migrating = asyncio.create_task(upgrade_database(database, SOON))
        await migration_waits_for(database, reading)
        await reading.execute(END_ITS_LOCK)
        with pytest.raises(ConnectionError):
            await migrating
    assert await version_of(database) == OLD + 1


async def test_an_index_that_cannot_be_built_fails_as_a_statement_does(database: Database) -> None:
    async with read_for_long(database, SESSIONS) as reading:
        migrating = asyncio.create_task(upgrade_database(database, SOON))
        await migration_waits_for(database, reading)
        async with database.writer.begin() as connection:
            await connection.execute(END, {"name": MIGRATES})
        with pytest.raises(DBAPIError) as ended:
            await migrating
    assert is_unavailable(ended.value)


async def test_two_that_migrate_do_it_once(database: Database) -> None:
    other = Database(str(database.writer.url))
    async with read_for_long(database, APPOINTMENTS) as reading:
        both = [asyncio.create_task(upgrade_database(one, SOON)) for one in (database, other)]
        await migration_waits_for(database, reading)
    await asyncio.gather(*both)
    assert await version_of(database) == newest_schema()
    await other.close()
