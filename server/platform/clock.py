"""Time, injected: no rule reads the machine's clock by itself."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the server's time comes from."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)


class MovableClock:
    """A clock that stands still until it is moved, for seeding and for tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The moment it was last moved to."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Set the time, forwards or backwards."""
        self._now = moment

    def advance(self, step: timedelta) -> None:
        """Move on by ``step``."""
        self._now += step
