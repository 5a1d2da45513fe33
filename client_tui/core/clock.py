"""Time and chance as objects, so that rules about them can be tested without waiting."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

_AT_MOST_S: Final = 1.0
"""No sleep is longer at once: the event loop's own time stands still while the machine sleeps."""
_SUSPENDED_TOO: Final[int | None] = getattr(
    time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None)
)
"""The clock that goes on while a laptop is closed. ``time.monotonic`` does so on Windows only."""


class Clock(Protocol):
    """What the core knows of time."""

    def now(self) -> datetime:
        """The wall clock, UTC."""

    def monotonic(self) -> float:
        """Seconds that only rise, also while the machine sleeps; for spans, never shown."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The wall clock, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only rise, also while the machine is suspended."""
        return time.monotonic() if _SUSPENDED_TOO is None else time.clock_gettime(_SUSPENDED_TOO)

    async def sleep(self, seconds: float) -> None:
        """Wait. What ended while the machine was suspended is noticed soon after it woke."""
        until, left = self.monotonic() + seconds, seconds
        while True:
            await asyncio.sleep(min(left, _AT_MOST_S))
            left = until - self.monotonic()
            if left <= 0:
                return


Chance = Callable[[], float]
"""A number from 0 up to 1."""

chance: Chance = random.random


def full_jitter(attempt: int, *, first: float, most: float, chance: Chance) -> float:
    """Seconds to wait before try ``attempt`` (from 0): anything up to a doubling bound."""
    return chance() * min(most, first * 2.0 ** min(attempt, 30))
