"""What the worker does for the streams: old events are dropped."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from server.platform import streams
from server.platform.context import Context
from server.platform.jobs import Periodic, Run
from server.platform.unit_of_work import UnitOfWork, reading, transact

TRIM = "realtime.trim_streams"
_KEPT_FOR = timedelta(days=7)
_AT_ONCE = 100


async def trim_streams(context: Context, _payload: dict[str, Any]) -> None:
    """Keep 7 days of every stream; a transaction each.

    So nothing that somebody said or was called outlives an erased account by much (rule 20).
    """
    after: UUID | None = None

    while found := await _overdue(context, after):
        for stream_id in found:
            await transact(context, None, partial(_trim, stream_id))
        after = found[-1]


async def _overdue(context: Context, after: UUID | None) -> list[UUID]:
    async with reading(context) as work:
        return await streams.with_events_before(work, work.now - _KEPT_FOR, after, _AT_ONCE)


async def _trim(stream_id: UUID, work: UnitOfWork) -> int:
    return await streams.trim(work, stream_id, since=work.now - _KEPT_FOR)


RUNNERS: dict[str, Run] = {TRIM: trim_streams}
PERIODIC = (Periodic(TRIM, every=timedelta(hours=1)),)
