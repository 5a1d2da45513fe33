"""Jobs as an operator sees them: which wait, run, fail or are dead; and how one is tried again.

What a job was told is not among what is shown, nor more of its error than the first line: the rest
may be somebody's text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import aliased

from server.platform.holding import HOLD
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork

ERROR_CHARS = 200


class JobState(StrEnum):
    """Where a job stands that is not done; one whose time has not come is not shown."""

    DUE = "due"
    RUNNING = "running"
    RETRYING = "retrying"
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


async def unfinished(work: UnitOfWork, *, only_dead: bool, limit: int) -> list[ShownJob]:
    """Up to ``limit`` jobs, the dead first and the oldest of each kind of state first."""
    states = [JobState.DEAD] if only_dead else list(reversed(JobState))
    shown: list[ShownJob] = []
    for state in states:
        rows = await work.rows(
            select(
                *(Job.id, Job.kind, Job.attempts, Job.error),
                *(Job.run_at, Job.leased_until, Job.dead_at, Job.updated_at),
            )
            .where(_is(state, work.now), Job.kind != HOLD)
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
    other = aliased(Job)
    superseded = exists().where(other.key == Job.key, other.done_at.is_(None), other.id != Job.id)
    fresh = {"run_at": work.now, "leased_until": None, "updated_at": work.now}
    revived = await work.changed(
        update(Job)
        .where(Job.id == job_id, Job.dead_at.is_not(None), ~superseded)
        .values(**fresh, attempts=0, done_at=None, dead_at=None)
    )
    failed = (Job.done_at.is_(None), Job.attempts > 0, _is_free(work.now))
    hurried = revived or await work.changed(
        update(Job).where(Job.id == job_id, *failed).values(fresh)
    )
    return Retry.RETRIED if hurried else await _why_not(work, job_id)


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


def _is(state: JobState, now: datetime) -> ColumnElement[bool]:
    if state is JobState.DEAD:
        return Job.dead_at.is_not(None)
    live = Job.done_at.is_(None)
    match state:
        case JobState.RUNNING:
            return and_(live, Job.leased_until >= now)
        case JobState.RETRYING:
            return and_(live, _is_free(now), Job.attempts > 0)
        case _:
            return and_(live, _is_free(now), Job.attempts == 0, Job.run_at <= now)


def _shown(row: Any, state: JobState) -> ShownJob:
    since = {JobState.DEAD: row.dead_at, JobState.RETRYING: row.updated_at}.get(state, row.run_at)
    until = {JobState.RUNNING: row.leased_until, JobState.RETRYING: row.run_at}.get(state)
    error = row.error.partition("\n")[0][:ERROR_CHARS] if row.error else None
    return ShownJob(row.id, row.kind, state, row.attempts, since, until, error)
