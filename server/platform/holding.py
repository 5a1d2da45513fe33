"""While a backup copies objects, none is deleted that its database still knows.

The hold is a job to come that does nothing: as long as it is to come, workers leave the kinds of
jobs alone that delete objects. A backup that ended without a word lets go when that job is due.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import ColumnElement, exists, func, insert, select, text, update
from sqlalchemy.orm import aliased

from server.platform.context import Context
from server.platform.errors import Conflict
from server.platform.failures import DATABASE_FAILURES
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, reading, transact

HOLD = "platform.hold_objects"
"""The kind and the key of the job that is the hold."""

LASTS = timedelta(minutes=5)
"""How long a hold outlives a backup that was killed."""

_RENEWALS = 5
_UNAVAILABLE = (*DATABASE_FAILURES, Conflict)
_LOOK_EVERY_S = 0.2

log = structlog.get_logger("holding")


class HeldAlready(Exception):
    """Another backup is under way, or was killed a moment ago; the message says when it is over."""


class HoldLost(Exception):
    """The hold ended before the backup did; objects may have been deleted that it speaks of."""

    def __init__(self) -> None:
        super().__init__(
            "the hold on deletions ended before the backup did, because the database was away for "
            f"{LASTS.total_seconds() / 60:.0f} minutes or this machine stood still: objects may "
            "be missing from it. Start it again"
        )


def is_hold(now: datetime) -> ColumnElement[bool]:
    """The condition that objects are held."""
    hold = aliased(Job)
    return exists().where(hold.key == HOLD, hold.done_at.is_(None), hold.run_at > now)


async def objects_are_held(context: Context) -> bool:
    """Whether what a transaction has just made superfluous is to stay in the store for now."""
    async with reading(context) as work:
        return bool(await work.scalar(select(is_hold(work.now))))


@dataclass(slots=True)
class _Hold:
    """A hold of ours. By when it ends it is told from another backup's; there may be two, for a
    database that went away may have moved it or not.
    """

    ends: set[datetime]


@asynccontextmanager
async def objects_held(context: Context, deleting: Collection[str]) -> AsyncIterator[None]:
    """Objects stay meanwhile: jobs of the kinds that delete them wait, and none is under way.

    Raises :class:`HeldAlready`, and amid the block :class:`HoldLost`.
    """
    hold = _Hold({await transact(context, None, _begin)})
    ended = False
    try:
        async with asyncio.timeout(LASTS.total_seconds()) as patience:
            renewing = asyncio.create_task(_renew(context, hold, patience))
            try:
                await _until_none_runs(context, deleting)
                yield
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)
        ended = True
    except TimeoutError as error:
        if patience.expired():
            raise HoldLost from error
        raise
    finally:
        with suppress(*(() if ended else _UNAVAILABLE)):  # it ends by itself
            is_ours = await transact(context, None, partial(_move, hold=hold))
            if ended and not is_ours:
                raise HoldLost


async def _begin(work: UnitOfWork) -> datetime:
    if not work.is_sqlite:
        # A worker that is about to take a job has not seen the hold: it is waited for here, so
        # that what it took is seen by who waits for it to end. Longer than the second after which
        # PostgreSQL ends a vacuum for whoever waits for it.
        await work.execute(text("SET LOCAL lock_timeout = '2s'"))
        await work.execute(text("LOCK TABLE platform_job IN SHARE ROW EXCLUSIVE MODE"))
    live = (Job.key == HOLD, Job.done_at.is_(None))
    ends = await work.scalar(select(Job.run_at).where(*live))
    if ends is not None and ends > work.now:
        raise HeldAlready(
            "another backup is under way, or was killed; "
            f"if it was, try again after {ends:%H:%M:%S} UTC"
        )
    until = work.now + LASTS
    if ends is not None:
        await work.execute(update(Job).where(*live).values(run_at=until, updated_at=work.now))
        return until
    born = {"created_at": work.now, "updated_at": work.now}
    hold = {"id": work.new_id(), "kind": HOLD, "key": HOLD, "payload": {}, "attempts": 0}
    await work.execute(insert(Job).values(**hold, run_at=until, **born))
    return until


async def _move(work: UnitOfWork, hold: _Hold, until: datetime | None = None) -> bool:
    """Move the end of a hold, to now for None; false when it has ended, or is another's by now."""
    ours = (Job.key == HOLD, Job.done_at.is_(None), Job.run_at.in_(hold.ends))
    moved = update(Job).where(*ours, Job.run_at > work.now)
    return bool(await work.changed(moved.values(run_at=until or work.now, updated_at=work.now)))


async def end_hold(work: UnitOfWork) -> None:
    """End the hold of the backup that a database was restored from."""
    live = (Job.key == HOLD, Job.done_at.is_(None), Job.run_at > work.now)
    await work.execute(update(Job).where(*live).values(run_at=work.now, updated_at=work.now))


async def _renew(context: Context, hold: _Hold, patience: asyncio.Timeout) -> None:
    """Prolong the hold again and again, and the patience with it."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(LASTS.total_seconds() / _RENEWALS)
        asked_at, until = loop.time(), context.clock.now() + LASTS
        hold.ends.add(until)
        try:
            is_ours = await transact(context, None, partial(_move, hold=hold, until=until))
        except _UNAVAILABLE as error:  # there is time for another try
            log.warning("hold_not_renewed", error=type(error).__name__)
            continue
        if not is_ours:
            patience.reschedule(loop.time())
            return
        hold.ends = {until}
        patience.reschedule(asked_at + LASTS.total_seconds())


async def _until_none_runs(context: Context, deleting: Collection[str]) -> None:
    """Until the jobs are over that were taken before the hold, or their workers are dead."""
    while True:
        async with reading(context) as work:
            running = await work.scalar(
                select(func.count()).where(
                    Job.kind.in_(deleting), Job.done_at.is_(None), Job.leased_until > work.now
                )
            )
        if not running:
            return
        await asyncio.sleep(_LOOK_EVERY_S)
