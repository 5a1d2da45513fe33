"""What a fleet is put through: its parts are killed, paused, restarted and away in turn."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.deploy.fleet import Fleet, Store
from tests.faults.town import Bus, Node
from tests.faults.waiting import came

DEAD_S, STILL_S, AWAY_S = 1.0, 3.0, 10.0
BREATH_S = 1.0
"""Between one hardship and the next, so that what one does is told apart."""
SERVED_WITHIN_S = 30.0
KINDS = 3
"""A process is killed, paused or restarted."""


@dataclass(frozen=True)
class Hardship:
    """What is done, in words, and how."""

    name: str
    befall: Callable[[], Awaitable[None]]

    def beside(self, other: "Hardship") -> "Hardship":
        """Both at once."""

        async def both() -> None:
            async with asyncio.TaskGroup() as work:
                for one in (self, other):
                    work.create_task(_befall(one))

        return Hardship(f"{self.name}; meanwhile {other.name}", both)


def all_of(fleet: Fleet, random: Random) -> list[Hardship]:
    """Every kind once, for a random process of each role."""
    return [
        *_to_processes(fleet, random),
        *_to_buses(fleet, random),
        *_to_store(fleet),
        *_outages(fleet),
        *_to_database(fleet, random),
    ]


def some_of(fleet: Fleet, random: Random) -> list[Hardship]:
    """Of what befalls processes one of each kind, each to another role, two of them while there is
    no store or no bus; of what befalls the store one, of all else two each.
    """
    by_role = list(_to_processes(fleet, random))
    kinds = random.sample(range(KINDS), KINDS)
    chosen = [by_role[role * KINDS + kind] for role, kind in enumerate(kinds)]
    random.shuffle(chosen)
    for place, outage in enumerate(_outages(fleet)):
        chosen[place] = outage.beside(chosen[place])
    chosen += random.sample(list(_to_store(fleet)), 1)
    for others in _to_buses(fleet, random), _to_database(fleet, random):
        chosen += random.sample(list(others), 2)
    return chosen


def _to_processes(fleet: Fleet, random: Random) -> Iterator[Hardship]:
    for role, nodes in fleet.roles.items():
        killed, paused, restarted = (random.choice(nodes) for _ in range(3))
        yield Hardship(f"kill {_a(role)} process", lambda node=killed: _kill(node))  # type: ignore[misc]
        yield Hardship(f"pause {_a(role)} process", lambda node=paused: _pause(node))  # type: ignore[misc]
        yield Hardship(
            f"restart {_a(role)} process",
            lambda node=restarted: _restart(fleet, node),  # type: ignore[misc]
        )


def _a(role: str) -> str:
    return f"an {role}" if role == "api" else f"a {role}"


def _to_buses(fleet: Fleet, random: Random) -> Iterator[Hardship]:
    killed, paused = random.sample(fleet.buses, 2)
    yield Hardship("kill one bus", lambda: _kill(killed))
    yield Hardship("pause the other bus", lambda: _pause(paused))
    yield Hardship("kill both buses", lambda: _kill(*fleet.buses))


def _to_store(fleet: Fleet) -> Iterator[Hardship]:
    yield Hardship("kill the store", lambda: _kill(fleet.store))
    yield Hardship("pause the store", lambda: _pause(fleet.store))


def _outages(fleet: Fleet) -> Iterator[Hardship]:
    """What is away for long, for everybody, and is no reason for a proxy to send people nowhere."""
    for name, parts in (("store", [fleet.store]), ("buses", fleet.buses)):

        async def away(name: str = name, parts: Sequence[Bus | Store] = parts) -> None:
            for part in parts:
                await part.kill()
            await _wait(AWAY_S)
            served = await _is_served(fleet)
            for part in parts:
                await part.start()
            assert served, f"without the {name} nobody was served"

        yield Hardship(f"be without the {name} for {AWAY_S:.0f} s", away)


async def _is_served(fleet: Fleet) -> bool:
    """Whether people get somewhere: a process that was killed or paused meanwhile may be back late,
    and the others answer late, on a busy machine.
    """
    clock = asyncio.get_running_loop()
    until = clock.time() + SERVED_WITHIN_S
    while not (served := await asyncio.to_thread(fleet.proxy.leads_somewhere)):
        if clock.time() > until:
            break
        await _wait(BREATH_S)
    return served


def _to_database(fleet: Fleet, random: Random) -> Iterator[Hardship]:
    async def killed() -> None:
        await fleet.database.kill()
        await _wait(DEAD_S)
        await fleet.database.start()

    async def restarted() -> None:
        await fleet.database.stop()
        await fleet.database.start()

    async def paused() -> None:
        async with fleet.database.backends.standing_still(random):
            await _wait(STILL_S)

    yield Hardship("kill the database", killed)
    yield Hardship("pause the database", paused)
    yield Hardship("restart the database", restarted)


async def _befall(hardship: Hardship) -> None:
    await hardship.befall()


async def _kill(*parts: Node | Bus | Store) -> None:
    for part in parts:
        await part.kill()
    await _wait(DEAD_S)
    for part in parts:
        await part.start()


async def _pause(part: Node | Bus | Store) -> None:
    with part.standing_still():
        await _wait(STILL_S)


async def _restart(fleet: Fleet, node: Node) -> None:
    await node.drain()
    await node.start()
    if node not in fleet.roles["worker"]:
        await fleet.balancer.sees_ready(node.road)


async def _wait(seconds: float) -> None:
    await came(asyncio.Event(), seconds)
