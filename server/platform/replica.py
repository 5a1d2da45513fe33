"""A streaming replica of PostgreSQL, for reads that may be a little behind.

How far behind is measured without rights or clocks of the servers: where the primary's log stood at
some moment is remembered, and a replica that has replayed to there is not further behind than that.
A replica that no longer hears its primary says so by standing still.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import Pool, QueuePool

from server.platform.failures import DATABASE_FAILURES

_WRITTEN = text("SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint")
_REPLAYED = text("SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint")
_ASKED_EVERY_S = 0.5
_TRIED_EVERY_S = 5.0
_ANSWERS_WITHIN_S = 1.0
_OWN_WRITES_S = 10.0

log = structlog.get_logger("database")


class State(StrEnum):
    """What is known of a replica; only one that is near is asked."""

    NEAR = "near"
    BEHIND = "behind"
    AWAY = "away"
    UNKNOWN = "unknown"
    """It was not asked yet, or the primary does not say where its own log stands."""


class NoReplica(OSError):
    """A server that is named as a replica, and is none."""


@dataclass(frozen=True, slots=True)
class Probes:
    """A connection of their own to each server: how they are is asked also when all are in use."""

    primary: AsyncEngine
    replica: AsyncEngine


class Replica:
    """The replica, and whether it may be asked now."""

    def __init__(
        self,
        primary: AsyncEngine,
        replica: AsyncEngine,
        probes: Probes,
        *,
        most_behind_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = primary
        self._replica = replica
        self.probes = probes
        self._most_behind_s = most_behind_s
        self._monotonic = monotonic
        self._marks: list[tuple[float, int]] = []
        """When the primary's log stood where."""
        self._asking = asyncio.Lock()
        self._ask_at = 0.0
        self.state = State.UNKNOWN

    @property
    def pool(self) -> Pool:
        """The connections to it that reads use."""
        return self._replica.pool

    @property
    def own_writes_s(self) -> float:
        """For so long after a write its session reads the primary; longer than a replica that is
        asked may be behind, and than it takes to notice.
        """
        notices_s = _ASKED_EVERY_S + 2 * _ANSWERS_WITHIN_S
        return max(_OWN_WRITES_S, self._most_behind_s + notices_s)

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[AsyncConnection]:
        """A connection to the replica, or to the primary when it is away or too far behind."""
        async with AsyncExitStack() as stack:
            yield await self._nearest(stack)

    async def _nearest(self, stack: AsyncExitStack) -> AsyncConnection:
        if await self.is_near():
            try:
                async with asyncio.timeout(_ANSWERS_WITHIN_S):
                    return await stack.enter_async_context(self._replica.connect())
            except DATABASE_FAILURES as error:
                # With all connections in use it is busy here: whether it is away is asked apart.
                if not _all_in_use(self._replica.pool):
                    self._give_up(error)
        return await stack.enter_async_context(self._primary.connect())

    async def is_near(self) -> bool:
        """Whether it answers and is not further behind than it may be; asked twice a second.

        Whoever comes while it is asked does not wait for the answer, but takes the last one.
        """
        if not self._asking.locked() and self._monotonic() >= self._ask_at:
            async with self._asking:
                self._ask_at = self._monotonic() + _ASKED_EVERY_S
                await self._mark()
                try:
                    async with asyncio.timeout(_ANSWERS_WITHIN_S):
                        self._judge(await self.replayed())
                except DATABASE_FAILURES as error:
                    self._give_up(error)
        return self.state is State.NEAR

    async def written(self) -> int:
        """Where the primary's log stands."""
        async with self.probes.primary.connect() as connection:
            return int((await connection.execute(_WRITTEN)).scalar_one())

    async def replayed(self) -> int:
        """Up to where the replica has it; raises :class:`NoReplica` for one that is none."""
        async with self.probes.replica.connect() as connection:
            replayed: int | None = (await connection.execute(_REPLAYED)).scalar_one()
        if replayed is None:
            raise NoReplica
        return replayed

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """Those with connections to it."""
        return self._replica, self.probes.replica

    async def _mark(self) -> None:
        """Note where the primary's log stands; what it does not say is no fault of the replica's,
        which is judged by what is known.
        """
        asked_at = self._monotonic()
        with suppress(*DATABASE_FAILURES):
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                self._marks.append((asked_at, await self.written()))
        oldest = self._monotonic() - self._most_behind_s
        self._marks = [mark for mark in self._marks if mark[0] >= oldest]

    def _judge(self, replayed: int) -> None:
        if not self._marks:
            self._become(State.UNKNOWN)
        elif any(written <= replayed for _, written in self._marks):
            self._become(State.NEAR)
        else:
            self._become(State.BEHIND)

    def _give_up(self, error: Exception) -> None:
        """Leave it alone for a while: nobody waits for it again and again."""
        self._become(State.AWAY, error=type(error).__name__)
        self._marks.clear()
        self._ask_at = self._monotonic() + _TRIED_EVERY_S

    def _become(self, state: State, **why: str) -> None:
        """Say once what has changed."""
        if state is not self.state:
            tell = log.warning if state is State.AWAY else log.info
            tell(f"replica_is_{state}", **why)
        self.state = state


def _all_in_use(pool: Pool) -> bool:
    return isinstance(pool, QueuePool) and pool.checkedout() >= pool.size()
