"""Everybody comes back at once: one realtime process, its queue, and the clients' own backoff.

A discrete-event simulation. Tries are served in the order in which they come, each for as long as
a resume takes; who has waited for as long as a hello may take gives up, is still cleared away when
its turn comes, and tries again after the client's own backoff. That clearing away is how a storm
may feed itself: a process that only clears away welcomes nobody.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from client_tui.core.clock import full_jitter
from client_tui.core.session import FIRST_S, MOST_S
from server.realtime.settings import RealtimeSettings

PATIENCE_S = RealtimeSettings().hello_s
"""How long a try may wait for its turn."""
DRAINED_WITHIN_S = RealtimeSettings().reconnect_within_ms / 1000
"""Over how long those who were told to leave come back."""
CUT_OFF_WITHIN_S = FIRST_S
"""Over how long those come back whose line broke."""
HORIZON_S = 600.0
"""A storm that is not over by then is called endless."""
_MOST_SIMULATED = 1_000
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a storm went; ``away`` is how many had not come back at the end of each second."""

    clients: int
    back: int
    half_back_s: float
    all_back_s: float
    gave_up: int
    longest_wait_s: float
    away: tuple[int, ...]

    @property
    def is_over(self) -> bool:
        """Whether everybody came back."""
        return self.back == self.clients


def simulate(storm: Storm, seed: int) -> Outcome:
    """The storm from its beginning until all are back, or the horizon."""
    weight = -(-storm.clients // _MOST_SIMULATED)
    count = storm.clients // weight if weight else 0
    chance = Random(seed)
    tries = [(chance.random() * storm.within_s, 1) for _ in range(count)]
    heapq.heapify(tries)
    free_at = longest_s = 0.0
    gave_up = 0
    back_at: list[float] = []
    while tries and tries[0][0] < HORIZON_S:
        came_at, attempt = heapq.heappop(tries)
        free_at = max(free_at, came_at)
        longest_s = max(longest_s, min(free_at - came_at, PATIENCE_S))
        if free_at - came_at <= PATIENCE_S:
            free_at += storm.resume_s * weight
            back_at.append(free_at)
            continue
        gave_up += 1
        free_at += storm.give_up_s * weight
        wait_s = full_jitter(attempt, first=FIRST_S, most=MOST_S, chance=chance.random)
        heapq.heappush(tries, (came_at + PATIENCE_S + wait_s, attempt + 1))
    return _outcome(storm, count, weight, back_at, gave_up, longest_s)


def _outcome(
    storm: Storm, count: int, weight: int, back_at: list[float], gave_up: int, longest_s: float
) -> Outcome:
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
        gave_up=gave_up * weight,
        longest_wait_s=longest_s,
        away=tuple(away),
    )


def most_without_giving_up(storm: Storm, seed: int) -> int:
    """The most clients that all come back at their first try."""
    return _most(storm, seed, lambda outcome: outcome.gave_up == 0)


def most_that_end(storm: Storm, seed: int) -> int:
    """The most clients whose storm is over by the horizon; with more it feeds itself."""
    return _most(storm, seed, lambda outcome: outcome.is_over)


def _most(storm: Storm, seed: int, is_well: Callable[[Outcome], bool]) -> int:
    """By doubling and halving, to a hundredth."""
    well, bad = 0, 100
    while bad < _MANY and is_well(simulate(replace(storm, clients=bad), seed)):
        well, bad = bad, bad * 2
    while bad - well > max(1, bad // 100):
        middle = (well + bad) // 2
        if is_well(simulate(replace(storm, clients=middle), seed)):
            well = middle
        else:
            bad = middle
    return well
