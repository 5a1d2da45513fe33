"""A server behind a real PgBouncer in transaction mode, with fewer sessions than connections."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from server.app.settings import Settings
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.database import Database
from server.platform.migrate import schema_is_current, upgrade
from server.platform.pooler import Pooler
from tests.server.conftest import SignUpPerson, settings_of
from tests.server.trades.market import Market, done
from tests.servers.lifetime import Lifetime
from tests.servers.pgbouncer import PgBouncer, start_pgbouncer
from tests.servers.postgres import Postgres

SESSIONS = 3
PATIENCE_S = 30


@pytest.fixture
def pgbouncer(private_lifetime: Lifetime, postgres: Postgres) -> PgBouncer:
    return start_pgbouncer(private_lifetime, postgres, sessions=SESSIONS)


@pytest.fixture
def settings(
    pgbouncer: PgBouncer, postgres_url: str, worker_database: str, tmp_path: Path
) -> Settings:
    """The settings of a server behind the pooler."""
    url = pgbouncer.url(worker_database)
    return settings_of(url, tmp_path, database_pooler=Pooler.TRANSACTION)


@pytest.fixture
def market(context: Context, clock: MovableClock, sign_up: SignUpPerson) -> Market:
    """A market on it."""
    return Market(context, clock, sign_up)


async def test_many_connections_share_few_sessions(
    pgbouncer: PgBouncer, worker_database: str
) -> None:
    url = pgbouncer.url(worker_database)
    database = Database(url, pool_size=8, pooler=Pooler.TRANSACTION)
    backends: set[int] = set()
    in_pairs = asyncio.Barrier(2)

    async def use(number: int) -> None:
        async with AsyncExitStack() as stack:
            opened = database.reader.connect() if number % 2 else database.writer.begin()
            connection = await stack.enter_async_context(opened)
            found = text("SELECT pg_backend_pid(), CAST(:number AS int)")
            row = (await connection.execute(found, {"number": number})).one()
            assert row[1] == number
            backends.add(row[0])
            await in_pairs.wait()

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(use(number) for number in range(40)))
    await database.close()
    assert 1 < len(backends) <= SESSIONS


async def test_people_trade_and_talk_through_it_at_the_same_time(market: Market) -> None:
    seller = await market.person("seller")
    buyers = [await market.person(f"buyer_{number}") for number in range(6)]
    deals = [await market.deal_with(seller, buyer) for buyer in buyers]

    async def talk(number: int) -> None:
        deal, path = deals[number], f"/v1/chatrooms/{deals[number].room_id}/messages"
        for line in range(5):
            message = {"cid": str(uuid4()), "text": f"line {line}"}
            assert (await deal.buyer.post(path, message)).status_code == 201
        await market.reserved(deal)
        page = await done(deal.seller.get(path))
        said = [item["text"] for item in page["items"] if item["sender_id"] == str(deal.buyer.id)]
        assert said[-5:] == [f"line {line}" for line in range(5)]

    await asyncio.gather(*(talk(number) for number in range(len(deals))))


async def test_the_schema_is_migrated_through_it(
    pgbouncer: PgBouncer, empty_postgres_url: str
) -> None:
    url = pgbouncer.url(str(make_url(empty_postgres_url).database))
    await asyncio.to_thread(upgrade, url, pooler=Pooler.TRANSACTION)
    database = Database(url, pooler=Pooler.TRANSACTION)
    assert await schema_is_current(database)
    await database.close()
