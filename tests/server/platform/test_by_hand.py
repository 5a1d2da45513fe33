"""Statements that the bare driver runs on PostgreSQL fail as SQLAlchemy's do."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy.exc import DBAPIError

from server.platform.database import Database
from server.platform.failures import (
    DATABASE_FAILURES,
    LockHeld,
    LostRace,
    is_unavailable,
    races_named,
)
from server.platform.postgresql import fetch
from tests.server.platform.test_database import insisted

BACKEND = "SELECT pg_backend_pid()"
PATIENCE_S = 20
ANSWERS_S = 1.0
"""Who has not answered by then is given up; on a busy machine also who would have answered."""


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """One connection at a time, so that the next one to ask is given what this one left."""
    database = Database(postgres_url, pool_size=1, lock_s=0.02)
    yield database
    await database.close()


async def backend(database: Database) -> int:
    """Whom the next one asks."""
    async with database.reader.connect() as connection:
        return int((await fetch(connection, BACKEND, ()))[0][0])


async def test_what_is_wrong_is_told_without_its_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as failure:
        async with database.writer.begin() as connection:
            await fetch(connection, "DELETE FROM nowhere WHERE id = $1", ("a secret",))
    assert not is_unavailable(failure.value)
    assert "nowhere" in str(failure.value)
    assert "a secret" not in str(failure.value)


async def test_a_lost_unique_race_and_a_held_lock_are_named(database: Database) -> None:
    raised = "DO $$ BEGIN RAISE unique_violation; END $$"
    with pytest.raises(LostRace), races_named():
        async with database.writer.begin() as connection:
            await fetch(connection, raised, ())
    lock = "LOCK TABLE platform_stream IN EXCLUSIVE MODE"
    async with database.impatient.begin() as holder, database.writer.begin() as waiting:
        await fetch(holder, lock, ())
        with pytest.raises(LockHeld), races_named():
            await fetch(waiting, lock, ())


async def test_what_is_written_is_rolled_back_with_the_transaction(database: Database) -> None:
    async def write_and_fail() -> None:
        async with database.writer.begin() as connection:
            await fetch(connection, "CREATE TABLE kept_by_nobody (n int)", ())
            raise KeyError

    with pytest.raises(KeyError):
        await write_and_fail()
    async with database.reader.connect() as connection:
        [[table]] = await fetch(connection, "SELECT to_regclass('kept_by_nobody')", ())
    assert table is None


async def test_a_connection_that_has_died_is_left(database: Database) -> None:
    died = await backend(database)
    os.kill(died, signal.SIGTERM)

    async def until_it_has_ended() -> None:
        while await backend(database) == died:
            pass

    with pytest.raises(DBAPIError) as failure:
        await until_it_has_ended()
    assert is_unavailable(failure.value)
    assert await backend(database) != died


async def test_a_server_that_says_nothing_is_given_up(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=1, answer_s=ANSWERS_S)
    silent = await insisted(partial(backend, database))
    os.kill(silent, signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(DATABASE_FAILURES):
                await backend(database)
    finally:
        os.kill(silent, signal.SIGCONT)
    assert await insisted(partial(backend, database)) > 0
    await database.close()


@pytest.mark.parametrize("cancelled_after", range(0, 12, 2))
async def test_a_cancelled_task_leaves_its_connection_fit_for_the_next(
    database: Database, cancelled_after: int
) -> None:
    async def write() -> None:
        async with database.writer.begin() as connection:
            await fetch(connection, "UPDATE platform_stream SET head = head", ())

    task = asyncio.create_task(write())
    for _ in range(cancelled_after):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await write()
    assert await backend(database) > 0
