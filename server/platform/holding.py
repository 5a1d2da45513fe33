"""While a backup copies objects, none is deleted that its database still knows.

The hold is a job to come that does nothing: as long as it is to come, workers leave the kinds of
jobs alone that delete objects. A backup that ended without a word lets go when that job is due.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, exists, func, insert, select, text, update
from sqlalchemy.orm import aliased

from server.platform.context import Context
from server.platform.database import DATABASE_FAILURES
from server.platform.errors import Conflict
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, reading, transact

HOLD = "platform.hold_objects"
"""The kind and the key of the job that is the hold."""

LASTS = timedelta(minutes=5)
"""How long a hold outlives a backup that was killed."""

_RENEWALS = 5
_LOOK_EVERY_S = 0.2

log = structlog.get_logger("holding")


class HeldAlready(Exception):
    """Another backup is under way, or was killed a moment ago; the message says when it is over."""


def is_hold(now: datetime) -> ColumnElement[bool]:
    """The condition that objects are held."""
    hold = aliased(Job)
    return exists().where(hold.key == HOLD, hold.done_at.is_(None), hold.run_at > now)


async def objects_are_held(context: Context) -> bool:
    """Whether what a transaction has just made superfluous is to stay in the store for now."""
    async with reading(context) as work:
        return bool(await work.scalar(select(is_hold(work.now))))


@asynccontextmanager
async def objects_held(context: Context, deleting: Collection[str]) -> AsyncIterator[None]:
    """Objects stay meanwhile: jobs of the kinds that delete them wait, and none is under way.

    Raises :class:`HeldAlready`.
    """
    await transact(context, None, _begin)
    renewing = asyncio.create_task(_renew(context))
    try:
        await _until_none_runs(context, deleting)
        yield
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing
        await transact(context, None, lambda work: _move(work, work.now))


async def _begin(work: UnitOfWork) -> None:
    if not work.is_sqlite:
        # A worker that is about to take a job has not seen the hold: it is waited for here, so
        # that what it took is seen by who waits for it to end.
        await work.execute(text("LOCK TABLE platform_job IN SHARE ROW EXCLUSIVE MODE"))
    live = (Job.key == HOLD, Job.done_at.is_(None))
    ends = await work.scalar(select(Job.run_at).where(*live))
    if ends is not None and ends > work.now:
        raise HeldAlready(
            "another backup is under way, or was killed; "
            f"if it was, try again after {ends:%H:%M:%S} UTC"
        )
    if ends is not None:
        await _move(work, work.now + LASTS)
        return
    born = {"created_at": work.now, "updated_at": work.now}
    hold = {"id": work.new_id(), "kind": HOLD, "key": HOLD, "payload": {}, "attempts": 0}
    await work.execute(insert(Job).values(**hold, run_at=work.now + LASTS, **born))


async def _move(work: UnitOfWork, until: datetime) -> None:
    hold = update(Job).where(Job.key == HOLD, Job.done_at.is_(None))
    await work.execute(hold.values(run_at=until, updated_at=work.now))


async def _renew(context: Context) -> None:
    while True:
        await asyncio.sleep(LASTS.total_seconds() / _RENEWALS)
        try:
            await transact(context, None, lambda work: _move(work, work.now + LASTS))
        except (*DATABASE_FAILURES, Conflict) as error:  # there is time for another try
            log.warning("hold_not_renewed", error=type(error).__name__)


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
