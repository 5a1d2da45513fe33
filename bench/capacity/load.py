"""What users at their habits ask of each role, of PostgreSQL and of the bus: sums, no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bench.capacity import costs
from bench.capacity.costs import Cost
from bench.capacity.habits import Habits

_HOUR_S = 3600


class Role(StrEnum):
    """Whose process does it."""

    API = "api"
    REALTIME = "realtime"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that happens so often an hour for each connected user.

    ``commits``, ``rows`` and ``hints`` are counted from its statements: transactions that write,
    rows inserted or updated, messages on the bus.
    """

    role: Role
    cost: Cost
    an_hour: float
    commits: float = 0
    rows: float = 0
    hints: float = 0


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for at one moment: cores at work, and numbers a second."""

    users: float
    sockets: float
    api: float
    realtime: float
    worker: float
    database: float
    bus: float
    commits: float
    rows: float
    hints: float
    messages: float
    megabytes: float


def operations(habits: Habits, sends_a_process: float) -> Iterator[Operation]:
    """All that is counted; ``sends_a_process`` a second decide how many share a commit."""
    yield from _talking(habits, costs.send_cost(sends_a_process))
    yield from _staying(habits)
    yield from _browsing(habits)
    yield from _dealing(habits)


def _talking(habits: Habits, send: Cost) -> Iterator[Operation]:
    messages = habits.looking * habits.messages
    deliveries = messages * (habits.heard * habits.devices + habits.devices - 1)
    # A message, its room, two members, two heads, two events, and the document that search finds.
    yield Operation(Role.REALTIME, send, messages, 1, 9, 2)
    yield Operation(Role.REALTIME, costs.DELIVERY, deliveries)
    yield Operation(Role.REALTIME, costs.MARK, messages * habits.marks, 1, 5, 2)
    yield Operation(Role.REALTIME, costs.TYPING, messages * habits.typing, hints=1)


def _staying(habits: Habits) -> Iterator[Operation]:
    sockets, begun = habits.devices, 60 / habits.minutes
    yield Operation(Role.REALTIME, costs.IDLE, 60 * sockets)
    yield Operation(Role.REALTIME, costs.RESUME, (begun + habits.drops) * sockets, 1, 1)
    yield Operation(Role.API, costs.BOOTSTRAP, habits.resets * sockets)


def _browsing(habits: Habits) -> Iterator[Operation]:
    """Who begins sees the first page of the market and the own rooms."""
    begun = 60 / habits.minutes
    yield Operation(Role.API, costs.HISTORY, habits.chats)
    yield Operation(Role.API, costs.ROOM_LIST, habits.room_lists + begun)
    yield Operation(Role.API, costs.PAGE, habits.pages + begun)
    yield Operation(Role.API, costs.SEARCH, habits.searches, 1, 1)
    yield Operation(Role.API, costs.LOOK, habits.views, 1, 1)


def _dealing(habits: Habits) -> Iterator[Operation]:
    yield Operation(Role.API, costs.LIKE, habits.likes, 1, 2)
    yield Operation(Role.API, costs.ROOM, habits.rooms, 1, 12, 4)
    yield Operation(Role.API, costs.LISTING, habits.listings, 4, 14, 1)
    yield Operation(Role.WORKER, costs.PHOTO, habits.photos, 4, 8)
    yield Operation(Role.API, costs.TRADE, habits.trades, 3, 50, 14)
    yield Operation(Role.API, costs.SIGN_IN, habits.sign_ins, 1, 2)


def load(users: float, habits: Habits, sockets_a_process: int) -> Load:
    """What so many connected users ask for; twice the users, twice of everything."""
    sends = habits.looking * habits.messages / _HOUR_S / habits.devices * sockets_a_process
    done = list(operations(habits, sends))

    def cores(role: Role) -> float:
        ms = sum(one.an_hour * one.cost.server_ms for one in done if one.role is role)
        return users * ms / 1000 / _HOUR_S

    def a_second(count: float) -> float:
        return users * count / _HOUR_S

    hints = a_second(sum(one.an_hour * one.hints for one in done))
    return Load(
        users=users,
        sockets=users * habits.devices,
        api=cores(Role.API),
        realtime=cores(Role.REALTIME) + hints * costs.HINT.server_ms / 1000,
        worker=cores(Role.WORKER),
        database=a_second(sum(one.an_hour * one.cost.database_ms for one in done)) / 1000,
        bus=hints * costs.HINT_IN_VALKEY_MS / 1000,
        commits=a_second(sum(one.an_hour * one.commits for one in done)),
        rows=a_second(sum(one.an_hour * one.rows for one in done)),
        hints=hints,
        messages=a_second(habits.looking * habits.messages),
        megabytes=a_second(sum(one.an_hour * one.cost.kb for one in done)) / 1000,
    )
