"""A streaming replica of PostgreSQL, for reads that may be a little behind.

How far behind is measured without rights or clocks of the servers: where the primary's log stood at
some moment is remembered, and a replica that has replayed to there is not further behind than that.
A replica that no longer hears its primary says so by standing still.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.platform.database import DATABASE_FAILURES

_WRITTEN = text("SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint")
_REPLAYED = text("SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint")
_ASKED_EVERY_S = 0.5
_TRIED_EVERY_S = 5.0
_ANSWERS_WITHIN_S = 1.0

log = structlog.get_logger("database")


class Replica:
    """The replica, and whether it may be asked now."""

    def __init__(
        self,
        primary: AsyncEngine,
        replica: AsyncEngine,
        *,
        most_behind_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = primary
        self._replica = replica
        self._most_behind_s = most_behind_s
        self._monotonic = monotonic
        self._marks: list[tuple[float, int]] = []
        """When the primary's log stood where."""
        self._asking = asyncio.Lock()
        self._ask_at = 0.0
        self._near = False

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
                self._give_up(error)
        return await stack.enter_async_context(self._primary.connect())

    async def is_near(self) -> bool:
        """Whether it answers and is not further behind than it may be; asked twice a second."""
        async with self._asking:
            if self._monotonic() >= self._ask_at:
                self._ask_at = self._monotonic() + _ASKED_EVERY_S
                try:
                    async with asyncio.timeout(_ANSWERS_WITHIN_S):
                        self._judge(await self._ask())
                except DATABASE_FAILURES as error:
                    self._give_up(error)
            return self._near

    async def close(self) -> None:
        """Close its connections."""
        await self._replica.dispose()

    async def _ask(self) -> bool:
        async with self._primary.connect() as primary:
            asked_at = self._monotonic()
            self._marks.append((asked_at, (await primary.execute(_WRITTEN)).scalar_one()))
        async with self._replica.connect() as replica:
            replayed = (await replica.execute(_REPLAYED)).scalar_one()
        if replayed is None:
            raise OSError("the replica replays nothing: it is no replica")
        since = self._monotonic() - self._most_behind_s
        self._marks = [mark for mark in self._marks if mark[0] >= since]
        return any(written <= replayed for _, written in self._marks)

    def _judge(self, near: bool) -> None:
        if near != self._near:
            log.info("replica_is_back" if near else "replica_is_behind")
        self._near = near

    def _give_up(self, error: Exception) -> None:
        """Leave it alone for a while: nobody waits for it again and again."""
        if self._near or not self._marks:
            log.warning("replica_is_away", error=type(error).__name__)
        self._near = False
        self._marks.clear()
        self._ask_at = self._monotonic() + _TRIED_EVERY_S
