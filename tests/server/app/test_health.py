"""What whoever runs the server may ask: alive, ready, and how it does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.pool import QueuePool
from structlog.testing import capture_logs

from server.app import health
from server.app.health import Readiness
from server.app.metrics import READY
from server.app.roles import Role
from server.platform import migrate
from server.platform.bus import BusError, LocalBus
from server.platform.context import Context
from server.platform.database import Database
from server.platform.object_store import ObjectStore, ObjectStoreError
from tests.deploy.schema import set_version
from tests.servers.figures import figure

AT_ONCE_S = 20.0


class AwayBus(LocalBus):
    async def check(self) -> None:
        raise BusError("nobody answers")


class ThereStore:
    async def check(self) -> None:
        pass

    async def close(self) -> None:
        pass


class AwayStore(ThereStore):
    async def check(self) -> None:
        raise ObjectStoreError("nobody answers")


def take_away(context: Context, part: str) -> None:
    if part == "bus":
        object.__setattr__(context, "bus", AwayBus())
    else:
        context.wiring.provide(ObjectStore, AwayStore())


async def ready(client: httpx.AsyncClient) -> tuple[int, Any]:
    answer = await client.get("/readyz")
    return answer.status_code, answer.json()


async def serves(client: httpx.AsyncClient) -> tuple[int, Any]:
    """What a balancer is told."""
    answer = await client.get("/readyz?serving")
    return answer.status_code, answer.json()


async def test_a_server_that_has_all_it_needs_is_alive_and_ready(
    client: httpx.AsyncClient,
) -> None:
    alive = await client.get("/healthz")
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert await ready(client) == (200, {"status": "ready"})


@pytest.mark.parametrize("part", ["bus", "object_store"])
async def test_what_is_away_is_named(
    client: httpx.AsyncClient, context: Context, part: str
) -> None:
    take_away(context, part)
    assert await ready(client) == (503, {"status": "unready", "failing": [part]})
    assert (await client.get("/healthz")).status_code == 200
    assert await serves(client) == (200, {"status": "ready", "failing": [part]})
    await client.get("/metrics")
    told = {one: figure("picky_ready", part=one) for one in ("database", "object_store", "bus")}
    assert told == {one: one != part for one in told}


class SilentBus(LocalBus):
    async def check(self) -> None:
        await asyncio.Event().wait()


class SilentStore(ThereStore):
    async def check(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def database_answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a real one may be held up."""

    async def is_current(_database: Database) -> bool:
        return True

    monkeypatch.setattr(health, "schema_is_current", is_current)


