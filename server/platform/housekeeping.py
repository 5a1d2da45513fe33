"""What the worker does for the platform's own tables: what nobody asks for again is deleted."""

from datetime import timedelta
from typing import Any

from server.platform import idempotency, jobs
from server.platform.context import Context
from server.platform.holding import HOLD
from server.platform.unit_of_work import UnitOfWork, transact

FORGET = "platform.forget"


async def forget(context: Context, _payload: dict[str, Any]) -> None:
    """Delete stored answers that are not given any more, and jobs that are long done."""
    await transact(context, None, _forget)


async def _forget(work: UnitOfWork) -> None:
    await idempotency.forget_old(work)
    await jobs.forget_done(work)


async def _end_hold(_context: Context, _payload: dict[str, Any]) -> None:
    """A hold is over by being due."""


RUNNERS: dict[str, jobs.Run] = {FORGET: forget, HOLD: _end_hold}
PERIODIC = (jobs.Periodic(FORGET, every=timedelta(hours=1)),)
