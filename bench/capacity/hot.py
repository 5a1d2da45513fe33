"""One change that thousands are told of."""

from dataclasses import dataclass
from math import ceil

from bench.capacity import costs


@dataclass(frozen=True, slots=True)
class Crowd:
    """What telling everybody costs; CPU in ms, ``takes_s`` from the request to its answer."""

    what: str
    told: int
    server_ms: float
    database_ms: float
    takes_s: float
    rows: int

    @property
    def hints(self) -> int:
        """On the bus: one for each who is told."""
        return self.told

    @property
    def megabytes(self) -> float:
        """To clients, if all are connected."""
        return self.told * costs.DELIVERY.kb / 1000

    def each_bus(self, instances: int) -> int:
        """Hints to each instance of the bus: accounts are spread evenly."""
        return ceil(self.hints / instances)


def crowd(what: str, *, rooms: int, likers: int) -> Crowd:
    """A change of a listing with so many rooms and so many likers.

    In proportion to what was measured: what such a change costs beside its people is nothing.
    """
    by_room, by_liker = rooms / costs.OF_ROOMS, likers / costs.OF_LIKERS
    told = rooms + likers + 1
    heard = told * (costs.HINT.server_ms + costs.DELIVERY.server_ms)
    return Crowd(
        what=what,
        told=told,
        server_ms=by_room * costs.CHANGE.server_ms + by_liker * costs.PRICE_CUT.server_ms + heard,
        database_ms=by_room * costs.CHANGE.database_ms + by_liker * costs.PRICE_CUT.database_ms,
        takes_s=by_room * costs.CHANGE_S + by_liker * costs.PRICE_CUT_S,
        # A head and an event for each, and a notice for who likes it.
        rows=2 * told + likers + 1,
    )
