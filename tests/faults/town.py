"""The servers of a run: several over PostgreSQL and Valkey, or one on SQLite, behind a front."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from random import Random

import asyncpg
import psutil

from tests.faults.front import Front, Road
from tests.servers.lifetime import Lifetime, kill
from tests.servers.picky import PickyServer, start_picky
from tests.servers.postgres import start_postgres
from tests.servers.valkey import Valkey, start_valkey

SECRET_KEY = "one key that all servers of a town share"


class Node:
    """One server process, which may be gone or stand still, and the road to it."""

    def __init__(
        self,
        lifetime: Lifetime,
        name: str,
        credentials: Mapping[str, str] | None = None,
        /,
        **settings: str,
    ) -> None:
        self.name = name
        self.road = Road()
        self.is_taken = False
        """Whether somebody is breaking it already."""
        self._lifetime = lifetime
        self._settings = settings
        self._credentials = credentials
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
            start_picky,
            self._lifetime,
            self.name,
            self._credentials,
            port=port,
            **self._settings,
        )
        self.road.port = self._server.port

    async def kill(self) -> None:
        """End it with SIGKILL."""
        await asyncio.to_thread(self.server.kill)

    async def drain(self) -> None:
        """Ask it to go, and return when it has gone."""
        await asyncio.to_thread(self.server.stop)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """SIGSTOP now, SIGCONT at the end."""
        with standing_still([self.server.pid]):
            yield

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
    """The Valkey between the servers, and the road from all of them to it."""

    def __init__(self, lifetime: Lifetime, valkey: Valkey, name: str = "valkey") -> None:
        self.name = name
        self.road = Road()
        self.road.port = valkey.port
        self.is_taken = False
        self._lifetime = lifetime
        self._valkey = valkey

    async def kill(self) -> None:
        """End it with SIGKILL."""
        await asyncio.to_thread(kill, self._valkey.pid)

    async def start(self) -> None:
        """Start it again on its port."""
        self._valkey = await asyncio.to_thread(
            start_valkey, self._lifetime, self.name, port=self._valkey.port
        )

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """SIGSTOP now, SIGCONT at the end."""
        with standing_still([self._valkey.pid]):
            yield


class Backends:
    """The processes of PostgreSQL that serve one database; others may be at work in the server."""

    def __init__(self, url: str) -> None:
        self.is_taken = False
        self._url = url

    @asynccontextmanager
    async def standing_still(self, random: Random) -> AsyncIterator[None]:
        """SIGSTOP to one of them or to all, whatever locks they hold; SIGCONT at the end."""
        connection = await asyncpg.connect(self._url)
        try:
            rows = await connection.fetch(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        finally:
            await connection.close()
        pids = [row["pid"] for row in rows]
        with standing_still(random.choice([pids, random.sample(pids, min(len(pids), 1))])):
            yield


@contextmanager
def standing_still(pids: Iterable[int]) -> Iterator[None]:
    """SIGSTOP to these processes now, SIGCONT at the end; some may end by themselves."""
    stopped = []
    try:
        for pid in pids:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                process.suspend()
                stopped.append(process)
        yield
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()


@dataclass
class Town:
    """Servers that share a database, and the front before them. ``nodes[0]`` runs already."""

    name: str
    nodes: Sequence[Node]
    front: Front
    bus: Bus | None = None
    database: Backends | None = None

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
    bus, database = Bus(lifetime, valkey), Backends(database_url)
    way_to_bus = Front([bus.road], random)
    async with way_to_bus.listening():
        settings = {
            "database_url": database_url,
            "bus_url": way_to_bus.url.replace("http", "redis"),
            "secret_key": SECRET_KEY,
        }
        nodes = [Node(lifetime, f"fleet-{number}", **settings) for number in range(size)]
        async with _opened(f"{size} servers on PostgreSQL", nodes, random) as opened:
            yield replace(opened, bus=bus, database=database)


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
