"""A day of arrivals, minute by minute: who comes, who goes, and how many are connected."""

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from random import Random

MINUTES = 24 * 60
_BY_HOUR = (
    8,
    5,
    3,
    2,
    2,
    3,
    6,
    12,
    20,
    26,
    30,
    34,
    42,
    38,
    34,
    34,
    38,
    46,
    58,
    74,
    92,
    100,
    76,
    34,
)
"""Arrivals of each hour of the day as shares of the busiest: a country of one time zone, with a
rise at noon and most in the evening."""


@dataclass(frozen=True, slots=True)
class Day:
    """What came and went; ``connected`` is how many there were at the end of each minute."""

    before: int
    arrived: tuple[int, ...]
    gone: tuple[int, ...]
    connected: tuple[int, ...]

    @property
    def peak(self) -> int:
        """The most at once."""
        return max(self.connected)

    @property
    def busiest_minute(self) -> int:
        """When that was, in minutes of the day."""
        return self.connected.index(self.peak)


def simulate(users: int, stay_minutes: float, seed: int) -> Day:
    """A day with ``users`` connected when most are; each stays for a random time of this mean."""
    chance = Random(seed)
    rates = _rates(users, stay_minutes)
    leaves = min(1.0, 1 / stay_minutes)
    before = here = round(_levels(rates, leaves)[-1])
    arrived, gone, connected = [], [], []
    for rate in rates:
        came = _about(rate, rate, chance)
        went = min(here, _about(here * leaves, here * leaves * (1 - leaves), chance))
        here += came - went
        arrived.append(came)
        gone.append(went)
        connected.append(here)
    return Day(before, tuple(arrived), tuple(gone), tuple(connected))


def _rates(users: int, stay_minutes: float) -> list[float]:
    """Arrivals of each minute, such that ``users`` are expected when most are there."""
    hours = [*_BY_HOUR, _BY_HOUR[0]]
    shape = [
        this + (following - this) * minute / 60
        for this, following in pairwise(hours)
        for minute in range(60)
    ]
    most = max(_levels(shape, min(1.0, 1 / stay_minutes)))
    return [rate * users / most for rate in shape]


def _levels(rates: list[float], leaves: float) -> list[float]:
    """How many are expected to be there, on a day after one that was the same."""
    here, levels = 0.0, []
    for rate in rates * 2:
        here += rate - here * leaves
        levels.append(here)
    return levels[-MINUTES:]


def _about(mean: float, variance: float, chance: Random) -> int:
    """A count of this mean and variance: many small chances add up to a bell."""
    return max(0, round(chance.gauss(mean, sqrt(variance))))
