"""Several processes over one PostgreSQL and one Valkey: what a message costs when most people are
at another process than those they talk to, and how many messages go through.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bench.figures import Figures, Watched, measured, tree_cpu_s
from bench.flow import ROUNDS, WINDOW, sent_a_second
from bench.market import Market
from bench.sockets import Peer, Sender, talk
from server.platform.migrate import upgrade
from tests.servers.lifetime import Lifetime
from tests.servers.picky import PickyServer, start_picky
from tests.servers.postgres import start_postgres
from tests.servers.s3 import start_s3
from tests.servers.valkey import start_valkey

COUNTS = (1, 2, 4)
_ROOMS = 16
_SECRET_KEY = "what all processes of a bench share"


@dataclass(frozen=True, slots=True)
class _Fleet:
    """The same market by each of its processes."""

    doors: Sequence[Market]
    watched: Watched
    valkey: int


def measure_processes(*, sends: int) -> list[Figures]:
    """Sixteen rooms by one process, by two and by four, as fast as it goes."""
    found = []
    for count in COUNTS:
        with _fleet(count) as fleet:
            found.append(asyncio.run(_through(fleet, sends)))
    return found


@contextmanager
def _fleet(count: int) -> Iterator[_Fleet]:
    with Lifetime.begin() as lifetime:
        postgres, valkey = start_postgres(lifetime, durable=True), start_valkey(lifetime)
        bucket = start_s3(lifetime).create_bucket("bench")
        url = postgres.create_database("bench")
        upgrade(url)

        def start(name: str, port: int) -> PickyServer:
            return start_picky(
                lifetime,
                name,
                bucket.environment,
                port=port,
                database_url=url,
                bus_url=valkey.url(),
                object_store_url=bucket.url,
                secret_key=_SECRET_KEY,
                log_level="WARNING",
            )

        servers = [start(f"picky-{number}", 0) for number in range(count)]
        first = Market(
            servers[0], url, postgres, lifetime.directory, lambda port: start("picky-0", port)
        )
        doors = [replace(first, server=server) for server in servers]
        pids = tuple(server.pid for server in servers)
        yield _Fleet(doors, Watched(pids, postgres.pid), valkey.pid)


async def _through(fleet: _Fleet, sends: int) -> Figures:
    doors = fleet.doors
    talks = [await talk(doors[0], f"room_{number}") for number in range(_ROOMS)]
    senders = [
        await Sender.online(doors[number % len(doors)], one, WINDOW)
        for number, one in enumerate(talks)
    ]
    peers = [
        await Peer.online(doors[(number + 1) % len(doors)], one, sender)
        for number, (one, sender) in enumerate(zip(talks, senders, strict=True))
    ]
    hearing = [asyncio.create_task(peer.hear(ROUNDS * sends)) for peer in peers]
    in_valkey = tree_cpu_s(fleet.valkey)
    name = f"sixteen rooms, both sides online, by {_processes(len(doors))}"
    with measured(name, fleet.watched) as figures:
        figures.operations = ROUNDS * len(senders) * sends
        rate = await sent_a_second(senders, sends)
        await asyncio.gather(*hearing)
    figures.samples = [wait for peer in peers for wait in peer.waits_ms]
    of_valkey = (tree_cpu_s(fleet.valkey) - in_valkey) * 1e6 / figures.operations
    figures.note = f"{rate:,.0f} durable `ok` a second; {of_valkey:.0f} µs of Valkey each"
    await asyncio.gather(*(one.close() for one in (*senders, *peers)))
    return figures


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes"
