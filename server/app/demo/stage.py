"""What the demo market is played on: a clock that the plots move, and who takes part."""

import heapq
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from server.app.demo.content import Thing
from server.app.demo.visitor import Visitor
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.jobs import Worker

Plot = AsyncIterator[datetime]
"""Something that happens over time: it yields the moment at which it wants to go on."""

_TIMERS_EVERY = timedelta(days=2)
_TIMERS_SINCE = timedelta(days=50)


@dataclass(slots=True)
class Offered:
    """A thing in the market; `last_at` is the last moment at which its chats moved."""

    thing: Thing
    seller: Visitor
    last_at: datetime
    photo_ids: list[str] = field(default_factory=list)
    listing_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """The tools of every plot. `end` is the present, at which all plots have played."""

    context: Context
    clock: MovableClock
    end: datetime
    rng: Random
    worker: Worker

    def now(self) -> datetime:
        """The moment that is being played."""
        return self.clock.now()

    def later(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """A moment after this one; a few minutes are added, since nobody is that punctual."""
        exact = timedelta(days=days, hours=hours, minutes=minutes)
        return self.now() + exact + timedelta(seconds=self.rng.randint(20, 240))

    async def run_timers(self) -> None:
        """Run the market's own timers that are due by now."""
        await self.worker.run_due()


async def play(
    stage: Stage, plots: Iterable[tuple[datetime, Plot]], done: Callable[[], None]
) -> None:
    """Play all plots, each from its moment on, in the order of time; then the present begins.

    `done()` is called for each plot that has ended.
    """
    waiting = [(moment, number, plot) for number, (moment, plot) in enumerate(plots)]
    heapq.heapify(waiting)
    timers_at = stage.end - _TIMERS_SINCE
    while waiting:
        moment, number, plot = heapq.heappop(waiting)
        while timers_at <= moment:
            stage.clock.move_to(timers_at)
            await stage.run_timers()
            timers_at += _TIMERS_EVERY
        stage.clock.move_to(moment)
        next_moment = await anext(plot, None)
        if next_moment is None:
            done()
            continue
        if not moment < next_moment <= stage.end:
            raise ValueError(f"{plot} leaves its time: from {moment} to {next_moment}")
        heapq.heappush(waiting, (next_moment, number, plot))
    stage.clock.move_to(stage.end)
    await stage.run_timers()
