"""A lock that somebody holds on PostgreSQL is asked for again and again, and then given up."""

import asyncio

import pytest
from sqlalchemy import text

from server.platform.context import Context
from server.platform.errors import Conflict
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.conftest import Person, SignUpPerson

HOLD = text("SELECT 1 FROM platform_stream FOR UPDATE")


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """PostgreSQL alone: SQLite has one lock, which is taken when a transaction begins."""
    return postgres_url


@pytest.fixture
async def account(sign_up: SignUpPerson) -> Person:
    """Somebody with a stream."""
    return await sign_up("minji")


@pytest.mark.usefixtures("account")
async def test_what_is_held_for_good_is_busy(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context.database, "lock_tries", 2)
    tries = 0

    async def take(work: UnitOfWork) -> None:
        nonlocal tries
        tries += 1
        await work.execute(HOLD)

    async with context.database.writer.begin() as holder:
        await holder.execute(HOLD)
        with pytest.raises(Conflict) as busy:
            await transact(context, None, take)
    assert (busy.value.code, busy.value.retryable, tries) == ("busy", True, 2)


@pytest.mark.usefixtures("account")
async def test_what_is_let_go_in_time_is_taken(context: Context) -> None:
    """Not before it has been asked for twice, which no lost race is allowed."""
    tries, third = 0, asyncio.Event()

    async def take(work: UnitOfWork) -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            third.set()
        await work.execute(HOLD)

    async with context.database.writer.begin() as holder:
        await holder.execute(HOLD)
        taking = asyncio.create_task(transact(context, None, take))
        await third.wait()
    await taking
