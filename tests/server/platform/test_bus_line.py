"""The line to the bus may be cut, go silent or be slow to come: afterwards all is heard that is
wanted, and nothing else.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable
from random import Random
from uuid import UUID, uuid4

import pytest
import redis.asyncio
import uvloop
from structlog.testing import capture_logs

from server.platform import valkey_instance, valkey_line
from server.platform.bus import Hint
from tests.faults.front import Front, Road
from tests.server.platform.conftest import PATIENCE_S, MakeNode, Node
from tests.servers.lifetime import Lifetime
from tests.servers.valkey import Valkey, start_valkey

CUTS = 8
SOCKETS = 8


def road_to(valkey: Valkey) -> Road:
    road = Road()
    road.port = valkey.port
    return road


def bus_url(front: Front) -> str:
    return front.url.replace("http", "redis")


async def subscribers(client: redis.asyncio.Redis, streams: Iterable[UUID]) -> list[int]:
    counted = await client.pubsub_numsub(*(f"picky:{stream.hex}" for stream in streams))
    return [number for _, number in counted]


class Coming:
    """Sockets that come and go, and the bus is cut under them whenever it is back."""

    def __init__(self, here: Node, road: Road, client: redis.asyncio.Redis) -> None:
        self.staying: list[UUID] = []
        self.gone: list[UUID] = []
        self._here = here
        self._road = road
        self._client = client
        self._cuts = 0
        self._random = Random(7)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(SOCKETS):
                group.create_task(self._come_and_go())

    async def _come_and_go(self) -> None:
        while self._cuts < CUTS:
            stream = uuid4()
            await self._here.bus.join(stream)
            await self._client.ping()  # as every socket asks the database for something
            self.staying.append(stream)
            if len(self.staying) > 3 * SOCKETS:
                self.gone.append(self.staying.pop(0))
                await self._here.bus.leave(self.gone[-1])
            if self._here.gaps > self._cuts and self._random.random() < 0.1:
                self._cuts += 1
                self._road.cut(self._random, share=1)


async def cut_while_sockets_come_and_go(valkey: Valkey) -> None:
    road = road_to(valkey)
    front = Front([road], Random(7))
    async with front.listening(), redis.asyncio.from_url(valkey.url()) as client:
        here, speaker = Node([bus_url(front)]), Node([valkey.url()])
        try:
            async with asyncio.timeout(3 * PATIENCE_S):
                coming = Coming(here, road, client)
                await coming.run()
                await here.until(lambda: here.gaps > CUTS)
                await look_at_what_is_left(coming, here, speaker, client)
        finally:
            await here.bus.close()
            await speaker.bus.close()


async def look_at_what_is_left(
    coming: Coming, here: Node, speaker: Node, client: redis.asyncio.Redis
) -> None:
    wanted = [1] * len(coming.staying) + [0] * len(coming.gone)
    while await subscribers(client, coming.staying + coming.gone) != wanted:
        pass  # the last of those that left
    await here.bus.check()
    hints = [Hint(stream, 1, b"heard") for stream in coming.staying]
    await speaker.bus.publish(hints)
    await here.until(lambda: here.heard == hints)


def test_a_bus_that_is_cut_while_sockets_come_and_go_brings_what_is_joined_and_no_more(
    valkey: Valkey,
) -> None:
    uvloop.run(cut_while_sockets_come_and_go(valkey))  # as the server runs


@pytest.fixture
def ways(valkey: Valkey) -> tuple[Road, Road]:
    """Two ways to the same server; the second is not open yet."""
    first, second = road_to(valkey), road_to(valkey)
    second.is_open = False
    return first, second


@pytest.fixture
async def front(ways: tuple[Road, Road]) -> AsyncIterator[Front]:
    front = Front(ways, Random(7))
    async with front.listening():
        yield front


async def test_a_stream_joined_while_the_line_is_coming_is_heard(
    node: MakeNode,
    front: Front,
    ways: tuple[Road, Road],
    valkey_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = [uuid4(), uuid4()]
    here, speaker = await node(bus_url(front)), await node(valkey_url)
    with ways[0].stalled(), monkeypatch.context() as impatient:
        impatient.setattr(valkey_instance, "_JOIN_S", 0.2)
        for stream in streams:
            await here.bus.join(stream)
    await here.until(lambda: here.gaps > 0)
    hints = [Hint(stream, 1, b"heard") for stream in streams]
    await here.bus.join(uuid4())  # asked for after all that was wanted before
    await speaker.bus.publish(hints)
    await here.until(lambda: here.heard == hints)


async def test_who_has_not_waited_for_a_slow_bus_is_told_of_the_gap_when_it_answers(
    node: MakeNode, private_lifetime: Lifetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey = start_valkey(private_lifetime)
    here = await node(valkey.url(), listens_to=uuid4())
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        with monkeypatch.context() as impatient:
            impatient.setattr(valkey_instance, "_JOIN_S", 0.2)
            await here.bus.join(uuid4())
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    await here.until(lambda: here.gaps == 2)
    await here.bus.join(uuid4())
    assert here.gaps == 2


async def test_what_one_could_not_say_is_said_later_to_those_whose_line_was_whole(
    node: MakeNode, front: Front, ways: tuple[Road, Road], valkey_url: str
) -> None:
    stream = uuid4()
    hints = [Hint(stream, pos, b"%d" % pos) for pos in range(1, 601)]
    here, speaker = await node(valkey_url, listens_to=stream), await node(bus_url(front))
    await speaker.bus.join(uuid4())
    await speaker.bus.publish(hints[:1])
    await here.until(lambda: here.heard == hints[:1])
    with ways[0].closed(), capture_logs() as told:
        ways[0].cut(Random(7), share=1)
        await speaker.bus.publish(hints[1:])
        async with asyncio.timeout(PATIENCE_S):
            while [one["event"] for one in told] != ["bus_lost"] * 2:  # to hear, and to speak
                await here.bus.check()
    await here.until(lambda: here.heard[-1] == hints[-1])
    assert list(dict.fromkeys(here.heard)) == hints
    assert here.gaps == 1


@pytest.mark.parametrize("asked_by", ["a ping", "a join"])
async def test_a_line_that_carries_nothing_any_more_is_given_up_for_another(
    asked_by: str,
    node: MakeNode,
    front: Front,
    ways: tuple[Road, Road],
    valkey_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream, soon = uuid4(), 0.2
    # What is asked just before the line stalls is given up within the patience of this test, too.
    monkeypatch.setattr(valkey_line, "ANSWER_S", PATIENCE_S / 4)
    monkeypatch.setattr(
        valkey_instance, "_PING_S", soon if asked_by == "a ping" else 10 * PATIENCE_S
    )
    here, speaker = await node(bus_url(front), listens_to=stream), await node(valkey_url)
    monkeypatch.setattr(valkey_line, "ANSWER_S", soon)
    stalled, other = ways
    with stalled.stalled(), stalled.closed():
        other.is_open = True
        if asked_by == "a join":
            await here.bus.join(uuid4())
        await here.until(lambda: here.gaps > 1)
        monkeypatch.setattr(valkey_line, "ANSWER_S", PATIENCE_S)  # the new line is not to be lost
        await speaker.bus.publish([Hint(stream, 1, b"heard")])
        await here.until(lambda: bool(here.heard))


async def test_what_nobody_thought_of_costs_the_line_and_not_the_listener(
    node: MakeNode, valkey_url: str
) -> None:
    here = await node(valkey_url)
    told: list[int] = []

    def fail_once() -> None:
        told.append(here.gaps)
        if len(told) == 1:
            raise RuntimeError("nobody thought of this")
        here.gap()

    here.bus.on_gap(fail_once)
    await here.bus.join(uuid4())
    await here.until(lambda: here.gaps > 0)
    await here.bus.check()
