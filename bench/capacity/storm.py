"""Everybody comes back at once: one realtime process, what it works on, and the clients' own waits.

A discrete-event simulation. A process works on so many handshakes, in the order in which they came;
who comes when it has that many is sent away until its turn, and that takes CPU too. Sending
away goes first, for it waits for no database: how a storm may feed itself is a process that does
nothing else. Who has waited for as long as a client waits for its welcome gives up, is still
cleared away when its turn comes, and tries again after the client's own backoff.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count as numbers
from random import Random

from client_tui.core.clock import full_jitter
from client_tui.core.connection import WELCOME_S
from client_tui.core.session import FIRST_S, MOST_S
from server.realtime.handshakes import Turns
from server.realtime.settings import RealtimeSettings

_SERVER = RealtimeSettings()

PATIENCE_S = WELCOME_S
"""How long a client waits for its welcome."""
AT_ONCE = _SERVER.handshakes_most
"""Handshakes that a process works on; who comes then is sent away."""
TURNS_PER_S = _SERVER.handshakes_per_s
"""In which pace turns are given to those."""
SENT_AWAY_WITHIN_S = _SERVER.reconnect_within_ms / 1000
"""Over how long those come back who were told to leave; no turn is later either."""
CUT_OFF_WITHIN_S = FIRST_S
"""Over how long those come back whose line broke."""
HORIZON_S = 300.0
"""A storm that is not over by then is called endless."""
_MOST_SIMULATED = 500
"""Of more clients each simulated one stands for several, at several times the cost."""
_MANY = 10_000_000
"""More than any process holds: a storm that ends with so many is taken to end with any."""


@dataclass(frozen=True, slots=True)
class Storm:
    """So many clients come to one process; costs are seconds of it for each."""

    clients: int
    within_s: float
    resume_s: float
    give_up_s: float
    send_away_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a storm went; ``away`` is how many had not come back at the end of each second."""

    clients: int
    back: int
    half_back_s: float
    all_back_s: float
    sent_away: int
    gave_up: int
    longest_wait_s: float
    away: tuple[int, ...]

    @property
    def is_over(self) -> bool:
        """Whether everybody came back."""
        return self.back == self.clients

    @property
    def in_vain(self) -> int:
        """Tries that brought nobody back."""
        return self.sent_away + self.gave_up


