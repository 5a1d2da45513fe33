"""A fleet as it is deployed: processes by role over one PostgreSQL, two Valkeys and an S3 store."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

import psutil

from tests.faults.balancer import Balancer
from tests.faults.front import Front, Road
from tests.faults.town import SECRET_KEY, Backends, Bus, Node, Town
from tests.servers.lifetime import Lifetime, kill
from tests.servers.postgres import Postgres, start_postgres
from tests.servers.s3 import start_s3
from tests.servers.valkey import start_valkey

SIZES = {"realtime": 3, "api": 2, "worker": 2}
STOPS_WITHIN_S = 20


class Gate(Front):
    """The proxy before a fleet: sockets go to the realtime processes, all else to the others."""

    def __init__(self, realtime: Sequence[Road], api: Sequence[Road], random: Random) -> None:
        super().__init__([*realtime, *api], random)
        self._realtime = realtime
        self._api = api

    async def choose(self, reader: asyncio.StreamReader) -> tuple[bytes, Sequence[Road]]:
        """By the path of a connection's first request: a kept one asks the same role again."""
        head = await reader.readuntil(b"\r\n")
        path = head.split(b" ")[1].partition(b"?")[0]
        return head, self._realtime if path == b"/v1/realtime" else self._api


class Cluster:
    """The PostgreSQL of a fleet, which can be killed and started again on its data."""

    NAME = "fleet-postgres"

    def __init__(self, lifetime: Lifetime, postgres: Postgres) -> None:
        self.url = postgres.create_database("fleet")
        self.backends = Backends(self.url)
        self._lifetime = lifetime
        self._postgres = postgres

    @classmethod
    def begin(cls, lifetime: Lifetime) -> "Cluster":
        """Start one; what it has acknowledged outlives its death."""
        return cls(lifetime, start_postgres(lifetime, cls.NAME, durable=True))

    async def kill(self) -> None:
        """End it with SIGKILL."""
        await asyncio.to_thread(kill, self._postgres.pid)

    async def stop(self) -> None:
        """Ask it to cut all connections and to end."""
        process = psutil.Process(self._postgres.pid)
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, STOPS_WITHIN_S)

    async def start(self) -> None:
        """Start it again on the data that is there."""
        self._postgres = await asyncio.to_thread(
            start_postgres, self._lifetime, self.NAME, durable=True
        )


@dataclass
class Fleet:
    """What there is to break, and the gate that people come by."""

    roles: dict[str, list[Node]]
    buses: list[Bus]
    database: Cluster
    town: Town
    balancer: Balancer


@asynccontextmanager
async def deployed(lifetime: Lifetime, random: Random) -> AsyncIterator[Fleet]:
    """A fleet that is up, with a balancer that believes what each process says of itself."""
    async with AsyncExitStack() as stack:
        database = await asyncio.to_thread(Cluster.begin, lifetime)
        buses = [await _bus(lifetime, f"valkey-{number}") for number in (1, 2)]
        ways = [Front([bus.road], random) for bus in buses]
        for way in ways:
            await stack.enter_async_context(way.listening())
        store = await asyncio.to_thread(start_s3, lifetime)
        bucket = await asyncio.to_thread(store.create_bucket, "photos")
        settings = {
            "database_url": database.url,
            "bus_url": ",".join(way.url.replace("http", "redis") for way in ways),
            "object_store_url": bucket.url,
            "secret_key": SECRET_KEY,
        }
        await asyncio.to_thread(_migrate, database.url)
        roles = {
            role: [
                Node(
                    lifetime,
                    f"{role}-{number}",
                    bucket.environment,
                    role=role,
                    **settings,
                )
                for number in range(1, size + 1)
            ]
            for role, size in SIZES.items()
        }
        nodes = [node for group in roles.values() for node in group]
        await asyncio.gather(*(node.start() for node in nodes))
        realtime, api = ([node.road for node in roles[role]] for role in ("realtime", "api"))
        gate = Gate(realtime, api, random)
        await stack.enter_async_context(gate.listening())
        balancer = Balancer([*realtime, *api])
        await stack.enter_async_context(balancer.looking())
        yield Fleet(roles, buses, database, Town("a fleet", nodes, gate), balancer)


async def _bus(lifetime: Lifetime, name: str) -> Bus:
    return Bus(lifetime, await asyncio.to_thread(start_valkey, lifetime, name), name)


def _migrate(database_url: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "server", "migrate"],
        env=os.environ | {"PICKY_DATABASE_URL": database_url},
        check=True,
        stdout=subprocess.DEVNULL,
    )
