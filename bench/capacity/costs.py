"""What one operation costs: the measured figures that everything else here is worked out from.

CPU is of one core of the machine that measured (2 cores, x86_64, Python 3.11, PostgreSQL 18, the
client on the same two). A machine that does a send in half of that needs half as many cores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


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


_BENCH = "python -m bench"
_FLOW = f"{_BENCH} flow chat"
_MANY = f"{_BENCH} many"
_BROWSING = f"{_BENCH} browsing"
_ACTS = f"{_BENCH} acts"
_QUIET = f"{_BENCH} quiet"
_CROWD = f"{_BENCH} crowd"
_HINTS = f"{_BENCH} hints"

SENDS = (
    SendCost("a send, by itself", 1.41, 1.56, _FLOW, a_second=302),
    SendCost("a send, at 600 a second and process", 0.84, 0.76, _FLOW, a_second=600),
    SendCost("a send, at 1,350 a second and process", 0.34, 0.31, _FLOW, a_second=1_350),
    SendCost("a send, at 4,584 a second and process", 0.15, 0.06, _FLOW, a_second=4_584),
)
"""Each with the sender's own event; the reader's is a delivery."""

DELIVERY = Cost("a delivery", 0.039, 0.0, _MANY)
HISTORY = Cost("a page of history", 1.90, 1.47, _FLOW, kb=7.7)
ROOM_LIST = Cost("the list of 20 rooms", 7.2, 1.6, _ACTS, kb=33.4)
PAGE = Cost("a page of the market", 2.00, 0.65, _BROWSING, kb=13.2)
SEARCH = Cost("a search, three words by relevance", 4.90, 5.35, _BROWSING, kb=13.2)

LOOK = Cost("a look at a listing", 6.4, 1.4, _ACTS)
LIKE = Cost("a like", 7.0, 1.8, _ACTS)
ROOM = Cost("a new room", 17.8, 5.2, _ACTS)
LISTING = Cost("a new listing with a small photo", 51.2, 10.2, _ACTS)
TRADE = Cost("a trade, to its end", 108.0, 23.8, _ACTS)
PHOTO = Cost("a photo of 6 megapixels", 180.6, 6.8, _ACTS)
BOOTSTRAP = Cost("a bootstrap", 20.0, 3.4, _ACTS, kb=184)
SIGN_IN = Cost("a sign-in", 31.2, 1.2, _ACTS)

IDLE = Cost("an idle socket, a minute", 2.8, 0.6, _QUIET)
"""Pings, and the looks at all heads and sessions that find what no hint told of."""
RESUME = Cost("a resume", 2.8, 0.3, _MANY)
"""CPU of ours: one process had 2,000 back in 5.6 s, so it was no more."""
GIVEN_UP = Cost("a handshake given up", 1.55, 0.12, _QUIET)
MARK = Cost("a read mark", 2.2, 1.2, _QUIET)
TYPING = Cost("a sign of typing", 1.0, 0.2, _QUIET)
"""PostgreSQL's part was too little to be seen; it was no more."""

HINT = Cost("a hint over the bus, both ends", 0.041, 0, _HINTS)
HINT_IN_VALKEY_MS = 0.002
"""CPU of Valkey for each hint, by the same command."""
BUS_QUEUE = 10_000
"""Hints that a process keeps waiting for one Valkey (``server/platform/valkey_bus.py``)."""

OF_ROOMS, OF_LIKERS = 5_000, 10_000
CHANGE = Cost(f"a change of a listing with {OF_ROOMS:,} rooms", 163, 123, _CROWD)
PRICE_CUT = Cost(f"a price cut of a listing with {OF_LIKERS:,} likers", 853, 353, _CROWD)
CHANGE_S, PRICE_CUT_S = 1.4, 5.6
"""How long the two take, from the request to its answer."""

SOCKET_KIB = 51.0
"""What a socket holds (``python -m bench chat``)."""
PROCESS_MIB = 161.0
"""What a process holds without any, its libraries and caches (the same)."""

ALL: Sequence[Cost] = (
    *SENDS,
    *(DELIVERY, MARK, TYPING, IDLE, RESUME, GIVEN_UP, HINT),
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