def simulate(storm: Storm, seed: int, horizon_s: float = HORIZON_S) -> Outcome:
    """The storm from its beginning until all are back, or the horizon."""
    weight = -(-storm.clients // _MOST_SIMULATED)
    count = storm.clients // weight if weight else 0
    process = _Process(storm, max(1, weight), count, Random(seed))
    process.run(horizon_s)
    return _outcome(storm, count, weight, process)


@dataclass(slots=True)
class _Try:
    """Of one client; it is begun with or gone, whichever comes first."""

    came_at: float
    number: int
    is_let_in: bool = False
    is_begun: bool = False
    is_gone: bool = False


class _Process:
    """What it has to do; each client in it stands for ``weight`` of them."""

    def __init__(self, storm: Storm, weight: int, count: int, chance: Random) -> None:
        self._storm = storm
        self._weight = weight
        self._most = max(1, AT_ONCE // weight)
        self._chance = chance
        self._turns = Turns(TURNS_PER_S / weight, SENT_AWAY_WITHIN_S, chance.random)
        self._happening: list[tuple[float, int, _Try]] = []
        """Tries that come, and the ends of their clients' patience."""
        self._serial = numbers()
        self._under_way: deque[_Try] = deque()
        self._left_s = 0.0
        """Of the work on the first of them."""
        self._now = self._sending_until = 0.0
        self.back_at: list[float] = []
        self.sent_away = self.gave_up = 0
        self.longest_s = 0.0
        for _ in range(count):
            self._come(chance.random() * storm.within_s, 1)

    def run(self, horizon_s: float) -> None:
        """Until nothing more happens, or the horizon."""
        while self._happening and self._happening[0][0] < horizon_s:
            at, _, one = heapq.heappop(self._happening)
            self._work_until(at)
            if one.is_let_in:
                self._lose_patience(one)
            elif len(self._under_way) < self._most:
                one.is_let_in = True
                self._under_way.append(one)
                self._happen(at + PATIENCE_S, one)
            else:
                self._send_away(one)

    def _come(self, at: float, number: int) -> None:
        self._happen(at, _Try(at, number))

    def _happen(self, at: float, one: _Try) -> None:
        heapq.heappush(self._happening, (at, next(self._serial), one))

    def _work_until(self, until: float) -> None:
        """Work on handshakes, first come, first served, while nobody is to be sent away."""
        at = max(self._now, self._sending_until)
        self._now = until
        while self._under_way and at < until:
            first = self._under_way[0]
            if not first.is_begun:
                self._begin(first, at)
            if at + self._left_s > until:
                self._left_s -= until - at
                return
            at += self._left_s
            self._under_way.popleft()
            if not first.is_gone:
                self.back_at.append(at)

    def _begin(self, first: _Try, at: float) -> None:
        first.is_begun = True
        self.longest_s = max(self.longest_s, min(at - first.came_at, PATIENCE_S))
        each_s = self._storm.give_up_s if first.is_gone else self._storm.resume_s
        self._left_s = each_s * self._weight

    def _send_away(self, one: _Try) -> None:
        begun_at = max(self._sending_until, one.came_at)
        self._sending_until = begun_at + self._storm.send_away_s * self._weight
        if self._sending_until - one.came_at > PATIENCE_S:
            self._give_up(one)
            return
        self.sent_away += 1
        wait_s = self._turns.wait_s(self._sending_until, len(self._under_way))
        self._come(self._sending_until + wait_s, one.number + 1)

    def _lose_patience(self, one: _Try) -> None:
        if not one.is_begun:
            one.is_gone = True
            self._give_up(one)

    def _give_up(self, one: _Try) -> None:
        self.gave_up += 1
        wait_s = full_jitter(one.number, first=FIRST_S, most=MOST_S, chance=self._chance.random)
        self._come(one.came_at + PATIENCE_S + wait_s, one.number + 1)


def _outcome(storm: Storm, count: int, weight: int, process: _Process) -> Outcome:
    back_at = process.back_at
    # What does not divide comes back with the last ones: nobody is left out of the count.
    is_over = len(back_at) == count
    back = storm.clients if is_over else len(back_at) * weight
    last_s = back_at[-1] if back_at else 0.0
    until_s = int(last_s) + 1 if is_over else int(HORIZON_S)
    away, done = [], 0
    for second in range(1, until_s + 1):
        while done < len(back_at) and back_at[done] <= second:
            done += 1
        away.append(storm.clients - (back if done == len(back_at) else done * weight))
    return Outcome(
        clients=storm.clients,
        back=back,
        half_back_s=back_at[count // 2] if 2 * len(back_at) > count else float("inf"),
        all_back_s=last_s if is_over else float("inf"),
        sent_away=process.sent_away * weight,
        gave_up=process.gave_up * weight,
        longest_wait_s=process.longest_s,
        away=tuple(away),
    )


def most_at_first_try(storm: Storm, seed: int) -> int:
    """The most clients that all come back at their first try."""
    first_tries_s = storm.within_s + PATIENCE_S
    return _most(lambda clients: _at(storm, clients, seed, first_tries_s).in_vain == 0)


def most_that_end(storm: Storm, seed: int) -> int:
    """The most clients whose storm is over by the horizon; with more it feeds itself."""
    return _most(lambda clients: _at(storm, clients, seed, HORIZON_S).is_over)


def _at(storm: Storm, clients: int, seed: int, horizon_s: float) -> Outcome:
    return simulate(replace(storm, clients=clients), seed, horizon_s)


def _most(is_well: Callable[[int], bool]) -> int:
    """By doubling and halving, to a hundredth."""
    well, bad = 0, 100
    while bad < _MANY and is_well(bad):
        well, bad = bad, bad * 2
    while bad - well > max(1, bad // 100):
        middle = (well + bad) // 2
        if is_well(middle):
            well = middle
        else:
            bad = middle
    return well
