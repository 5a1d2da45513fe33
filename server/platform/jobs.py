"""Jobs: rows written with their cause, run by a worker after the commit, at least once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from server.platform.context import Context
from server.platform.errors import Conflict
from server.platform.failures import DATABASE_FAILURES
from server.platform.holding import is_hold
from server.platform.metrics import JOB_SECONDS, JOBS
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, transact

Run = Callable[[Context, dict[str, Any]], Awaitable[None]]

LEASE = timedelta(minutes=2)
"""How long a worker holds a job without a sign of life."""

_RENEWALS_A_LEASE = 4
MOST_ATTEMPTS = 20
"""How often a job is begun before it is dead: what it needs may be away for an hour and a half."""

_VANISHED = 3
"""How many attempts it counts as when a process ended without a word: perhaps the job ended it, and
all else that ran there.
"""

LONGEST_PAUSE = timedelta(minutes=10)
"""Between two attempts; the first ones come sooner."""

_SPREAD = 0.2
"""By what share of a pause it is shorter at most: jobs that failed together are not all tried again
at once.
"""

_POLL_S = 5.0
"""How often a worker looks when nothing rings: for what is due by now, and for rings that got lost.
"""

DONE_KEPT = timedelta(days=7)
"""How long a job that went well can still be looked at; one that is dead stays, unless another one
does its work.
"""

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
            # wait_for would drop a cancellation that comes with the ring, and a worker work on.
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
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
    if when <= work.now:
        work.after_commit(work.context.bus.ring)


async def enqueue_unless_there(
    work: UnitOfWork, kind: str, payload: dict[str, Any], *, key: str
) -> None:
    """Leave a job in this transaction, unless that key has a live one, which keeps its attempts."""
    live = select(func.count()).where(Job.key == key, Job.done_at.is_(None))
    if not await work.scalar(live):
        await enqueue(work, kind, payload, key=key)


async def forget_done(work: UnitOfWork) -> int:
    """Delete jobs that went well a week ago, and those that died then and whose work another one
    does; how many there were.
    """
    old = Job.done_at < work.now - DONE_KEPT
    return await work.changed(delete(Job).where(old, or_(Job.dead_at.is_(None), is_superseded())))


def is_superseded() -> ColumnElement[bool]:
    """The condition that there is a live job of the same key."""
    other = aliased(Job)
    return exists().where(other.key == Job.key, other.done_at.is_(None), other.id != Job.id)


def is_due(work: UnitOfWork, deleting: Collection[str]) -> ColumnElement[bool]:
    """The condition that a worker may take it now. What waits for a backup to end is no more due
    than what is to come.
    """
    free = or_(Job.leased_until.is_(None), Job.leased_until < work.now)
    may_run = or_(Job.kind.not_in(deleting), ~is_hold(work.now))
    return and_(Job.done_at.is_(None), Job.run_at <= work.now, free, may_run)


@dataclass(slots=True)
class Claimed:
    """A job that a worker holds until its lease ends; ``leased_until`` says whose lease it is."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    attempts: int
    leased_until: datetime

    @property
    def pause(self) -> timedelta:
        """How long it waits when it has failed: twice as long each time, up to a bound."""
        longest = min(LONGEST_PAUSE.total_seconds(), 2**self.attempts)
        return timedelta(seconds=longest * (1 - _SPREAD * (self.id.int % 1000) / 1000))


