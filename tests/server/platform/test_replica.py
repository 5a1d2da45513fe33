"""A real replica is asked while it is near, and the primary whenever it is not."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from server.platform.database import Database
from server.platform.replica import Replica
from tests.servers.lifetime import Lifetime, kill
from tests.servers.postgres import Postgres
from tests.servers.replica import Pair, start_pair

IS_REPLICA = text("SELECT pg_is_in_recovery()")


class Time:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def database(pair: Pair) -> AsyncIterator[Database]:
    database = Database(pair.primary.url(), replica_url=pair.replica.url())
    yield database
    await database.close()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def replica(database: Database, time: Time) -> Replica:
    """The replica, in a time that the test moves; at most 2 s behind."""
    assert database.replica is not None
    return Replica(database.reader, database.replica._replica, most_behind_s=2, monotonic=time)


async def is_asked(replica: Replica) -> bool:
    async with replica.reader() as connection:
        return bool((await connection.execute(IS_REPLICA)).scalar_one())


async def write(database: Database) -> None:
    async with database.writer.begin() as connection:
        # The servers of the tests are told of a commit before it is written.
        await connection.execute(text("SET LOCAL synchronous_commit = on"))
        await connection.execute(text("CREATE TABLE IF NOT EXISTS things (number int)"))
        await connection.execute(text("INSERT INTO things VALUES (1)"))


async def test_a_replica_that_has_all_is_asked(
    database: Database, replica: Replica, pair: Pair
) -> None:
    await write(database)
    pair.catch_up()
    assert await is_asked(replica)


async def test_one_that_lags_is_left_alone_until_it_has_caught_up(
    database: Database, replica: Replica, time: Time, pair: Pair
) -> None:
    pair.catch_up()
    assert await is_asked(replica)
    with pair.replay_paused():
        await write(database)
        time.now += 1
        assert await is_asked(replica)  # it has what there was a second ago
        time.now += 1.5
        assert not await is_asked(replica)
    pair.catch_up()
    time.now += 1
    assert await is_asked(replica)


async def test_it_is_not_asked_twice_within_half_a_second_how_far_it_is(
    database: Database, replica: Replica, time: Time, pair: Pair
) -> None:
    pair.catch_up()
    assert await replica.is_near()
    with pair.replay_paused():
        await write(database)
        time.now += 0.4
        assert await replica.is_near()


async def test_a_second_primary_is_no_replica(pair: Pair, postgres: Postgres) -> None:
    database = Database(pair.primary.url(), replica_url=postgres.url())
    assert database.replica is not None
    assert not await is_asked(database.replica)
    await database.close()


async def test_reads_go_to_the_primary_when_the_replica_dies_and_come_back(
    private_lifetime: Lifetime,
) -> None:
    pair = start_pair(private_lifetime, "mortal")
    database = Database(pair.primary.url(), replica_url=pair.replica.url())
    time = Time()
    assert database.replica is not None
    replica = Replica(database.reader, database.replica._replica, most_behind_s=2, monotonic=time)
    pair.catch_up()
    assert await is_asked(replica)
    kill(pair.replica.pid)
    assert not await is_asked(replica)  # within the half second: the line is found dead
    time.now += 4
    assert not await is_asked(replica)
    again = pair.start_replica_again()
    again.catch_up()
    time.now += 2
    assert await is_asked(replica)
    await database.close()


async def test_a_replica_that_never_was_there_is_done_without(pair: Pair) -> None:
    nowhere = "postgresql://postgres@127.0.0.1:1/postgres"
    database = Database(pair.primary.url(), replica_url=nowhere)
    assert database.replica is not None
    assert not await is_asked(database.replica)
    await database.close()
