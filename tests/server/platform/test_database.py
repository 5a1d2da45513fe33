"""Connections of both databases, whatever happens to those who use them."""

import asyncio
import os
import signal
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.platform import postgresql, sqlite_connection
from server.platform.database import Database
from server.platform.failures import DATABASE_FAILURES, LockHeld, is_unavailable, races_named
from server.platform.sqlite_connection import Finished
from tests.servers.mute import mute

PATIENCE_S = 20
WHILE_S = 0.3
ANSWERS_S = 1.0
"""Who has not answered by then is given up; on a busy machine also who would have answered."""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    database = Database(sqlite_url)
    yield database
    await database.close()


async def write(database: Database) -> None:
    async with database.writer.begin() as connection:
        await connection.execute(text("UPDATE platform_stream SET head = head"))


async def read(database: Database) -> None:
    async with database.reader.connect() as connection:
        await connection.execute(text("SELECT count(*) FROM platform_stream"))


async def insisted(ask: Callable[[], Awaitable[int]]) -> int:
    """What is answered in time: on a busy machine not always at once."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(*DATABASE_FAILURES):
                return await ask()


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("cancelled_after", range(0, 24, 2))
async def test_a_cancelled_task_leaves_no_transaction_to_the_next(
    database: Database, cancelled_after: int
) -> None:
    for use in (write, read):
        task = asyncio.create_task(use(database))
        await turns(cancelled_after)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for _ in range(8):
            await use(database)


async def test_who_is_cancelled_while_it_connects_leaves_no_thread(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would tell a loop that may be closed by then how it went."""
    connect, may_go_on = sqlite3.connect, threading.Event()
    loop, connects = asyncio.get_running_loop(), asyncio.Event()

    def late(*args: Any, **options: Any) -> sqlite3.Connection:
        loop.call_soon_threadsafe(connects.set)
        assert may_go_on.wait(PATIENCE_S)
        opened: sqlite3.Connection = connect(*args, **options)
        return opened

    before = threads()
    with monkeypatch.context() as patching:
        patching.setattr(sqlite3, "connect", late)
        reading = asyncio.create_task(read(sqlite))
        await connects.wait()
        reading.cancel()
        await turns(20)
        assert not reading.done()
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert threads() <= before


