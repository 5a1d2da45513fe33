"""Behind a pooler that shares sessions, nothing is left in a session."""

import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from server.platform.database import Database
from server.platform.migrate import schema_is_current, upgrade_database
from server.platform.pooler import Pooler
from tests.servers.postgres import Postgres
from tests.servers.postgres_wire import Wire, watched

TRACKED_BY_POOLERS = {"user", "database", "application_name", "client_encoding"}
"""What PgBouncer takes at the beginning of a connection; it refuses all else."""
OF_A_SESSION = re.compile(
    r"^\s*(SET\s+(?!LOCAL)|LISTEN|UNLISTEN|PREPARE|DECLARE)|pg_advisory_lock|pg_try_advisory_lock",
    re.IGNORECASE,
)
LIMITS = text(
    "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
    " current_setting('idle_in_transaction_session_timeout')"
)


@pytest.fixture
async def wire(postgres: Postgres) -> AsyncIterator[Wire]:
    async with watched(postgres) as wire:
        yield wire


def of_a_session(statements: list[str]) -> list[str]:
    return [
        statement
        for whole in statements
        for statement in whole.split(";")
        if OF_A_SESSION.search(statement)
    ]


async def use_all_ways(database: Database) -> None:
    """Read and write in each way that there is."""
    moved = text("UPDATE platform_stream SET head = head WHERE head > :least")
    for writer in (database.writer, database.impatient):
        async with writer.begin() as connection:
            await connection.execute(moved, {"least": 1})
            await connection.exec_driver_sql("SELECT $1::int", (1,))
    for reader in (database.reader, database.snapshot):
        async with reader.connect() as connection:
            await connection.execute(text("SELECT :one + 1"), {"one": 1})
    assert await schema_is_current(database)


async def test_nothing_that_is_said_outlives_its_transaction(
    wire: Wire, worker_database: str
) -> None:
    database = Database(wire.url(worker_database), pool_size=1, pooler=Pooler.TRANSACTION)
    await use_all_ways(database)
    await database.close()
    assert set(wire.settings) <= TRACKED_BY_POOLERS
    assert len(wire.parsed) > 5
    assert wire.named == []
    assert wire.alone == []
    assert of_a_session(wire.queries + wire.parsed) == []


async def test_without_a_pooler_statements_are_kept_and_reads_have_no_transaction(
    wire: Wire, worker_database: str
) -> None:
    """What the test above would find."""
    database = Database(wire.url(worker_database), pool_size=1)
    await use_all_ways(database)
    await database.close()
    assert set(wire.settings) - TRACKED_BY_POOLERS
    assert wire.named
    assert wire.alone


async def test_migrations_say_nothing_of_a_session_either(
    wire: Wire, empty_postgres_url: str
) -> None:
    url = wire.url(str(make_url(empty_postgres_url).database))
    database = Database(url, pooler=Pooler.TRANSACTION)
    await upgrade_database(database)
    await database.close()
    assert wire.named == []
    assert wire.alone == []
    assert of_a_session(wire.queries + wire.parsed) == []


async def test_the_limits_come_with_the_transaction_in_one_round_trip(
    wire: Wire, worker_database: str
) -> None:
    database = Database(
        wire.url(worker_database), statement_s=7, lock_s=3, pooler=Pooler.TRANSACTION
    )
    async with database.writer.connect() as connection:
        assert tuple((await connection.execute(LIMITS)).one()) == ("7s", "500ms", "30s")
    async with database.reader.connect() as connection:
        assert (await connection.execute(LIMITS)).one()[1] == "3s"
    async with database.impatient.connect() as connection:
        assert (await connection.execute(LIMITS)).one()[1] == "250ms"
    async with database.unlimited() as connection:
        assert tuple((await connection.execute(LIMITS)).one())[:2] == ("0", "0")
    await database.close()
    begins = [query for query in wire.queries if query.startswith("BEGIN")]
    assert begins
    assert all("SET LOCAL statement_timeout" in query for query in begins)
    assert all(query.startswith(("BEGIN", "ROLLBACK", "COMMIT")) for query in wire.queries)


async def test_who_writes_waits_for_a_lock_in_pieces_and_who_reads_at_once(
    postgres_url: str,
) -> None:
    database = Database(postgres_url, statement_s=7, lock_s=3)
    waits = []
    for engine in (database.writer, database.reader, database.snapshot, database.impatient):
        async with engine.connect() as connection:
            waits.append((await connection.execute(LIMITS)).one()[1])
    assert waits == ["500ms", "3s", "3s", "250ms"]
    await database.close()


async def test_the_limits_that_are_set_are_kept_without_a_pooler(postgres_url: str) -> None:
    database = Database(postgres_url, statement_s=1, lock_s=0.02)
    async with database.reader.connect() as connection:
        assert (await connection.execute(LIMITS)).one()[1] == "20ms"
        with pytest.raises(DBAPIError, match="statement timeout"):
            await connection.execute(text("SELECT pg_sleep(60)"))
    await database.close()
