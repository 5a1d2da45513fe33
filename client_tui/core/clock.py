"""Time and chance as objects, so that rules about them can be tested without waiting."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the core knows of time."""

    def now(self) -> datetime:
        """The wall clock, UTC."""

    def monotonic(self) -> float:
        """Seconds that only rise; for spans, never shown."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The wall clock, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only rise."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


Chance = Callable[[], float]
"""A number from 0 up to 1."""

chance: Chance = random.random


def full_jitter(attempt: int, *, first: float, most: float, chance: Chance) -> float:
    """Seconds to wait before try ``attempt`` (from 0): anything up to a doubling bound."""
    return chance() * min(most, first * 2.0 ** min(attempt, 30))
