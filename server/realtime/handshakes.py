"""How many handshakes a process works on at once, and when those who come meanwhile come back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from server.realtime.metrics import UNDER_WAY
from server.realtime.settings import RealtimeSettings


class Busy(Exception):
    """Too many come at once for another one to be worked on in time."""


class Turns:
    """When each of those who are sent away comes back: one after the other, ``per_s`` a second."""

    def __init__(self, per_s: float, most_s: float, chance: Callable[[], float]) -> None:
        self._per_s = per_s
        self._most_s = most_s
        self._chance = chance
        self._last_at = 0.0

    def wait_s(self, now: float, under_way: int) -> float:
        """Until the next turn, behind those under way and those who were sent away before. Where
        that is too long, until some time in the later half of the longest.
        """
        turn_at = max(self._last_at, now + under_way / self._per_s) + 1 / self._per_s
        if turn_at - now > self._most_s:
            return (1 + self._chance()) / 2 * self._most_s
        self._last_at = turn_at
        return turn_at - now


class Handshakes:
    """Those that are worked on now, and the turns of those who were sent away."""

    def __init__(
        self,
        settings: RealtimeSettings,
        chance: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._most = settings.handshakes_most
        most_s = settings.reconnect_within_ms / 1000
        self._turns = Turns(settings.handshakes_per_s, most_s, chance)
        self._monotonic = monotonic
        self._under_way = 0

    def admit(self) -> None:
        """Raise :class:`Busy` for who is one too many. Who is known already is not asked this: most
        of the work on it is done.
        """
        if self._under_way >= self._most:
            raise Busy

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Count one meanwhile."""
        self._under_way += 1
        try:
            with UNDER_WAY.track_inprogress():
                yield
        finally:
            self._under_way -= 1

    def turn_ms(self) -> int:
        """In how long who is sent away has its turn."""
        return int(self._turns.wait_s(self._monotonic(), self._under_way) * 1000)
