"""Changing the schema of PostgreSQL beside a service that goes on.

Whoever waits for a strong lock has everybody wait who comes later. So a step waits for one only
a moment, gives up all that it has, and tries again after a pause.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.platform.failures import DATABASE_FAILURES

MIGRATES = "picky migrate"
"""What the connection that changes the schema calls itself: so it is known what it waits for."""

_NOT_TO_BE = frozenset({"55P03", "40P01"})
"""PostgreSQL's codes of a lock that could not be had, and of a deadlock."""

_LOOKS_A_LOCK = 4

_HOLDERS = text("""
SELECT DISTINCT holder.pid, holder.usename, holder.application_name
FROM pg_stat_activity AS waiting
CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocking (pid)
JOIN pg_stat_activity AS holder ON holder.pid = blocking.pid
WHERE waiting.datname = current_database() AND waiting.application_name = :name
    AND waiting.wait_event_type = 'Lock' AND holder.pid <> pg_backend_pid()
ORDER BY holder.pid
""")

_REFUSES_FROM = text(
    "SELECT min(right(conname, 8)::date) FROM pg_constraint"
    " WHERE contype = 'c' AND conname ~ '_before_[0-9]{8}$'"
)
"""A check by which it is known of which days rows are; it goes when what it is for is done."""

log = structlog.get_logger("migrate")


async def refused_from(connection: AsyncConnection) -> date | None:
    """From which day on a PostgreSQL would refuse rows, because a migration was given up half-way;
    None where none was.
    """
    day: date | None = await connection.scalar(_REFUSES_FROM)
    return day


class MigrationBlocked(Exception):
    """Others hold a lock for longer than was waited; the message says who and what to do."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a step waits for a lock, and the pauses between one attempt and the next.

    Requests wait behind it for as long: it has to be less than they are given for a lock.
    """

    lock_s: float = 2.0
    pauses_s: tuple[float, ...] = (1, 2, 4, 8, 15, 30, 30, 60, 60, 60)


class Steps:
    """Takes steps, while another connection holds the lock of who migrates.

    That one says nothing meanwhile: an index that is built waits for the end of every transaction
    that has looked at something, and this one does not end.
    """

    def __init__(self, guard: AsyncConnection, engine: AsyncEngine, patience: Patience) -> None:
        self._guard = guard
        self._engine = engine
        self._patience = patience
        self._holders: list[str] = []

    async def take(self, revision: str, step: Callable[[], Awaitable[None]]) -> None:
        """Take a step, which may be taken again from its beginning; :class:`MigrationBlocked`."""
        from server.platform.postgresql import hold_no_snapshot  # not needed for SQLite

        for pause_s in (*self._patience.pauses_s, None):
            await hold_no_snapshot(self._guard)
            try:
                async with self._watching(revision):
                    await step()
                return
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _NOT_TO_BE:
                    raise
                if pause_s is None:
                    raise MigrationBlocked(await self._why_blocked(revision)) from error
            log.warning("migration_blocked", revision=revision, by=self._holders, pause_s=pause_s)
            await asyncio.sleep(pause_s)

    async def _why_blocked(self, revision: str) -> str:
        holders = "; ".join(self._holders) or "somebody who has let go by now"
        async with self._engine.connect() as connection:
            day = await refused_from(connection)
        before = f" before {day}, from when on it would refuse what is written" if day else ""
        return (
            f"migration {revision} was tried {len(self._patience.pauses_s) + 1} times and did not "
            f"get the locks it needs, which are held by {holders}. Those before it are kept, and "
            "the service goes on. Wait for the holders to end, or end them with "
            f"`SELECT pg_terminate_backend(process)`, and run `picky-server migrate` again{before}"
        )

    @asynccontextmanager
    async def _watching(self, revision: str) -> AsyncIterator[None]:
        """See meanwhile who holds what is waited for."""
        ended = asyncio.Event()
        watching = asyncio.create_task(self._watch(revision, ended))
        try:
            yield
        finally:
            ended.set()
            await watching

    async def _watch(self, revision: str, ended: asyncio.Event) -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), self._patience.lock_s / _LOOKS_A_LOCK)
                return
            try:
                seen = await self._who_holds()
            except DATABASE_FAILURES as error:  # who only looks stops nothing
                log.warning("migration_not_watched", error=type(error).__name__)
                continue
            if seen and seen != self._holders:
                self._holders = seen
                log.info("migration_waits", revision=revision, by=seen)

    async def _who_holds(self) -> list[str]:
        async with self._engine.connect() as connection:
            found = await connection.execute(_HOLDERS, {"name": MIGRATES})
            return [
                f"process {row.pid} ({row.application_name or 'without a name'} of {row.usename})"
                for row in found
            ]
