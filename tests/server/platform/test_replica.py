"""A real replica is asked while it is near, and the primary whenever it is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from server.platform import replica as asked
from server.platform.database import Database
from server.platform.metrics import measure_database
from server.platform.replica import Probes, Replica, State
from tests.server.platform.conftest import PATIENCE_S
from tests.servers.figures import figure
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


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes nobody for one that is away."""
    monkeypatch.setattr(asked, "_ANSWERS_WITHIN_S", PATIENCE_S)


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
    return in_time(database, time)


def in_still_time(database: Database) -> Replica:
    """The one that a database asks, in a time that stands still: once it is known to be near, it is
    not asked again while the test is held up.
    """
    made = database.replica
    assert made is not None
    made._monotonic = Time()
    return made


def in_time(database: Database, time: Time, probes: Probes | None = None) -> Replica:
    made = database.replica
    assert made is not None
    return Replica(
        database.reader,
        made._replica,
        probes or made.probes,
        most_behind_s=2,
        monotonic=time,
    )


async def is_asked(replica: Replica) -> bool:
    async with replica.reader() as connection:
        return bool((await connection.execute(IS_REPLICA)).scalar_one())


async def near(pair: Pair, replica: Replica) -> None:
    """Until it has all and is known to: the primary writes something by itself now and then."""
    is_near = False
    while not is_near:
        await asyncio.to_thread(pair.catch_up)
        replica._ask_at = 0.0
        is_near = await replica.is_near()


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
    await near(pair, replica)
    assert await is_asked(replica)


async def test_one_that_lags_is_left_alone_until_it_has_caught_up(
    database: Database, replica: Replica, time: Time, pair: Pair
) -> None:
    await near(pair, replica)
    assert await is_asked(replica)
    with pair.replay_paused():
        await write(database)
        time.now += 1
        assert await is_asked(replica)  # it has what there was a second ago
        time.now += 1.5
        assert not await is_asked(replica)
    await near(pair, replica)
    assert await is_asked(replica)


async def test_it_is_not_asked_twice_within_half_a_second_how_far_it_is(
    database: Database, replica: Replica, time: Time, pair: Pair
) -> None:
    await near(pair, replica)
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
    replica = in_time(database, time)
    await near(pair, replica)
    assert await is_asked(replica)
    kill(pair.replica.pid)
    assert not await is_asked(replica)  # within the half second: the line is found dead
    time.now += 4
    assert not await is_asked(replica)
    again = pair.start_replica_again()
    again.catch_up()
    time.now += 2
    while not await is_asked(replica):
        again.catch_up()
        time.now += 1
    await database.close()


NOWHERE = "postgresql://postgres@127.0.0.1:1/postgres"


async def test_one_that_never_was_there_is_done_without_and_told_of_once(pair: Pair) -> None:
    database = Database(pair.primary.url(), replica_url=NOWHERE)
    time = Time()
    replica = in_time(database, time)
    with capture_logs() as logs:
        for _ in range(3):
            assert not await is_asked(replica)
            time.now += 6
    assert [(line["log_level"], line["event"]) for line in logs] == [("warning", "replica_is_away")]
    await database.close()


async def test_its_state_and_its_connections_are_figures(database: Database, pair: Pair) -> None:
    replica = in_still_time(database)
    measure_database(database)
    assert figure("picky_database_replica", state="unknown") == 1
    await near(pair, replica)
    async with replica.reader():
        measure_database(database)
    assert figure("picky_database_replica", state="unknown") == 0
    assert figure("picky_database_replica", state="near") == 1
    assert figure("picky_database_connections_in_use", pool="replica") == 1
    assert figure("picky_database_connections_max", pool="replica") == 8


async def test_a_primary_whose_connections_are_all_in_use_does_not_switch_it_off(
    pair: Pair,
) -> None:
    database = Database(pair.primary.url(), replica_url=pair.replica.url(), pool_size=1)
    replica = in_still_time(database)
    await near(pair, replica)
    async with database.reader.connect():
        replica._ask_at = 0.0
        assert await is_asked(replica)
    await database.close()


async def test_one_whose_connections_are_all_in_use_is_not_taken_for_one_that_is_away(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(pair.primary.url(), replica_url=pair.replica.url(), pool_size=1)
    replica = in_still_time(database)
    await near(pair, replica)
    async with replica.reader():
        with monkeypatch.context() as impatient:
            impatient.setattr(asked, "_ANSWERS_WITHIN_S", 0.1)
            assert not await is_asked(replica)  # this one reads the primary
        assert replica.state is State.NEAR
    assert await is_asked(replica)
    await database.close()


async def test_what_the_primary_does_not_say_is_no_fault_of_the_replica(
    database: Database, pair: Pair, time: Time
) -> None:
    assert database.replica is not None
    nowhere = Database(NOWHERE)
    silent = Probes(nowhere.reader, database.replica.probes.replica)
    replica = in_time(database, time, silent)
    assert not await replica.is_near()
    assert replica.state is State.UNKNOWN
    replica = in_time(database, time)
    await near(pair, replica)
    replica.probes = silent
    time.now += 1
    assert await replica.is_near()  # it has what there was a second ago
    time.now += 2
    assert not await replica.is_near()
    assert replica.state is State.UNKNOWN
    await nowhere.close()


async def test_nobody_waits_while_somebody_else_asks(
    database: Database, pair: Pair, time: Time
) -> None:
    replica = in_time(database, time)
    await near(pair, replica)
    time.now += 1
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(replica._asking)
        assert await replica.is_near()


@pytest.mark.parametrize(("behind_s", "own_s"), [(2, 10.0), (60, 62.5)])
def test_who_has_just_written_reads_the_primary_for_longer_than_it_may_be_behind(
    database: Database, behind_s: float, own_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # it depends on how long the servers are waited for
    made = database.replica
    assert made is not None
    replica = Replica(database.reader, made._replica, made.probes, most_behind_s=behind_s)
    assert replica.own_writes_s == own_s
