"""The faults of a run, drawn from a shuffled deck, and how each of them ends.

Those that only one kind of town can have come first, and then those that no run is without, so that
the shortest run has them, also on a busy machine.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Protocol

from tests.faults.people import Probe, Talker
from tests.faults.town import Node, Town
from tests.faults.waiting import came

PAUSE_S = (0.3, 1.5)
LONG_MESSAGES = 200
PROBES = 3


class Takeable(Protocol):
    """What only one fault at a time may have."""

    is_taken: bool


class NothingFree(Exception):
    """Everything that this fault could break is broken already."""


@contextmanager
def one_of(random: Random, things: Sequence[Takeable]) -> Iterator[int]:
    """Take one that is free, and give it back; its number is told."""
    free = [number for number, thing in enumerate(things) if not thing.is_taken]
    if not free:
        raise NothingFree
    number = random.choice(free)
    things[number].is_taken = True
    try:
        yield number
    finally:
        things[number].is_taken = False


class Breaker:
    """Breaks things in a town until it is over, and leaves everything whole."""

    def __init__(
        self, town: Town, talkers: Sequence[Talker], random: Random, over: asyncio.Event
    ) -> None:
        self.done: Counter[str] = Counter()
        self.probe = Probe(talkers[0], random)
        self._town = town
        self._talkers = talkers
        self._random = random
        self._over = over
        self._deck: list[Fault] = []

    async def run(self, hands: int) -> None:
        """Break things with so many hands at once."""
        async with asyncio.TaskGroup() as group:
            for _ in range(hands):
                group.create_task(self._break_on())
        await self.probe.finish(self._town.front.url)
        if not self._town.is_on_sqlite:
            await self.cut_the_bus()  # what this does to a server is seen in the calm that follows

    async def _break_on(self) -> None:
        while not await came(self._over, self._random.uniform(*PAUSE_S)):
            fault = self._draw()
            try:
                await fault(self)
            except NothingFree:
                self._deck.insert(-1, fault)  # the next one but one
                continue
            self.done[told(fault)] += 1

    def _draw(self) -> "Fault":
        if not self._deck:
            own = ON_SQLITE if self._town.is_on_sqlite else IN_A_FLEET
            begin = () if self.done else (IN_EVERY_RUN, own)
            first = [fault for some in begin for fault in self._random.sample(some, len(some))]
            others = [fault for fault in (*EVERYWHERE, *own) if fault not in first]
            self._deck = [*self._random.sample(others, len(others)), *first]
        return self._deck.pop()

    @contextmanager
    def _a_node(self) -> Iterator[Node]:
        with one_of(self._random, self._town.nodes) as number:
            yield self._town.nodes[number]

    async def _for(self, least_s: float, most_s: float) -> None:
        await came(self._over, self._random.uniform(least_s, most_s))

    async def kill_a_server(self) -> None:
        """`kill -9`, and start it again."""
        with self._a_node() as node:
            await node.kill()
            await self._for(0, 1)
            await node.start()

    async def pause_a_server(self) -> None:
        """SIGSTOP, and SIGCONT after 1 to 8 s."""
        with self._a_node() as node, node.standing_still():
            await self._for(1, 8)

    async def cut_all_connections(self) -> None:
        """All connections to all servers, at once."""
        for node in self._town.nodes:
            node.road.cut(self._random, share=1)

    async def cut_some_connections(self) -> None:
        """About half of the connections to one server."""
        self._random.choice(self._town.nodes).road.cut(self._random, share=0.5)

    async def slow_the_road(self) -> None:
        """A few hundred to a few thousand bytes a second."""
        with self._a_node() as node, node.road.slow(self._random.uniform(300, 5_000)):
            await self._for(1, 6)

    async def stall_the_road(self) -> None:
        """Nothing goes through, and nothing is cut."""
        with self._a_node() as node, node.road.stalled():
            await self._for(1, 6)

    async def refuse_connections(self) -> None:
        """Those that there are are cut, and no new ones are taken."""
        with self._a_node() as node, node.road.closed():
            node.road.cut(self._random, share=1)
            await self._for(1, 4)

    async def fill_a_clients_disk(self) -> None:
        """Write until the disk refuses, and go on for a while."""
        with one_of(self._random, self._talkers) as number:
            talker = self._talkers[number]
            async with talker.full_disk():
                for _ in range(LONG_MESSAGES):
                    if not await talker.write():
                        break
                await self._for(0.5, 3)

    async def kill_the_bus(self) -> None:
        """`kill -9`, and start it again on its port."""
        assert self._town.bus is not None
        with one_of(self._random, [self._town.bus]):
            await self._town.bus.kill()
            await self._for(0, 2)
            await self._town.bus.start()

    async def pause_the_bus(self) -> None:
        """SIGSTOP, and SIGCONT after 2 to 5 s."""
        assert self._town.bus is not None
        with one_of(self._random, [self._town.bus]), self._town.bus.standing_still():
            await self._for(2, 5)

    async def cut_the_bus(self) -> None:
        """All connections of all servers to it, at once; it goes on without them."""
        assert self._town.bus is not None
        with one_of(self._random, [self._town.bus]):
            self._town.bus.road.cut(self._random, share=1)

    async def pause_the_database(self) -> None:
        """SIGSTOP to one process of it or to all, and SIGCONT after 2 to 3 s."""
        assert self._town.database is not None
        with one_of(self._random, [self._town.database]):
            async with self._town.database.standing_still(self._random):
                await self._for(2, 3)

    async def fill_the_servers_disk(self) -> None:
        """No file of the server takes another byte. Ask it meanwhile what it says to a message."""
        with self._a_node() as node, node.full_disk():
            for _ in range(PROBES):
                await self.probe.write(node.server.url)
            await self._for(1, 4)


Fault = Callable[[Breaker], Awaitable[None]]
EVERYWHERE = (
    Breaker.kill_a_server,
    Breaker.pause_a_server,
    Breaker.cut_all_connections,
    Breaker.cut_some_connections,
    Breaker.slow_the_road,
    Breaker.stall_the_road,
    Breaker.refuse_connections,
    Breaker.fill_a_clients_disk,
)
IN_EVERY_RUN = (Breaker.kill_a_server, Breaker.pause_a_server)
IN_A_FLEET = (
    Breaker.kill_the_bus,
    Breaker.pause_the_bus,
    Breaker.cut_the_bus,
    Breaker.pause_the_database,
)
ON_SQLITE = (Breaker.fill_the_servers_disk,)


def told(fault: Fault) -> str:
    """What a fault is called in a report."""
    return fault.__name__.replace("_", " ")
