"""``picky-server jobs``: what the workers have before them, and what they have given up."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from server.app.kept.opening import tools_of_a_market
from server.app.settings import Settings
from server.platform import job_desk
from server.platform.job_desk import Retry, ShownJob
from server.platform.unit_of_work import reading, transact
from shared_models.base import format_time

_COLUMNS = "{:<9} {:<28} {:<37} {:>8}  {:<20} {:<20} {}"


async def list_jobs(settings: Settings, *, only_dead: bool, limit: int) -> list[ShownJob]:
    """Jobs that are not done. Raises :class:`~server.app.kept.opening.Refused`."""
    async with tools_of_a_market(settings) as context, reading(context) as work:
        return await job_desk.unfinished(work, only_dead=only_dead, limit=limit)


async def retry_jobs(settings: Settings, ids: Sequence[UUID] | None) -> dict[UUID, Retry]:
    """Try these jobs again, or all dead ones for None; what became of each, in this order."""
    async with tools_of_a_market(settings) as context:
        if ids is None:
            async with reading(context) as work:
                ids = await job_desk.dead_ids(work)
        return {
            id_: await transact(context, None, partial(job_desk.retry, job_id=id_)) for id_ in ids
        }


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