@pytest.mark.usefixtures("database_answers_at_once")
async def test_who_asks_is_answered_soon_whatever_says_nothing(
    client: httpx.AsyncClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_OPENS_WITHIN_S", 0.5)
    object.__setattr__(context, "bus", SilentBus())
    context.wiring.provide(ObjectStore, SilentStore())
    async with asyncio.timeout(AT_ONCE_S):
        assert await serves(client) == (
            200,
            {"status": "ready", "failing": ["object_store", "bus"]},
        )


async def test_a_database_answers_while_all_its_connections_are_in_use(
    client: httpx.AsyncClient, context: Context
) -> None:
    async with all_in_use(context.database), asyncio.timeout(AT_ONCE_S):
        assert await ready(client) == (200, {"status": "ready"})


class SlowBus(LocalBus):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.answers = asyncio.Event()

    async def check(self) -> None:
        self.asked += 1
        await self.answers.wait()


async def test_figures_wait_for_no_part_and_are_set_when_it_answers(
    client: httpx.AsyncClient, app: FastAPI, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_OPENS_WITHIN_S", 2 * AT_ONCE_S)
    bus, readiness = SlowBus(), Readiness(context, Role.ALL, lambda: 0.0)
    app.state.readiness = readiness
    object.__setattr__(context, "bus", bus)
    READY.labels("bus").set(0)
    async with asyncio.timeout(AT_ONCE_S):
        for _ in range(2):
            assert "picky_ready" in (await client.get("/metrics")).text
    assert (bus.asked, figure("picky_ready", part="bus")) == (1, 0)
    bus.answers.set()
    await readiness.failing()
    assert (bus.asked, figure("picky_ready", part="bus")) == (1, 1)


class BusyBus(LocalBus):
    """It answers after a few turns of a loop that others hold up for longer than is waited."""

    async def check(self) -> None:
        for _ in range(12):
            until = time.monotonic() + 0.1
            while time.monotonic() < until:
                pass  # the loop is to be held up
            await asyncio.sleep(0)


@pytest.mark.usefixtures("database_answers_at_once")
async def test_a_loop_that_is_held_up_makes_nothing_away(
    client: httpx.AsyncClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_OPENS_WITHIN_S", 1.0)
    object.__setattr__(context, "bus", BusyBus())
    context.wiring.provide(ObjectStore, ThereStore())
    assert await ready(client) == (200, {"status": "ready"})


class BrokenBus(LocalBus):
    async def check(self) -> None:
        raise RuntimeError("a bug")


async def test_what_fails_as_nobody_foresaw_is_away_and_said_once(context: Context) -> None:
    now = [0.0]
    readiness, there = Readiness(context, Role.ALL, lambda: now[0]), context.bus
    with capture_logs() as logs:
        for bus, failing in (
            (BrokenBus(), ["bus"]),
            (BrokenBus(), ["bus"]),
            (there, []),
            (BrokenBus(), ["bus"]),
        ):
            object.__setattr__(context, "bus", bus)
            now[0] += 1
            assert await readiness.failing() == failing
    told = [(line["event"], line["part"]) for line in logs]
    assert told == [("part_not_asked", "bus")] * 2


@asynccontextmanager
async def all_in_use(database: Database) -> AsyncIterator[None]:
    """Every connection for reads is somebody's."""
    pool = database.reader.pool
    assert isinstance(pool, QueuePool)
    async with AsyncExitStack() as stack:
        for _ in range(pool.size()):
            await stack.enter_async_context(database.reader.connect())
        yield


@pytest.mark.parametrize("role", [Role.API, Role.REALTIME, Role.WORKER])
async def test_only_who_uses_the_store_waits_for_it(context: Context, role: Role) -> None:
    take_away(context, "object_store")
    failing = [] if role is Role.REALTIME else ["object_store"]
    assert await Readiness(context, role).failing() == failing


@pytest.mark.parametrize(("ahead", "is_ready"), [(-1, False), (0, True), (1, True)])
async def test_an_older_schema_is_not_ready_and_a_newer_one_is(
    client: httpx.AsyncClient, context: Context, ahead: int, is_ready: bool
) -> None:
    await set_version(context.database, migrate.newest_schema() + ahead)
    answer, serving = await ready(client), await serves(client)
    await set_version(context.database, migrate.newest_schema())
    unready = (503, {"status": "unready", "failing": ["database"]})
    assert answer == serving == ((200, {"status": "ready"}) if is_ready else unready)


async def test_a_server_that_drains_is_not_ready(client: httpx.AsyncClient, app: FastAPI) -> None:
    app.state.background.draining = True
    assert await ready(client) == (503, {"status": "draining"})
    assert await serves(client) == (503, {"status": "draining"})


async def started(client: httpx.AsyncClient) -> tuple[int, Any]:
    answer = await client.get("/startedz")
    return answer.status_code, answer.json()


async def test_who_was_ready_once_has_started_for_good(
    client: httpx.AsyncClient, app: FastAPI, context: Context
) -> None:
    now = [0.0]
    app.state.readiness = Readiness(context, Role.ALL, lambda: now[0])
    there = context.bus
    take_away(context, "bus")
    for _ in range(2):
        now[0] += 1
        assert await started(client) == (503, {"status": "starting", "failing": ["bus"]})
    assert (await client.get("/healthz")).status_code == 200
    object.__setattr__(context, "bus", there)
    now[0] += 1
    assert await started(client) == (200, {"status": "started"})
    take_away(context, "bus")
    now[0] += 1
    assert (await ready(client))[0] == 503
    app.state.background.draining = True
    assert await started(client) == (200, {"status": "started"})


async def test_whoever_asks_whether_it_is_ready_sees_that_it_has_started(
    client: httpx.AsyncClient, app: FastAPI, context: Context
) -> None:
    now = [0.0]
    app.state.readiness = Readiness(context, Role.ALL, lambda: now[0])
    assert (await ready(client))[0] == 200
    take_away(context, "bus")
    now[0] += 1
    assert await started(client) == (200, {"status": "started"})


async def test_readiness_is_looked_up_once_a_second(
    client: httpx.AsyncClient,
    app: FastAPI,
    context: Context,
    count_queries: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    app.state.readiness = Readiness(context, Role.ALL, lambda: now[0])
    await ready(client)
    monkeypatch.delattr("alembic.script.ScriptDirectory.from_config")
    with count_queries() as queries:
        now[0] += 0.9
        await ready(client)
        assert queries.count == 0
        now[0] += 0.1
        assert await ready(client) == (200, {"status": "ready"})
        assert queries.count > 0


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert "python_info" in names
