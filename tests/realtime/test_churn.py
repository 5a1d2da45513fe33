"""A thousand sockets come and go while people talk, and leave nothing behind on the server."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import redis.asyncio
from prometheus_client.parser import text_string_to_metric_families

from server.app.settings import Settings
from server.platform.context import Context
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from tests.realtime.conftest import Connect, Device, Dial, comes_true
from tests.server.conftest import Person, SignUpPerson

CONNECTS, PEOPLE, DEVICES = 1_000, 5, 4
"""So many devices of each person at once, well below the limit of an account."""

WARM_UP = 40
"""Connects that open what is opened once and kept, such as the pool of the database."""
ONE_EACH = ("picky_sockets", "picky_streams", "subscriptions")
"""Of a socket that is alone in its account."""
SETTLED_WITHIN_S = 20


@pytest.fixture
def settings(settings: Settings, database_url: str, valkey_url: str) -> Settings:
    return settings.model_copy(update={"database_url": database_url, "bus_url": valkey_url})


@pytest.fixture
def realtime_settings() -> RealtimeSettings:
    """Without pings: who talks here answers none."""
    return RealtimeSettings(ping_s=3600)


@pytest.fixture
async def bus(valkey_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.from_url(valkey_url) as client:
        yield client


@pytest.fixture
async def people(sign_up: SignUpPerson, seller: Person, buyer: Person) -> list[Person]:
    return [seller, buyer, *[await sign_up(f"guest_{number}") for number in range(PEOPLE - 2)]]


class Look:
    """What the server holds now: here, in its metrics, and on the bus."""

    def __init__(self, port: int, bus: redis.asyncio.Redis, people: list[Person]) -> None:
        self._url = f"http://127.0.0.1:{port}/metrics"
        self._bus = bus
        self._channels = [f"picky:{person.id.hex}" for person in people]

    async def now(self) -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=SETTLED_WITHIN_S) as client:
            text = (await client.get(self._url)).text
        gauges = {
            family.name: family.samples[0].value
            for family in text_string_to_metric_families(text)
            if family.type == "gauge" and family.name.startswith("picky_") and family.samples
        }
        assert gauges, "the server has no gauges of its own"
        subscribed = await self._bus.pubsub_numsub(*self._channels)
        return {
            "tasks": sorted(task.get_name().rstrip("0123456789") for task in asyncio.all_tasks()),
            "descriptors": len(os.listdir("/proc/self/fd")),  # noqa: PTH208
            "subscriptions": sum(number for _, number in subscribed),
            **gauges,
        }

    async def with_one_more(self, before: dict[str, Any]) -> dict[str, Any]:
        """What it holds once there is one socket more than before, and no other is being left."""
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while True:
                now = await self.now()
                if all(now[name] == before[name] + 1 for name in ONE_EACH):
                    return now

    async def until_like(self, before: dict[str, Any]) -> None:
        """Wait until nothing is left over. A connection that was kept may have been let go."""
        now: dict[str, Any] = {}
        try:
            async with asyncio.timeout(SETTLED_WITHIN_S):
                while now != before:
                    now = await self.now()
                    now["descriptors"] = max(now["descriptors"], before["descriptors"])
        except TimeoutError:
            assert now == before


class Churn:
    """Connects again and again, and leaves in every way there is."""

    def __init__(self, join: Connect, dial: Dial, people: list[Person]) -> None:
        self._join = join
        self._dial = dial
        self._people = people

    async def run(self, connects: int) -> None:
        left = iter(range(connects))
        async with asyncio.TaskGroup() as group:
            for person in self._people * DEVICES:
                group.create_task(self._come_and_go(person, left))

    async def _come_and_go(self, person: Person, left: Iterator[int]) -> None:
        for number in left:
            match number % 4:
                case 0:
                    device = await self._dial(person)  # gone before hello
                    device.socket.transport.abort()
                case 1:
                    device = await self._join(person)
                    device.socket.transport.abort()
                case 2:
                    device = await self._join(person)
                    await device.say("typing", chatroom_id=str(person.id), on=True)
                    await device.socket.close()
                case _:
                    device = await self._join(person)
                    await device.socket.close()
            await device.socket.wait_closed()


async def talk(device: Device, room: str, over: asyncio.Event) -> int:
    """Send one message after the other; tell how many."""
    sent = 0
    while not over.is_set():
        await device.send(room, f"message {sent}")
        sent += 1
    return sent


async def test_a_thousand_sockets_that_came_and_went_leave_nothing(
    port: int,
    join: Connect,
    dial: Dial,
    bus: redis.asyncio.Redis,
    buyer: Person,
    people: list[Person],
    room: str,
) -> None:
    look, churn = Look(port, bus, people), Churn(join, dial, people)
    with_nobody = await look.now()
    talker = await join(buyer)
    await churn.run(WARM_UP)
    await talker.send(room)
    before = await look.with_one_more(with_nobody)

    over = asyncio.Event()
    talking = asyncio.create_task(talk(talker, room, over), name="talker")
    await churn.run(CONNECTS)
    over.set()
    assert await talking > 0
    await look.until_like(before)


async def test_a_socket_that_fails_twice_is_taken_off_the_bus(
    join: Connect,
    context: Context,
    node: RealtimeNode,
    buyer: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_leave, left, leave = asyncio.Event(), asyncio.Event(), context.bus.leave

    async def slow(stream_id: UUID) -> None:
        await may_leave.wait()
        await leave(stream_id)
        left.set()

    monkeypatch.setattr(context.bus, "leave", slow)
    device = await join(buyer)
    [connection] = node.hub.connections()
    async with asyncio.timeout(SETTLED_WITHIN_S):
        device.socket.transport.abort()
        await comes_true(lambda: not list(node.hub.connections()))
        connection.writer.put(b"{}")
        await comes_true(lambda: not node.gateway.writers)
        may_leave.set()
        await left.wait()
