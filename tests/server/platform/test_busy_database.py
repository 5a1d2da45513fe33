"""SQLite while somebody else holds its write lock: an overrun server, not a broken one."""

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server.platform.context import Context
from server.platform.errors import Conflict
from server.platform.failures import LostRace, is_unavailable, races_named
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.conftest import problem

SIGN_UP = {"handle": "minji", "password": "correct horse battery", "display_name": "Minji"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite alone: PostgreSQL takes no lock when a transaction begins."""
    return sqlite_url


@pytest.fixture
async def impatient(context: Context) -> Context:
    """A server that waits for the lock for a hundredth of a second."""
    async with context.database.writer.connect() as connection:
        raw = await connection.get_raw_connection()
        driver: Any = raw.dbapi_connection
        driver.lock_ms = 10
    return context


@pytest.fixture
def held_lock(sqlite_url: str, impatient: Context) -> Iterator[None]:
    """Another process that writes, and goes on."""
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.usefixtures("held_lock")
async def test_a_held_lock_is_an_error_of_the_database_like_any_other(impatient: Context) -> None:
    with pytest.raises(OperationalError) as refused:
        async with impatient.database.writer.begin():
            pass
    assert is_unavailable(refused.value)
    with pytest.raises(LostRace), races_named():
        async with impatient.database.writer.begin():
            pass


@pytest.mark.usefixtures("held_lock")
async def test_a_held_lock_is_a_conflict_that_may_be_tried_again(
    impatient: Context, client: httpx.AsyncClient
) -> None:
    async def nothing(work: UnitOfWork) -> None:
        await work.execute(text("UPDATE platform_stream SET head = head"))

    with pytest.raises(Conflict) as busy:
        await transact(impatient, None, nothing)
    assert busy.value.retryable
    answer = await client.post("/v1/accounts", json=SIGN_UP)
    assert problem(answer, 409, "busy")["retryable"]


async def test_the_lock_let_go_the_connection_works_as_before(
    impatient: Context, sqlite_url: str
) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        with pytest.raises(OperationalError):
            async with impatient.database.writer.begin():
                pass
    other.execute("ROLLBACK")
    other.close()
    async with impatient.database.writer.begin() as connection:
        await connection.execute(text("UPDATE platform_stream SET head = head"))


async def test_who_waits_for_a_held_lock_holds_up_nobody_and_gets_it(
    sqlite_url: str, context: Context
) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def head(work: UnitOfWork) -> None:
        await work.execute(text("UPDATE platform_stream SET head = head"))

    waiting = asyncio.create_task(transact(context, None, head))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    other.execute("ROLLBACK")
    other.close()
    await waiting
