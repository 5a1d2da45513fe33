"""What one operation costs: the measured figures that everything else here is worked out from.

They are those of docs/figures.md, on PostgreSQL: CPU is of one core of the machine that measured,
with the client on the same two. A machine that does a send in half of that needs half as many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.capacity.measured import Row, measured


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU in ms of our process and of PostgreSQL for one operation, and what measured it.

    ``kb`` go to clients: measured of the answers that are long, 1 where nobody looked.
    """

    name: str
    server_ms: float
    database_ms: float
    source: str
    kb: float = 1.0


@dataclass(frozen=True, slots=True)
class SendCost(Cost):
    """What a send costs where one process gets so many a second: they share commits."""

    a_second: float = 0.0


def _row(name: str) -> Row:
    return measured("PostgreSQL", name)


def _cost(name: str, part: str, row: Row, *, answer: str | None = None) -> Cost:
    """Of a line that a part of the bench has printed, and of how long its answer is."""
    kb = _row("bytes of an answer").told_of(answer) / 1000 if answer else 1.0
    return Cost(name, row.server_ms, row.database_ms, _by(part), kb)


def _by(part: str) -> str:
    return f"python -m bench {part}"


def _sends(line: str, part: str, told: str) -> SendCost:
    row = _row(line)
    a_second = row.told(f"{told} a second")
    name = f"a send, at {a_second:,.0f} a second and process"
    return SendCost(name, row.server_ms, row.database_ms, _by(part), a_second=a_second)


SENDS = (
    _sends("send to ok, one client", "chat", "messages"),
    _sends("send to ok, one client at half load", "flow", "messages"),
    _sends("send to ok, sixteen clients at half load", "flow", "messages"),
    _sends("sixteen clients in sixteen rooms", "flow", "durable `ok`"),
)
"""Each with the sender's own event; the reader's is a delivery."""

_HEARD = "a delivery to 200 sockets, 5 messages a second to each"
_HEARD_MS = (
    measured(database, _HEARD).told("µs of server CPU") / 1000
    for database in ("SQLite", "PostgreSQL")
)
DELIVERY = Cost("a delivery", max(_HEARD_MS), 0.0, _by("many"))
"""What one device more costs, which is the same on both databases: the dearer figure of the two,
for each is a small difference. What PostgreSQL does for it is in the send.
"""
HISTORY = _cost(
    "a page of history",
    "chat",
    _row("a page of 20 messages at depth 0"),
    answer="a page of history",
)
ROOM_LIST = _cost(
    "the list of 20 rooms", "acts", _row("the list of 20 rooms"), answer="the room list"
)
PAGE = _cost(
    "a page of the market",
    "browsing",
    _row("a listing page, a category by price, of 100,000"),
    answer="a listing page",
)
SEARCH = _cost(
    "a search, three words by relevance",
    "browsing",
    _row("a search, three words by relevance, of 100,000"),
    answer="a listing page",
)

LOOK, LIKE, ROOM, LISTING, TRADE, PHOTO, SIGN_IN = (
    _cost(name, "acts", _row(name))
    for name in (
        "a look at a listing",
        "a like",
        "a new room",
        "a new listing with a small photo",
        "a trade, to its end",
        "a photo of 6 megapixels",
        "a sign-in",
    )
)
BOOTSTRAP = _cost("a bootstrap", "acts", _row("a bootstrap"), answer="a bootstrap")

IDLE = _cost("an idle socket, a minute", "quiet", _row("400 idle sockets, each a minute"))
"""Pings, and the looks at all heads and sessions that find what no hint told of."""
MARK, TYPING = (_cost(name, "quiet", _row(name)) for name in ("a read mark", "a sign of typing"))
_BACK = _row("2,000 clients resumed after a restart")
RESUME = _cost("a resume", "many", _BACK)
GIVEN_UP, SENT_AWAY = (
    _cost(name, "refused", measured("Handshakes for nothing", name))
    for name in ("a handshake given up", "a handshake sent away as busy")
)

_TOLD = measured("The bus", "a hint from publisher to listener")
HINT = Cost("a hint over the bus, both ends", _TOLD.told("µs of both ends") / 1000, 0, _by("hints"))
HINT_IN_VALKEY_MS = _TOLD.told("µs of Valkey") / 1000
"""CPU of Valkey for each hint."""

OF_ROOMS, OF_LIKERS = 5_000, 10_000
_CHANGED = _row(f"a change of a listing with {OF_ROOMS:,} rooms")
_CUT = _row(f"a price cut of a listing with {OF_LIKERS:,} likers")
CHANGE = _cost(f"a change of a listing with {OF_ROOMS:,} rooms", "crowd", _CHANGED)
PRICE_CUT = _cost(f"a price cut of a listing with {OF_LIKERS:,} likers", "crowd", _CUT)
CHANGE_S, PRICE_CUT_S = _CHANGED.p50_ms / 1000, _CUT.p50_ms / 1000
"""How long the two take, from the request to its answer."""

_SOCKETS = _row("memory of 400 idle sockets")
SOCKET_KIB = _SOCKETS.told("KiB a socket")
"""What a socket holds."""
PROCESS_MIB = _SOCKETS.told_of("the process has")
"""What a process holds without any, its libraries and caches."""

ALL: Sequence[Cost] = (
    *SENDS,
    *(DELIVERY, MARK, TYPING, IDLE, RESUME, GIVEN_UP, SENT_AWAY, HINT),
    *(HISTORY, ROOM_LIST, PAGE, SEARCH, LOOK, LIKE, ROOM, LISTING, TRADE, PHOTO),
    *(BOOTSTRAP, SIGN_IN, CHANGE, PRICE_CUT),
)


def send_cost(a_second: float) -> Cost:
    """The cost of a send in a process that gets so many a second, between the measured ones."""
    for fewer, more in pairwise(SENDS):
        if a_second < more.a_second:
            share = max(0.0, a_second - fewer.a_second) / (more.a_second - fewer.a_second)
            return Cost(
                "a send",
                fewer.server_ms + share * (more.server_ms - fewer.server_ms),
                fewer.database_ms + share * (more.database_ms - fewer.database_ms),
                fewer.source,
            )
    return SENDS[-1]
