"""What the worker does for the streams: days are made and dropped, and old events with them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog

from server.platform import event_days, streams
from server.platform.context import Context
from server.platform.errors import Conflict
from server.platform.event_days import Part
from server.platform.failures import DATABASE_FAILURES, is_unavailable
from server.platform.jobs import Periodic, Run
from server.platform.migration_steps import refused_from
from server.platform.unit_of_work import UnitOfWork, reading, transact

TRIM = "realtime.trim_streams"
_KEPT_FOR = timedelta(days=7)
_LATE = timedelta(hours=1)
"""By how much an event may be younger than the one after it in its stream, and far more: its moment
is that of its transaction's begin, by the clock of its process.
"""
_AT_ONCE = 100

Result = TypeVar("Result")
Change = Callable[[UnitOfWork, Part], Awaitable[Result]]

log = structlog.get_logger("realtime")


async def trim_streams(context: Context, _payload: dict[str, Any]) -> None:
    """Keep 7 days of every stream: where days are kept apart up to 8, in one piece each.

    So nothing that somebody said or was called outlives an erased account by much (rule 20).
    """
    await _open_the_default(context)
    await _make_days(context)
    await _warn_of_refusals(context)
    await _drop_days(context)
    after: UUID | None = None

    while found := await _overdue(context, after):
        for stream_id in found:
            await transact(context, None, partial(_trim, stream_id))
        after = found[-1]


async def _make_days(context: Context) -> None:
    async with reading(context) as work:
        days = await event_days.missing(work)
        is_beside = bool(days) and await event_days.is_default_long(work)
        if is_beside:
            days = await event_days.can_be_kept_out(work, days)
    if is_beside and days:
        await _make_beside_the_default(context, days)
    else:
        await _make(context, days)


async def _make(context: Context, days: Sequence[Part]) -> None:
    for day in days:
        made = await _briefly(context, day, event_days.make)
        if made is None:
            return  # the next one would keep everybody waiting as well
        if not made:
            log.warning("day_began_without_its_part", part=day.name)


async def _make_beside_the_default(context: Context, days: Sequence[Part]) -> None:
    """Make days, one after the other, while the default takes long to look through. It keeps the
    events of the days before them, until those are over.
    """
    all_of_them = Part(event_days.DEFAULT.name, days[0].start, days[-1].end)
    if await _briefly(context, all_of_them, event_days.close_default) is None:
        return
    try:
        await event_days.scan_default(context)
        await _make(context, days)
    finally:
        await _briefly(context, event_days.DEFAULT, event_days.open_default)


async def _open_the_default(context: Context) -> None:
    """Let it take all events, where a worker was killed while it was closed to some."""
    async with reading(context) as work:
        is_closed = await event_days.is_default_closed(work)
    if is_closed:
        await _briefly(context, event_days.DEFAULT, event_days.open_default)


async def _warn_of_refusals(context: Context) -> None:
    async with reading(context) as work:
        day = None if work.is_sqlite else await refused_from(work.connection)
    if day is not None:
        log.warning("events_refused_from", day=day.isoformat())


async def _drop_days(context: Context) -> None:
    async with reading(context) as work:
        long_ago = work.now - _KEPT_FOR - _LATE
        over = [part for part in await event_days.parts(work) if part.end <= long_ago]
    for part in over:
        await _advance_oldest(context, part)
        if await _briefly(context, part, event_days.drop) is None:
            return


async def _briefly(context: Context, part: Part, change: Change[Result]) -> Result | None:
    """Change a part; where others do not let it be locked, an hour later: who appends waits behind
    whoever asks for it.
    """

    async def run(work: UnitOfWork) -> Result:
        await event_days.be_brief(work)
        return await change(work, part)

    try:
        return await transact(context, None, run, lock_tries=1)
    except (Conflict, *DATABASE_FAILURES) as error:
        if not isinstance(error, Conflict) and not is_unavailable(error):
            raise
        log.warning("events_not_locked", part=part.name, error=type(error).__name__)
        return None


async def _advance_oldest(context: Context, part: Part) -> None:
    after: UUID | None = None
    while after := await transact(
        context, None, partial(event_days.advance_oldest, part=part, after=after)
    ):
        pass


async def _overdue(context: Context, after: UUID | None) -> list[UUID]:
    async with reading(context) as work:
        return await streams.with_events_before(work, work.now - _KEPT_FOR, after, _AT_ONCE)


async def _trim(stream_id: UUID, work: UnitOfWork) -> int:
    return await streams.trim(work, stream_id, since=work.now - _KEPT_FOR)


RUNNERS: dict[str, Run] = {TRIM: trim_streams}
PERIODIC = (Periodic(TRIM, every=timedelta(hours=1)),)