def test_a_loop_that_ends_while_somebody_connects_leaves_no_thread(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tasks are cancelled then, also the one that opens."""
    connect, ended = sqlite3.connect, threading.Event()
    outlived: list[bool] = []

    async def leave_amid_it() -> None:
        loop, connects = asyncio.get_running_loop(), asyncio.Event()

        def late(*args: Any, **options: Any) -> sqlite3.Connection:
            loop.call_soon_threadsafe(connects.set)
            outlived.append(ended.wait(WHILE_S))
            opened: sqlite3.Connection = connect(*args, **options)
            return opened

        monkeypatch.setattr(sqlite3, "connect", late)
        reading = asyncio.create_task(read(Database(sqlite_url)))
        await connects.wait()
        assert not reading.done()

    before = threads()
    asyncio.run(leave_amid_it())
    ended.set()
    assert outlived == [False]
    assert threads() <= before


async def test_who_gets_no_connection_leaves_no_thread_either(tmp_path: Path) -> None:
    database, before = Database(f"sqlite:///{tmp_path}/nowhere/picky.db"), threads()
    with pytest.raises(OperationalError):
        await read(database)
    assert threads() <= before


async def test_a_task_cancelled_while_it_waits_for_the_lock_gives_it_back(
    sqlite: Database, sqlite_url: str
) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(write(sqlite))
    await turns(20)
    assert sqlite.writer.pool.checkedout() == 1  # type: ignore[attr-defined]
    waiting.cancel()
    await turns(20)
    other.execute("COMMIT")
    await asyncio.gather(waiting, return_exceptions=True)
    await write(sqlite)
    other.execute("BEGIN IMMEDIATE")
    other.close()


async def test_whoever_restores_a_database_after_a_crash_is_waited_for_as_who_writes(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = sqlite_connection._finish

    def find_it_busy(*_: object) -> Finished:
        monkeypatch.setattr(sqlite_connection, "_finish", finish)
        busy = sqlite3.OperationalError("database is locked")
        busy.sqlite_errorcode = sqlite3.SQLITE_BUSY_RECOVERY
        raise busy

    await write(sqlite)
    monkeypatch.setattr(sqlite_connection, "_finish", find_it_busy)
    await write(sqlite)
    assert sqlite_connection._finish is finish


async def test_an_acknowledged_write_is_on_the_disk(sqlite: Database) -> None:
    async with sqlite.writer.begin() as connection:
        full = 2
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar() == full
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"


async def test_what_a_database_refuses_is_not_told_with_its_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with database.writer.begin() as connection:
            await connection.execute(text("DELETE FROM nowhere WHERE id = :id"), {"id": "a secret"})
    assert "a secret" not in str(refused.value)


async def test_a_lock_that_somebody_holds_for_long_is_a_lost_race(postgres_url: str) -> None:
    database = Database(postgres_url)
    lock = text("LOCK TABLE platform_stream IN EXCLUSIVE MODE")
    async with database.writer.begin() as holding, database.writer.begin() as waiting:
        await holding.execute(lock)
        await waiting.execute(text("SET LOCAL lock_timeout = 10"))
        with pytest.raises(LockHeld), races_named():
            await waiting.execute(lock)
    await database.close()


async def test_what_is_written_for_many_is_planned_once(postgres_url: str) -> None:
    database = Database(postgres_url)
    ask = "SELECT id FROM platform_stream JOIN unnest($1::uuid[]) AS one (id) USING (id)"
    plans = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1"
    async with database.impatient.begin() as connection:
        for number in range(10):
            await postgresql.fetch(connection, ask, [[uuid4()] * number])
        assert await postgresql.fetch(connection, plans, [ask]) == [(10, 0)]
    await database.close()


async def test_a_server_that_says_nothing_is_given_up_and_asked_again(postgres_url: str) -> None:
    database = Database(postgres_url, answer_s=ANSWERS_S)

    async def backend() -> int:
        async with database.impatient.begin() as connection:
            return int((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())

    silent = await insisted(backend)
    os.kill(silent, signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(DATABASE_FAILURES):
                await backend()
    finally:
        os.kill(silent, signal.SIGCONT)
    assert await insisted(backend) != silent
    await database.close()


async def test_an_address_that_leads_nowhere_is_given_up_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql, "_CONNECTS_S", 0.2)
    with mute() as port:
        for answer_s in (3 * PATIENCE_S, 0.1):
            database = Database(f"postgresql://me@127.0.0.1:{port}/market", answer_s=answer_s)
            for connecting in (database.reader.connect(), database.unlimited()):
                async with asyncio.timeout(PATIENCE_S):
                    with pytest.raises(DATABASE_FAILURES):
                        await AsyncExitStack().enter_async_context(connecting)
            await database.close()


async def test_who_finds_all_connections_in_use_does_not_wait_for_long(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_TURN_S", 0.1)
    database = Database(postgres_url, pool_size=1)
    async with database.reader.connect():
        with pytest.raises(PoolTimeout):
            async with asyncio.timeout(PATIENCE_S), database.writer.connect():
                pass
        async with database.probe.connect():
            pass
    await database.close()


async def test_a_read_that_a_replica_cancels_may_be_asked_again(postgres_url: str) -> None:
    database = Database(postgres_url)
    canceled = (
        "DO $$ BEGIN RAISE EXCEPTION 'conflict with recovery' USING ERRCODE = '40001'; END $$"
    )
    with pytest.raises(DBAPIError) as failure:
        async with database.reader.connect() as connection:
            await connection.exec_driver_sql(canceled)
    assert is_unavailable(failure.value)
    await database.close()
