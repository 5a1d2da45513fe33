"""Jobs as an operator sees them: which wait, run, fail or are dead; and how one is tried again, or
forgotten.

What a job was told is not among what is shown, nor more of its error than the first line: the rest
may be somebody's text.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from server.platform.holding import HOLD
from server.platform.jobs import is_superseded
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork

ERROR_CHARS = 200


class JobState(StrEnum):
    """Where a job stands that is not done; one whose time has not come is not shown."""

    DUE = "due"
    RUNNING = "running"
    RETRYING = "retrying"
    UNKNOWN = "unknown"
    """Of a kind that this version does not run: it waits for one that does."""
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job. ``since`` is when it was due, failed last, or died; ``until`` is when its lease ends
    or when it is tried again.
    """

    id: UUID
    kind: str
    state: JobState
    attempts: int
    since: datetime
    until: datetime | None
    error: str | None


class Retry(StrEnum):
    """What became of a wish to try a job again."""

    RETRIED = "retried"
    RUNNING = "running"
    WAITING = "waiting"
    """It has not been tried yet: its time is to come, or no worker was free."""
    SUPERSEDED = "superseded"
    """A newer job of the same key does its work."""
    DONE = "done"
    UNKNOWN = "unknown"


class Forgetting(StrEnum):
    """What became of a wish to forget a job."""

    FORGOTTEN = "forgotten"
    ALIVE = "alive"
    """It is neither dead nor of a kind that nobody runs."""
    UNKNOWN = "unknown"


async def unfinished(
    work: UnitOfWork, kinds: Collection[str], *, only_dead: bool, limit: int
) -> list[ShownJob]:
    """Up to ``limit`` jobs, the dead first and the oldest of each kind of state first. ``kinds``
    are those that workers run.
    """
    states = [JobState.DEAD] if only_dead else list(reversed(JobState))
    shown: list[ShownJob] = []
    for state in states:
        rows = await work.rows(
            select(
                *(Job.id, Job.kind, Job.attempts, Job.error),
                *(Job.run_at, Job.leased_until, Job.dead_at, Job.updated_at),
            )
            .where(_is(state, work.now, kinds), Job.kind != HOLD)
            .order_by(Job.run_at, Job.id)
            .limit(limit - len(shown))
        )
        shown += [_shown(row, state) for row in rows]
    return shown


async def dead_ids(work: UnitOfWork) -> Sequence[UUID]:
    """All dead jobs, the latest first: of two with one key, it is the one to be tried again."""
    rows = await work.rows(
        select(Job.id).where(Job.dead_at.is_not(None)).order_by(Job.dead_at.desc(), Job.id)
    )
    return [row.id for row in rows]


async def retry(work: UnitOfWork, job_id: UUID) -> Retry:
    """Let a worker take a job now: a dead one with all its attempts, one that waits for its next
    attempt without the wait.
    """
    fresh = {"run_at": work.now, "leased_until": None, "updated_at": work.now}
    revived = await work.changed(
        update(Job)
        .where(Job.id == job_id, Job.dead_at.is_not(None), ~is_superseded())
        .values(**fresh, attempts=0, done_at=None, dead_at=None)
    )
    failed = (Job.done_at.is_(None), Job.attempts > 0, _is_free(work.now))
    hurried = revived or await work.changed(
        update(Job).where(Job.id == job_id, *failed).values(fresh)
    )
    return Retry.RETRIED if hurried else await _why_not(work, job_id)


async def forget(work: UnitOfWork, job_id: UUID, kinds: Collection[str]) -> Forgetting:
    """Delete a job that is dead, or that nobody runs: what it was to do is not done."""
    nobody_runs = _is(JobState.UNKNOWN, work.now, kinds)
    gone = delete(Job).where(Job.id == job_id, or_(Job.dead_at.is_not(None), nobody_runs))
    if await work.changed(gone):
        return Forgetting.FORGOTTEN
    is_there = await work.first(select(Job.id).where(Job.id == job_id))
    return Forgetting.ALIVE if is_there else Forgetting.UNKNOWN


async def _why_not(work: UnitOfWork, job_id: UUID) -> Retry:
    row = await work.first(select(Job.done_at, Job.dead_at, Job.attempts).where(Job.id == job_id))
    if row is None:
        return Retry.UNKNOWN
    if row.dead_at is not None:
        return Retry.SUPERSEDED
    if row.done_at is not None:
        return Retry.DONE
    return Retry.RUNNING if row.attempts else Retry.WAITING


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(Job.leased_until.is_(None), Job.leased_until < now)


def _is(state: JobState, now: datetime, kinds: Collection[str]) -> ColumnElement[bool]:
    if state is JobState.DEAD:
        return Job.dead_at.is_not(None)
    live = Job.done_at.is_(None)
    if state is JobState.RUNNING:
        return and_(live, Job.leased_until >= now)
    waits = and_(live, _is_free(now))
    has_failed, is_due, is_known = Job.attempts > 0, Job.run_at <= now, Job.kind.in_(kinds)
    match state:
        case JobState.UNKNOWN:
            return and_(waits, or_(has_failed, is_due), ~is_known)
        case JobState.RETRYING:
            return and_(waits, has_failed, is_known)
        case _:
            return and_(waits, ~has_failed, is_due, is_known)


def _shown(row: Any, state: JobState) -> ShownJob:
    since = {JobState.DEAD: row.dead_at, JobState.RETRYING: row.updated_at}.get(state, row.run_at)
    until = {JobState.RUNNING: row.leased_until, JobState.RETRYING: row.run_at}.get(state)
    error = row.error.partition("\n")[0][:ERROR_CHARS] if row.error else None
    return ShownJob(row.id, row.kind, state, row.attempts, since, until, error)
