"""The servers of a run: several over PostgreSQL and Valkey, or one on SQLite, behind a front."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from random import Random

import psutil

from tests.faults.front import Front, Road
from tests.servers.lifetime import Lifetime, kill
from tests.servers.picky import PickyServer, start_picky
from tests.servers.postgres import start_postgres
from tests.servers.valkey import Valkey, start_valkey

SECRET_KEY = "one key that all servers of a town share"


class Node:
    """One server process, which may be gone or stand still, and the road to it."""

    def __init__(self, lifetime: Lifetime, name: str, **settings: str) -> None:
        self.name = name
        self.road = Road()
        self.is_taken = False
        """Whether somebody is breaking it already."""
        self._lifetime = lifetime
        self._settings = settings
        self._server: PickyServer | None = None

    @property
    def server(self) -> PickyServer:
        """The process as it was started last."""
        assert self._server is not None, "never started"
        return self._server

    async def start(self) -> None:
        """Start it, the second time on the port that it had; returns when it answers."""
        port = 0 if self._server is None else self._server.port
        self._server = await asyncio.to_thread(
            start_picky, self._lifetime, self.name, port=port, **self._settings
        )
        self.road.port = self._server.port

    async def kill(self) -> None:
        """End it with SIGKILL."""
        await asyncio.to_thread(self.server.kill)

    async def drain(self) -> None:
        """Ask it to go, and return when it has gone."""
        with self.road.closed():
            await asyncio.to_thread(self.server.stop)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """SIGSTOP now, SIGCONT at the end."""
        process = psutil.Process(self.server.pid)
        process.suspend()
        try:
            yield
        finally:
            process.resume()

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """No file of it takes another byte, its log neither: writes fail with EFBIG."""
        none = (0, resource.RLIM_INFINITY)
        before = resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, none)
        try:
            yield
        finally:
            resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, before)


class Bus:
    """The Valkey between the servers."""

    def __init__(self, lifetime: Lifetime, valkey: Valkey) -> None:
        self.is_taken = False
        self._lifetime = lifetime
        self._valkey = valkey

    async def kill(self) -> None:
        """End it with SIGKILL."""
        await asyncio.to_thread(kill, self._valkey.pid)

    async def start(self) -> None:
        """Start it again on its port."""
        self._valkey = await asyncio.to_thread(start_valkey, self._lifetime, port=self._valkey.port)


@dataclass
class Town:
    """Servers that share a database, and the front before them. ``nodes[0]`` runs already."""

    name: str
    nodes: Sequence[Node]
    front: Front
    bus: Bus | None = None

    @property
    def is_on_sqlite(self) -> bool:
        """Whether the database is a file in the server's data dir."""
        return self.bus is None

    async def start_the_rest(self) -> None:
        """Start all but the first, which is alone while photos are made: each keeps its own."""
        await asyncio.gather(*(node.start() for node in self.nodes[1:]))


@asynccontextmanager
async def fleet(
    lifetime: Lifetime, random: Random, *, database_url: str | None = None, size: int = 3
) -> AsyncIterator[Town]:
    """Servers over one PostgreSQL, started here unless one is given, and one Valkey."""
    valkey = await asyncio.to_thread(start_valkey, lifetime)
    if database_url is None:
        database_url = await asyncio.to_thread(new_database, lifetime)
    settings = {"database_url": database_url, "bus_url": valkey.url(), "secret_key": SECRET_KEY}
    nodes = [Node(lifetime, f"fleet-{number}", **settings) for number in range(size)]
    async with _opened(f"{size} servers on PostgreSQL", nodes, random) as opened:
        yield replace(opened, bus=Bus(lifetime, valkey))


@asynccontextmanager
async def alone(lifetime: Lifetime, random: Random) -> AsyncIterator[Town]:
    """One server on SQLite."""
    async with _opened("1 server on SQLite", [Node(lifetime, "alone")], random) as opened:
        yield opened


def new_database(lifetime: Lifetime) -> str:
    """The URL of an empty database on a PostgreSQL of this lifetime alone."""
    return start_postgres(lifetime).create_database("town")


@asynccontextmanager
async def _opened(name: str, nodes: Sequence[Node], random: Random) -> AsyncIterator[Town]:
    front = Front([node.road for node in nodes], random)
    await nodes[0].start()
    async with front.listening():
        yield Town(name, nodes, front)
