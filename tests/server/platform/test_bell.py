"""The bell wakes the worker, also in another process, and never makes it deaf to being stopped."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import redis.asyncio

from server.app.container import build_context, close_context
from server.app.settings import Settings
from server.platform import jobs
from server.platform.context import Context
from server.platform.jobs import Bell, Worker, enqueue
from server.platform.unit_of_work import UnitOfWork, transact
from server.platform.valkey_bus import ValkeyBus
from tests.server.conftest import BASE_URL
from tests.server.platform.conftest import PATIENCE_S
from tests.servers.lifetime import Lifetime
from tests.servers.valkey import start_valkey


@pytest.mark.parametrize("steps", range(5))
async def test_a_worker_stopped_as_the_bell_rings_is_stopped(steps: int) -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(30))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    bell.ring()
    for _ in range(steps):
        await asyncio.sleep(0)
    was_told = waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled() == was_told


@pytest.fixture
async def elsewhere(
    context: Context, settings: Settings, private_lifetime: Lifetime
) -> AsyncIterator[tuple[Context, str]]:
    """The same market in another process, and the bus between the two."""
    url = start_valkey(private_lifetime).url()
    object.__setattr__(context, "bus", ValkeyBus([url]))
    other = build_context(settings, base_url=BASE_URL, bus=ValkeyBus([url]))
    yield other, url
    await close_context(other)


async def test_a_worker_elsewhere_is_woken_over_the_bus(
    context: Context, elsewhere: tuple[Context, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_POLL_S", 3600)
    other, url = elsewhere
    ran = asyncio.Event()

    async def run(_context: Context, _payload: dict[str, Any]) -> None:
        ran.set()

    other.bus.on_ring(other.wiring.port(Bell).ring)
    worker = asyncio.create_task(Worker(other, {"test.job": run}).run())
    async with asyncio.timeout(PATIENCE_S), redis.asyncio.from_url(url) as client:
        while (await client.pubsub_numsub("picky:bell"))[0][1] == 0:
            pass  # asking takes a moment
        await transact(context, None, lambda work: enqueue(work, "test.job", {}))
        await ran.wait()
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_a_job_that_is_to_come_wakes_nobody_elsewhere(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    rings: list[None] = []
    monkeypatch.setattr(context.bus, "ring", lambda: rings.append(None))

    async def leave(work: UnitOfWork, after: timedelta) -> None:
        await enqueue(work, "test.job", {}, run_at=work.now + after)

    await transact(context, None, partial(leave, after=timedelta(seconds=1)))
    assert rings == []
    await transact(context, None, partial(leave, after=timedelta()))
    assert rings == [None]
