"""The storms a fleet may meet, and what they cost it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from bench.capacity import costs
from bench.capacity.costs import Cost
from bench.capacity.fleet import Fleet
from bench.capacity.storm import (
    CUT_OFF_WITHIN_S,
    DRAINED_WITHIN_S,
    Outcome,
    Storm,
    most_without_giving_up,
    simulate,
)


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
        return self._cpu_s(costs.RESUME.server_ms, costs.GIVEN_UP.server_ms)

    @property
    def database_cpu_s(self) -> float:
        """The same of PostgreSQL."""
        return self._cpu_s(costs.RESUME.database_ms, costs.GIVEN_UP.database_ms)

    def _cpu_s(self, resume_ms: float, give_up_ms: float) -> float:
        each = self.outcome.back * resume_ms + self.outcome.gave_up * give_up_ms
        return self.processes * each / 1000


def returns(fleet: Fleet, seed: int) -> Iterator[Return]:
    """A restart of one process after the other, one lost, all told to leave, and all cut off."""
    others, all_of_them = fleet.realtime - 1, fleet.realtime
    some = ceil(fleet.sockets_each / others)
    for what, clients, processes, within_s in (
        ("one process is drained", some, others, DRAINED_WITHIN_S),
        ("one process is lost", some, others, CUT_OFF_WITHIN_S),
        ("all are drained at once", fleet.sockets_each, all_of_them, DRAINED_WITHIN_S),
        ("all lines are cut at once", fleet.sockets_each, all_of_them, CUT_OFF_WITHIN_S),
    ):
        storm = storm_at(fleet, clients, processes, within_s)
        yield Return(what, processes, simulate(storm, seed))


def storm_at(
    fleet: Fleet, clients: int, processes: int, within_s: float, *, busy: float | None = None
) -> Storm:
    """So many clients at each of the processes, which do their usual work meanwhile.

    A resume takes what is left of the process's core, or of PostgreSQL's shared by all of them,
    whichever is longer.
    """
    at_work = fleet.busy if busy is None else busy
    spare_database = (fleet.database_cores - fleet.load.database) / processes

    def takes_s(cost: Cost) -> float:
        ours = cost.server_ms / (1 - at_work)
        return max(ours, cost.database_ms / spare_database) / 1000

    return Storm(clients, within_s, takes_s(costs.RESUME), takes_s(costs.GIVEN_UP))


def drained_together(fleet: Fleet, seed: int) -> int:
    """How many processes may be drained together without anybody giving up; at least one."""
    most = most_without_giving_up(storm_at(fleet, 0, fleet.realtime, DRAINED_WITHIN_S), seed)
    return max(1, int(fleet.realtime * most / (most + fleet.sockets_each)))
