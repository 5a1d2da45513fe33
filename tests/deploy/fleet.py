"""A fleet as it is deployed: processes by role over one PostgreSQL, two Valkeys and an S3 store."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from random import Random

import psutil

from tests.faults.balancer import Balancer
from tests.faults.front import Front, Road
from tests.faults.town import SECRET_KEY, Backends, Bus, Node, standing_still
from tests.servers.command import run_command
from tests.servers.lifetime import Lifetime, kill
from tests.servers.postgres import Postgres, start_postgres
from tests.servers.proxies import Proxy, start_proxy
from tests.servers.s3 import S3Bucket, S3Store, start_s3
from tests.servers.valkey import start_valkey

SIZES = {"realtime": 3, "api": 2, "worker": 2}
USE_THE_STORE = ("api", "worker")
"""Who is given the bucket's key; nobody else is."""
STOPS_WITHIN_S = 60


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


class Store:
    """The object store of a fleet, which can be killed and started again on its files."""

    NAME = "fleet-s3"

    def __init__(self, lifetime: Lifetime, store: S3Store) -> None:
        self._lifetime = lifetime
        self._store = store

    @classmethod
    def begin(cls, lifetime: Lifetime) -> "Store":
        """Start one."""
        return cls(lifetime, start_s3(lifetime, cls.NAME))

    def create_bucket(self) -> S3Bucket:
        """The bucket of the fleet."""
        return self._store.create_bucket("photos")

    async def kill(self) -> None:
        """End it with SIGKILL."""
        await asyncio.to_thread(kill, self._store.pid)

    async def start(self) -> None:
        """Start it again on its port."""
        self._store = await asyncio.to_thread(
            start_s3, self._lifetime, self.NAME, port=self._store.port
        )

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """SIGSTOP now, SIGCONT at the end."""
        with standing_still([self._store.pid]):
            yield


@dataclass
class Fleet:
    """What there is to break, and the proxy that people come by."""

    roles: dict[str, list[Node]]
    buses: list[Bus]
    store: Store
    database: Cluster
    balancer: Balancer
    proxy: Proxy


@asynccontextmanager
async def deployed(lifetime: Lifetime, random: Random) -> AsyncIterator[Fleet]:
    """A fleet that is up, behind a proxy that believes what each process says of itself."""
    async with AsyncExitStack() as stack:
        database = await asyncio.to_thread(Cluster.begin, lifetime)
        buses = [await _bus(lifetime, f"valkey-{number}") for number in (1, 2)]
        ways = [Front([bus.road], random) for bus in buses]
        for way in ways:
            await stack.enter_async_context(way.listening())
        store = await asyncio.to_thread(Store.begin, lifetime)
        bucket = await asyncio.to_thread(store.create_bucket)
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
                    bucket.environment if role in USE_THE_STORE else None,
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
        proxy = await asyncio.to_thread(start_proxy, lifetime, _ports(realtime), _ports(api))
        balancer = Balancer([*realtime, *api])
        await stack.enter_async_context(balancer.looking())
        yield Fleet(roles, buses, store, database, balancer, proxy)


def _ports(roads: Sequence[Road]) -> list[int]:
    return [road.port for road in roads if road.port is not None]


async def _bus(lifetime: Lifetime, name: str) -> Bus:
    return Bus(lifetime, await asyncio.to_thread(start_valkey, lifetime, name), name)


def _migrate(database_url: str) -> None:
    environment = {"PICKY_DATABASE_URL": database_url}
    run_command("migrate", environment=environment).check_returncode()
