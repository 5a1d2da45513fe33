"""``picky-server jobs``: what the workers have before them, and what they have given up."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from server.app.background import runners
from server.app.maintenance.opening import open_market
from server.app.settings import Settings
from server.platform import job_admin
from server.platform.context import Context
from server.platform.job_admin import Forgetting, Retry, ShownJob
from server.platform.unit_of_work import reading, transact
from shared_models.base import format_time

_COLUMNS = "{:<9} {:<28} {:<37} {:>8}  {:<20} {:<20} {}"


async def list_jobs(settings: Settings, *, only_dead: bool, limit: int) -> list[ShownJob]:
    """Jobs that are not done. Raises :class:`~server.app.maintenance.opening.Refused`."""
    async with open_market(settings) as context, reading(context) as work:
        return await job_admin.unfinished(work, runners(), only_dead=only_dead, limit=limit)


async def retry_jobs(settings: Settings, ids: Sequence[UUID] | None) -> dict[UUID, Retry]:
    """Try these jobs again, or all dead ones for None; what became of each, in this order."""
    async with open_market(settings) as context:
        return {
            id_: await transact(context, None, partial(job_admin.retry, job_id=id_))
            for id_ in await _named(context, ids)
        }


async def forget_jobs(settings: Settings, ids: Sequence[UUID] | None) -> dict[UUID, Forgetting]:
    """Forget these jobs, or all dead ones for None; what became of each, in this order."""
    async with open_market(settings) as context:
        forget = partial(job_admin.forget, kinds=runners())
        return {
            id_: await transact(context, None, partial(forget, job_id=id_))
            for id_ in await _named(context, ids)
        }


async def _named(context: Context, ids: Sequence[UUID] | None) -> Sequence[UUID]:
    if ids is not None:
        return ids
    async with reading(context) as work:
        return await job_admin.dead_ids(work)


def table(jobs: Sequence[ShownJob]) -> list[str]:
    """A heading and a line a job."""
    heading = _COLUMNS.format("state", "kind", "id", "attempts", "since", "until", "error")
    return [heading, *map(_line, jobs)]


def _line(job: ShownJob) -> str:
    since, until = _short(job.since), _short(job.until) if job.until else ""
    return _COLUMNS.format(
        job.state, job.kind, str(job.id), job.attempts, since, until, job.error or ""
    ).rstrip()


def _short(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def as_json(job: ShownJob) -> str:
    """A job as a line of JSON."""
    return json.dumps(
        {
            "id": str(job.id),
            "kind": job.kind,
            "state": job.state,
            "attempts": job.attempts,
            "since": format_time(job.since),
            "until": format_time(job.until) if job.until else None,
            "error": job.error,
        },
        ensure_ascii=False,
    )
