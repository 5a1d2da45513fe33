"""How many processes carry a load with room to spare, and how many users one primary carries."""

from dataclasses import dataclass
from math import ceil

from bench.capacity import costs
from bench.capacity.habits import Habits
from bench.capacity.load import Load, load
from server.app.settings import Settings

_LEAST = 2
"""Processes of each role, so that one may be lost."""
_BESIDE_THE_POOL = 2
_POOL = int(Settings.model_fields["database_pool"].default)


@dataclass(frozen=True, slots=True)
class Room:
    """How full things may be at the hour of the day when most are connected."""

    utilisation: float = 0.6
    """Share of each core that is at work."""
    sockets: int = 5_000
    """Sockets a realtime process: what is lost with it, and what comes to the others."""
    primary_cores: int = 64
    """Cores of the largest PostgreSQL that is to be had."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Processes and memory by role; a process is one core."""

    load: Load
    api: int
    realtime: int
    worker: int
    bus: int
    database_cores: int
    room: Room

    @property
    def processes(self) -> int:
        """Those that talk to the database."""
        return self.api + self.realtime + self.worker

    @property
    def connections(self) -> int:
        """To the database, when all pools are full; PgBouncer makes fewer of them."""
        return self.processes * (_POOL + _BESIDE_THE_POOL)

    @property
    def sockets_each(self) -> int:
        """Sockets of one realtime process."""
        return ceil(self.load.sockets / self.realtime)

    @property
    def busy(self) -> float:
        """The share of a realtime process's core that is at work."""
        return self.load.realtime / self.realtime

    @property
    def memory_gib(self) -> float:
        """Of all processes together."""
        sockets = self.load.sockets * costs.SOCKET_KIB / 2**20
        return self.processes * costs.PROCESS_MIB / 2**10 + sockets


def fleet(users: float, habits: Habits, room: Room) -> Fleet:
    """What so many connected users need."""
    asked = load(users, habits, room.sockets)

    def enough(cores: float, least: int = _LEAST) -> int:
        return max(least, ceil(cores / room.utilisation))

    return Fleet(
        load=asked,
        api=enough(asked.api),
        realtime=max(enough(asked.realtime), ceil(asked.sockets / room.sockets)),
        worker=enough(asked.worker),
        bus=enough(asked.bus, 1),
        database_cores=enough(asked.database),
        room=room,
    )


def most_users(habits: Habits, room: Room) -> int:
    """How many connected users fill one primary to what is allowed."""
    each = load(1, habits, room.sockets).database
    return int(room.primary_cores * room.utilisation / each)