class Worker:
    """Takes due jobs and runs them, a few at once, with retries and backoff."""

    def __init__(
        self,
        context: Context,
        runners: Mapping[str, Run],
        periodic: tuple[Periodic, ...] = (),
        *,
        deleting: Collection[str] = (),
        at_once: int = 4,
        renew_s: float = LEASE.total_seconds() / _RENEWALS_A_LEASE,
    ) -> None:
        """``deleting`` are the kinds that wait while objects are held for a backup."""
        self._context = context
        for kind in runners:
            JOBS.labels(kind, "dead")  # from 0 on, so that the first one is seen to come
        self._runners = runners
        self._periodic = periodic
        self._deleting = deleting
        self._at_once = at_once
        self._renew_s = renew_s
        self._running: set[asyncio.Task[None]] = set()
        self._has_periodic = False
        self._takes_no_more = False

    def take_no_more(self) -> None:
        """Finish what is under way, and leave all else to others."""
        self._takes_no_more = True
        self._context.wiring.port(Bell).ring()

    async def run(self) -> None:
        """Work until it is to take no more. When cancelled, jobs under way are given back, to be
        run anew elsewhere.
        """
        bell = self._context.wiring.port(Bell)
        try:
            while not self._takes_no_more:
                claimed = await self._claim_safely(self._at_once - len(self._running))
                for job in claimed:
                    await self._begin(job)
                if not claimed:
                    await bell.wait(_POLL_S)
            await asyncio.gather(*self._running)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def run_due(self) -> int:
        """Run everything that is due now, one after the other; how many there were.

        For whoever has no worker beside it: the demo while it is made, and tests.
        """
        done = 0
        while claimed := await self._claim(16):
            for job in claimed:
                await self._run_one(job)
                done += 1
        return done

    async def _begin(self, job: Claimed) -> None:
        if self._takes_no_more:
            await self._give_back(job)
            return
        task = asyncio.create_task(self._run_one(job), name=f"job {job.kind}")
        self._running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._context.wiring.port(Bell).ring()

    async def _start_periodic(self, work: UnitOfWork) -> None:
        for periodic in self._periodic:
            await enqueue_unless_there(work, periodic.kind, {}, key=periodic.kind)

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
                .where(is_due(work, self._deleting), Job.kind.in_(self._runners))
                .order_by(Job.run_at)
                .limit(most)
            )
            if not work.is_sqlite:
                due = due.with_for_update(skip_locked=True)
            rows = await work.rows(
                update(Job)
                .where(Job.id.in_(due.scalar_subquery()))
                .values(leased_until=work.now + LEASE, attempts=_begun_again())
                .returning(Job.id, Job.kind, Job.payload, Job.attempts, Job.leased_until)
            )
            claimed = [
                Claimed(row.id, row.kind, row.payload, row.attempts, row.leased_until)
                for row in rows
            ]
            for job in claimed:
                if job.attempts > MOST_ATTEMPTS:
                    log.error("job_given_up", kind=job.kind, job_id=str(job.id))
                    await self._settle(work, job, error="Its process ended each time it ran.")
            return [job for job in claimed if job.attempts <= MOST_ATTEMPTS]

        return await transact(self._context, None, take)

    async def _run_one(self, job: Claimed) -> None:
        try:
            await self._settle_safely(job, error=await self._error_of(job))
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(job))
            raise

    async def _error_of(self, job: Claimed) -> str | None:
        """Run the job under its lease; what it failed of, or None."""
        try:
            with (
                JOB_SECONDS.labels(job.kind).time(),
                self._context.traces.span(f"job {job.kind}") as span,
            ):
                span.tell(job_id=str(job.id), attempts=job.attempts)
                async with self._lease_kept(job):
                    await self._runners[job.kind](self._context, job.payload)
        except Exception as error:  # whatever a job raises, the worker goes on
            log.exception("job_failed", kind=job.kind, job_id=str(job.id), attempts=job.attempts)
            return f"{type(error).__name__}: {error}"[:500]
        return None

    @asynccontextmanager
    async def _lease_kept(self, job: Claimed) -> AsyncIterator[None]:
        """Prolong the lease for as long as the job runs here."""
        ended = asyncio.Event()
        renewing = asyncio.create_task(self._renew(job, ended))
        try:
            yield
        finally:
            # Never cancelled amid its transaction: whose lease it is would not be known then.
            ended.set()
            await renewing

    async def _renew(self, job: Claimed, ended: asyncio.Event) -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), self._renew_s)
                return
            try:
                await self._prolong(job)
            except Exception:  # there is time for another try
                log.exception("job_lease_not_renewed", kind=job.kind, job_id=str(job.id))

    async def _prolong(self, job: Claimed) -> None:
        async def prolong(work: UnitOfWork) -> datetime | None:
            until = work.now + LEASE
            held = update(Job).where(*_is_held(job)).values(leased_until=until)
            return until if await work.changed(held) else None

        renewed = await transact(self._context, None, prolong)
        if renewed is not None:
            job.leased_until = renewed

    async def _give_back(self, job: Claimed) -> None:
        """Let another worker take the job at once; what did not fail counts as no attempt."""

        async def release(work: UnitOfWork) -> None:
            values = {"leased_until": None, "attempts": Job.attempts - 1, "updated_at": work.now}
            await work.execute(update(Job).where(*_is_held(job)).values(values))
            work.after_commit(work.context.bus.ring)

        with contextlib.suppress(*DATABASE_FAILURES, Conflict):  # then its lease ends
            await transact(self._context, None, release)

    async def _settle_safely(self, job: Claimed, *, error: str | None) -> None:
        """Note how it went; where that fails, the job's lease ends and it is run again."""
        try:
            await transact(self._context, None, partial(self._settle, job=job, error=error))
        except Exception:
            log.exception("job_unsettled", kind=job.kind, job_id=str(job.id))

    async def _settle(self, work: UnitOfWork, job: Claimed, *, error: str | None) -> None:
        values: dict[str, Any] = {"error": error, "updated_at": work.now}
        if error is not None and job.attempts < MOST_ATTEMPTS:
            values["run_at"] = work.now + job.pause
            values["leased_until"] = None
        else:
            values["done_at"] = work.now
            values["dead_at"] = work.now if error is not None else None
        if await work.changed(update(Job).where(*_is_held(job)).values(values)):
            outcome = "done" if error is None else "dead" if "done_at" in values else "failed"
            work.after_commit(JOBS.labels(job.kind, outcome).inc)
        for periodic in self._periodic:
            if periodic.kind == job.kind and "done_at" in values:
                again = work.now + periodic.every
                await enqueue(work, periodic.kind, {}, run_at=again, key=periodic.kind)


def _begun_again() -> ColumnElement[int]:
    """The attempts of a job that is begun: who settles it or gives it back ends its lease."""
    return Job.attempts + case((Job.leased_until.is_(None), 1), else_=_VANISHED)


def _is_held(job: Claimed) -> tuple[ColumnElement[bool], ...]:
    """Whether the lease is still this one: the job may have been moved (its key enqueued again) or
    taken by another worker since.
    """
    return Job.id == job.id, Job.done_at.is_(None), Job.leased_until == job.leased_until
