"""The storms a fleet may meet, and what they cost it."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

from bench.capacity import costs
from bench.capacity.costs import Cost
from bench.capacity.fleet import Fleet
from bench.capacity.storm import (
    CUT_OFF_WITHIN_S,
    SENT_AWAY_WITHIN_S,
    Outcome,
    Storm,
    simulate,
)

_LEAST_SPARE = 0.01
"""Of the core of a process that has more to do than it can: it still takes turns."""


@dataclass(frozen=True, slots=True)
class Return:
    """What happened, to how many processes it brings how many clients each, and how it went."""

    what: str
    processes: int
    outcome: Outcome

    @property
    def clients(self) -> int:
        """Of all processes together."""
        return self.processes * self.outcome.clients

    @property
    def server_cpu_s(self) -> float:
        """CPU seconds of ours that it costs beside everything else."""
        return self._cpu_s(lambda cost: cost.server_ms)

    @property
    def database_cpu_s(self) -> float:
        """The same of PostgreSQL."""
        return self._cpu_s(lambda cost: cost.database_ms)

    def _cpu_s(self, ms: Callable[[Cost], float]) -> float:
        met = self.outcome
        each = met.back * ms(costs.RESUME) + met.gave_up * ms(costs.GIVEN_UP)
        return self.processes * (each + met.sent_away * ms(costs.SENT_AWAY)) / 1000


def returns(fleet: Fleet, seed: int) -> Iterator[Return]:
    """A restart of one process after the other, one lost, all told to leave, and all cut off."""
    others, all_of_them = fleet.realtime - 1, fleet.realtime
    some = ceil(fleet.sockets_each / others)
    for what, clients, processes, within_s in (
        ("one process is drained", some, others, SENT_AWAY_WITHIN_S),
        ("one process is lost", some, others, CUT_OFF_WITHIN_S),
        ("all are drained at once", fleet.sockets_each, all_of_them, SENT_AWAY_WITHIN_S),
        ("all lines are cut at once", fleet.sockets_each, all_of_them, CUT_OFF_WITHIN_S),
    ):
        storm = storm_at(fleet, clients, processes, within_s)
        yield Return(what, processes, simulate(storm, seed))


def storm_at(
    fleet: Fleet, clients: int, processes: int, within_s: float, *, busy: float | None = None
) -> Storm:
    """So many clients at each of the processes that are left, which do all the usual work.

    A resume takes what is left of the process's core, or of PostgreSQL's shared by all of them,
    whichever is longer.
    """
    at_work = fleet.load.realtime / processes if busy is None else busy
    spare = max(_LEAST_SPARE, 1 - at_work)
    spare_database = (fleet.database_cores - fleet.load.database) / processes

    def takes_s(cost: Cost) -> float:
        return max(cost.server_ms / spare, cost.database_ms / spare_database) / 1000

    each_s = map(takes_s, (costs.RESUME, costs.GIVEN_UP, costs.SENT_AWAY))
    return Storm(clients, within_s, *each_s)


def drained_together(fleet: Fleet, seed: int) -> int:
    """How many processes may be drained together without anybody trying twice; at least one."""

    def is_too_many(count: int) -> bool:
        others = fleet.realtime - count
        clients = ceil(count * fleet.sockets_each / others)
        storm = storm_at(fleet, clients, others, SENT_AWAY_WITHIN_S)
        return simulate(storm, seed).in_vain > 0

    return max(1, bisect_left(range(1, fleet.realtime), True, key=is_too_many))
