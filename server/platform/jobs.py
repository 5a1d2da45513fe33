"""Jobs: rows written with their cause, run by a worker after the commit, at least once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, insert, select, update

from server.platform.context import Context
from server.platform.database import DATABASE_FAILURES
from server.platform.errors import Conflict
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, transact

Run = Callable[[Context, dict[str, Any]], Awaitable[None]]

_LEASE = timedelta(minutes=2)
_MOST_ATTEMPTS = 8
_POLL_S = 5.0

log = structlog.get_logger("jobs")


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job that starts itself again every ``every``."""

    kind: str
    every: timedelta


class Bell:
    """Wakes this process's worker when a transaction has left a job."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """There may be work."""
        self._event.set()

    async def wait(self, timeout_s: float) -> None:
        """Until it rings, or the time is over."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), timeout_s)
        self._event.clear()


async def enqueue(
    work: UnitOfWork,
    kind: str,
    payload: dict[str, Any],
    *,
    run_at: datetime | None = None,
    key: str | None = None,
) -> None:
    """Leave a job in this transaction; with a ``key``, move that key's live job instead."""
    when = run_at or work.now
    moved = 0
    if key is not None:
        moved = await work.changed(
            update(Job)
            .where(Job.key == key, Job.done_at.is_(None))
            .values(
                run_at=when,
                payload=payload,
                attempts=0,
                leased_until=None,
                updated_at=work.now,
            )
        )
    if not moved:
        await work.execute(
            insert(Job).values(
                id=work.new_id(),
                kind=kind,
                payload=payload,
                key=key,
                run_at=when,
                attempts=0,
                created_at=work.now,
                updated_at=work.now,
            )
        )
    work.after_commit(work.context.wiring.port(Bell).ring)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this worker holds until its lease ends."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    attempts: int


class Worker:
    """Takes due jobs and runs them, a few at once, with retries and backoff."""

    def __init__(
        self,
        context: Context,
        runners: Mapping[str, Run],
        periodic: tuple[Periodic, ...] = (),
        *,
        at_once: int = 4,
    ) -> None:
        self._context = context
        self._runners = runners
        self._periodic = periodic
        self._at_once = at_once
        self._running: set[asyncio.Task[None]] = set()
        self._has_periodic = False

    async def run(self) -> None:
        """Work until cancelled; jobs under way are then finished or left to their lease."""
        bell = self._context.wiring.port(Bell)
        try:
            while True:
                claimed = await self._claim_safely(self._at_once - len(self._running))
                for job in claimed:
                    task = asyncio.create_task(self._run_one(job), name=f"job {job.kind}")
                    self._running.add(task)
                    task.add_done_callback(self._finished)
                if not claimed:
                    await bell.wait(_POLL_S)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def run_due(self) -> int:
        """Run everything that is due now, one after the other; how many there were. For tests."""
        done = 0
        while claimed := await self._claim(16):
            for job in claimed:
                await self._run_one(job)
                done += 1
        return done

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._context.wiring.port(Bell).ring()

    async def _start_periodic(self, work: UnitOfWork) -> None:
        for periodic in self._periodic:
            alive = await work.scalar(
                select(func.count()).where(Job.key == periodic.kind, Job.done_at.is_(None))
            )
            if not alive:
                await enqueue(work, periodic.kind, {}, key=periodic.kind)

    async def _claim_safely(self, most: int) -> list[Claimed]:
        """What is due; nothing when the database does not say, for the worker asks again."""
        if most <= 0:
            return []
        try:
            if not self._has_periodic:
                await transact(self._context, None, self._start_periodic)
                self._has_periodic = True
            return await self._claim(most)
        except (*DATABASE_FAILURES, Conflict) as error:
            log.warning("jobs_unavailable", error=type(error).__name__)
        except Exception:  # a worker that ended would leave every job of this process
            log.exception("jobs_unavailable")
        return []

    async def _claim(self, most: int) -> list[Claimed]:
        async def take(work: UnitOfWork) -> list[Claimed]:
            due = (
                select(Job.id)
                .where(
                    Job.done_at.is_(None),
                    Job.run_at <= work.now,
                    (Job.leased_until.is_(None)) | (Job.leased_until < work.now),
                    Job.kind.in_(self._runners),
                )
                .order_by(Job.run_at)
                .limit(most)
            )
            if not work.is_sqlite:
                due = due.with_for_update(skip_locked=True)
            rows = await work.rows(
                update(Job)
                .where(Job.id.in_(due.scalar_subquery()))
                .values(leased_until=work.now + _LEASE, attempts=Job.attempts + 1)
                .returning(Job.id, Job.kind, Job.payload, Job.attempts)
            )
            return [Claimed(row.id, row.kind, row.payload, row.attempts) for row in rows]

        return await transact(self._context, None, take)

    async def _run_one(self, job: Claimed) -> None:
        try:
            await self._runners[job.kind](self._context, job.payload)
        except Exception as error:  # whatever a job raises, the worker goes on
            log.exception("job_failed", kind=job.kind, job_id=str(job.id), attempts=job.attempts)
            await self._settle_safely(job, error=f"{type(error).__name__}: {error}"[:500])
        else:
            await self._settle_safely(job, error=None)

    async def _settle_safely(self, job: Claimed, *, error: str | None) -> None:
        """Note how it went; where that fails, the job's lease ends and it is run again."""
        try:
            await self._settle(job, error=error)
        except Exception:
            log.exception("job_unsettled", kind=job.kind, job_id=str(job.id))

    async def _settle(self, job: Claimed, *, error: str | None) -> None:
        async def save(work: UnitOfWork) -> None:
            if error is not None and job.attempts < _MOST_ATTEMPTS:
                later = work.now + timedelta(seconds=min(600, 2**job.attempts))
                values: dict[str, Any] = {
                    "run_at": later,
                    "leased_until": None,
                    "error": error,
                }
            else:
                values = {"done_at": work.now, "error": error}
                if error is not None:
                    values["dead_at"] = work.now
            # A job that was moved while it ran (its key enqueued again) has no lease: leave it.
            await work.execute(
                update(Job)
                .where(Job.id == job.id, Job.leased_until.is_not(None))
                .values(updated_at=work.now, **values)
            )
            for periodic in self._periodic:
                if periodic.kind == job.kind and "done_at" in values:
                    again = work.now + periodic.every
                    await enqueue(work, periodic.kind, {}, run_at=again, key=periodic.kind)

        await transact(self._context, None, save)
