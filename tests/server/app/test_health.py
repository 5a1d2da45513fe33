"""What whoever runs the server may ask: alive, ready, and how it does."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from server.app.health import Readiness
from server.platform import migrate
from server.platform.bus import BusError, LocalBus
from server.platform.context import Context
from server.platform.object_store import ObjectStore, ObjectStoreError
from tests.deploy.schema import set_version


class AwayBus(LocalBus):
    async def check(self) -> None:
        raise BusError("nobody answers")


class AwayStore:
    async def check(self) -> None:
        raise ObjectStoreError("nobody answers")

    async def close(self) -> None:
        pass


def take_away(context: Context, part: str) -> None:
    if part == "bus":
        object.__setattr__(context, "bus", AwayBus())
    else:
        context.wiring.provide(ObjectStore, AwayStore())


async def ready(client: httpx.AsyncClient) -> tuple[int, Any]:
    answer = await client.get("/readyz")
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


@pytest.mark.parametrize(("ahead", "is_ready"), [(-1, False), (0, True), (1, True)])
async def test_an_older_schema_is_not_ready_and_a_newer_one_is(
    client: httpx.AsyncClient, context: Context, ahead: int, is_ready: bool
) -> None:
    await set_version(context.database, migrate.newest_schema() + ahead)
    answer = await ready(client)
    await set_version(context.database, migrate.newest_schema())
    unready = (503, {"status": "unready", "failing": ["database"]})
    assert answer == ((200, {"status": "ready"}) if is_ready else unready)


async def test_a_server_that_drains_is_not_ready(client: httpx.AsyncClient, app: FastAPI) -> None:
    app.state.rooms.draining = True
    assert await ready(client) == (503, {"status": "draining"})


async def test_readiness_is_looked_up_once_a_second(
    client: httpx.AsyncClient,
    app: FastAPI,
    context: Context,
    count_queries: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    app.state.readiness = Readiness(context, lambda: now[0])
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
