"""How many jobs wait, and for how long, as metrics tell it."""

import math
from collections.abc import Collection

from sqlalchemy import case, literal, select

from server.platform.jobs import is_due
from server.platform.metrics import JOBS_WAITING, OLDEST_JOB_SECONDS
from server.platform.state_gauges import set_states
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork

_LIVE = "due", "running", "scheduled", "unknown"
_DEAD = "dead"


async def measure(work: UnitOfWork, kinds: Collection[str], deleting: Collection[str] = ()) -> None:
    """Set the gauges of what waits; read along its indexes. ``kinds`` are those that workers run:
    a job of another one waits for a version that does.
    """
    is_known = Job.kind.in_(kinds)
    due = is_due(work, deleting)
    state = case(
        (Job.leased_until > work.now, "running"),
        (due & is_known, "due"),
        (due, "unknown"),
        else_="scheduled",
    )
    waiting = select(state.label("state")).where(Job.done_at.is_(None)).order_by(Job.run_at)
    await set_states(work, JOBS_WAITING, _LIVE, waiting)
    dead = select(literal(_DEAD).label("state")).where(Job.dead_at.is_not(None))
    await set_states(work, JOBS_WAITING, [_DEAD], dead.order_by(Job.dead_at))
    oldest = await work.scalar(
        select(Job.run_at).where(due, is_known).order_by(Job.run_at).limit(1)
    )
    OLDEST_JOB_SECONDS.set(0 if oldest is None else (work.now - oldest).total_seconds())


def forget() -> None:
    """Tell no time any more: nobody can say it now."""
    OLDEST_JOB_SECONDS.set(math.nan)
