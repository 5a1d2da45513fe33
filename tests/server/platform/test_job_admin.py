"""What an operator sees of the jobs, and what becomes of one that is tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from server.platform import job_admin
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.job_admin import Forgetting, JobState, Retry, ShownJob
from server.platform.jobs import LEASE, MOST_ATTEMPTS, Worker, enqueue
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, reading, transact
from tests.server.platform.held import Held

KINDS = {"test.job", "test.retried", "test.running", "test.due", "test.later"}
PRIVATE = "meet me at the station"
Leave = Callable[..., Awaitable[UUID]]


@pytest.fixture
def leave(context: Context) -> Leave:
    """Leave a job; its id."""

    async def leave(kind: str = "test.job", **options: Any) -> UUID:
        async def enqueued(work: UnitOfWork) -> UUID:
            await enqueue(work, kind, {"text": PRIVATE}, **options)
            rows = await work.rows(select(Job.id).order_by(Job.created_at.desc(), Job.id.desc()))
            return UUID(str(rows[0].id))

        return await transact(context, None, enqueued)

    return leave


async def fail(_context: Context, payload: dict[str, Any]) -> None:
    raise ValueError(f"no\n{payload['text']}")


async def let_die(context: Context, clock: MovableClock, kind: str = "test.job") -> None:
    for _ in range(MOST_ATTEMPTS):
        await Worker(context, {kind: fail}).run_due()
        clock.advance(timedelta(minutes=11))


async def shown(context: Context, *, only_dead: bool = False, limit: int = 100) -> list[ShownJob]:
    async with reading(context) as work:
        return await job_admin.unfinished(work, KINDS, only_dead=only_dead, limit=limit)


async def retry(context: Context, job_id: UUID) -> Retry:
    return await transact(context, None, lambda work: job_admin.retry(work, job_id))


async def forget(context: Context, job_id: UUID) -> Forgetting:
    return await transact(context, None, lambda work: job_admin.forget(work, job_id, KINDS))


async def run(context: Context) -> int:
    async def go_well(_context: Context, _payload: dict[str, Any]) -> None:
        return

    return await Worker(context, {"test.job": go_well}).run_due()


async def test_each_job_is_shown_where_it_stands_and_nothing_private(
    context: Context, clock: MovableClock, leave: Leave
) -> None:
    dead = await leave()
    await let_die(context, clock)
    died = clock.now() - timedelta(minutes=11)
    retried = await leave("test.retried")
    await Worker(context, {"test.retried": fail}).run_due()
    failed = clock.now()
    running, hanging = await leave("test.running"), Held()
    at_work = asyncio.create_task(Worker(context, {"test.running": hanging}).run_due())
    await hanging.began.wait()
    due = await leave("test.due")
    await leave("test.later", run_at=clock.now() + timedelta(hours=1))
    unknown = await leave("test.of_a_version_to_come")
    await leave("test.of_a_version_to_come", run_at=clock.now() + timedelta(hours=1))

    jobs = await shown(context)
    assert [(job.id, job.state, job.attempts) for job in jobs] == [
        (dead, JobState.DEAD, MOST_ATTEMPTS),
        (unknown, JobState.UNKNOWN, 0),
        (retried, JobState.RETRYING, 1),
        (running, JobState.RUNNING, 1),
        (due, JobState.DUE, 0),
    ]
    assert [job.since for job in jobs] == [died, failed, failed, failed, failed]
    again = jobs[2].until
    assert [job.until for job in jobs] == [None, None, again, failed + LEASE, None]
    assert again is not None
    assert timedelta(seconds=1) < again - failed <= timedelta(seconds=2)
    assert [job.error for job in jobs] == ["ValueError: no", None, "ValueError: no", None, None]
    assert PRIVATE not in str(jobs)
    assert [job.id for job in await shown(context, only_dead=True)] == [dead]
    assert [job.id for job in await shown(context, limit=2)] == [dead, unknown]
    hanging.may_end.set()
    await at_work


async def test_a_dead_job_that_is_retried_has_all_its_attempts_again(
    context: Context, clock: MovableClock, leave: Leave
) -> None:
    job = await leave()
    await let_die(context, clock)
    assert await run(context) == 0
    assert await retry(context, job) is Retry.RETRIED
    await let_die(context, clock)
    assert [one.state for one in await shown(context)] == [JobState.DEAD]
    assert await retry(context, job) is Retry.RETRIED
    assert await run(context) == 1
    assert await shown(context) == []
    assert await retry(context, job) is Retry.DONE


async def test_one_that_waits_for_its_next_attempt_does_not_wait(
    context: Context, leave: Leave
) -> None:
    job = await leave()
    assert await retry(context, job) is Retry.WAITING
    assert await Worker(context, {"test.job": fail}).run_due() == 1
    assert await run(context) == 0
    assert await retry(context, job) is Retry.RETRIED
    assert await run(context) == 1
    assert await retry(context, uuid4()) is Retry.UNKNOWN


async def test_a_running_job_is_left_to_its_worker(context: Context, leave: Leave) -> None:
    job, hanging = await leave(), Held()
    at_work = asyncio.create_task(Worker(context, {"test.job": hanging}).run_due())
    await hanging.began.wait()
    assert await retry(context, job) is Retry.RUNNING
    hanging.may_end.set()
    assert await at_work == 1
    assert await retry(context, job) is Retry.DONE


async def test_what_a_newer_job_of_the_same_key_does_is_not_done_twice(
    context: Context, clock: MovableClock, leave: Leave
) -> None:
    old = await leave(key="one")
    await let_die(context, clock)
    newer = await leave(key="one")
    assert await retry(context, old) is Retry.SUPERSEDED
    await let_die(context, clock)
    async with reading(context) as work:
        assert list(await job_admin.dead_ids(work)) == [newer, old]
    assert await retry(context, newer) is Retry.RETRIED
    assert await retry(context, old) is Retry.SUPERSEDED


async def test_what_is_dead_or_run_by_nobody_is_forgotten_and_nothing_else(
    context: Context, clock: MovableClock, leave: Leave
) -> None:
    dead = await leave()
    await let_die(context, clock)
    to_come = await leave("test.of_a_version_to_come", run_at=clock.now() + timedelta(hours=1))
    due, unknown = await leave(), await leave("test.of_a_version_to_come")
    forgotten = [await forget(context, job) for job in (dead, to_come, due, unknown, dead)]
    assert forgotten == ["forgotten", "alive", "alive", "forgotten", "unknown"]
    assert [job.id for job in await shown(context)] == [due]
    assert await run(context) == 1
    assert await forget(context, due) is Forgetting.ALIVE


async def test_who_retries_and_who_works_at_once_run_it_once_each_time(
    context: Context, clock: MovableClock, leave: Leave
) -> None:
    """Three operators and three workers on ten dead jobs: each is run once for each revival."""
    ran: list[dict[str, Any]] = []

    async def note(_context: Context, payload: dict[str, Any]) -> None:
        ran.append(payload)

    jobs = [await leave() for _ in range(10)]
    dead = {"done_at": clock.now(), "dead_at": clock.now(), "attempts": MOST_ATTEMPTS}
    await transact(context, None, lambda work: work.execute(update(Job).values(dead)))
    outcomes: list[Retry] = []

    async def revive() -> None:
        outcomes.extend([await retry(context, job) for job in jobs])

    async def work() -> None:
        worker = Worker(context, {"test.job": note})
        while len(ran) < len(jobs):
            await worker.run_due()
            await asyncio.sleep(0)

    await asyncio.gather(*(revive() for _ in range(3)), *(work() for _ in range(3)))
    assert outcomes.count(Retry.RETRIED) == len(ran) == len(jobs)
    assert set(outcomes) <= {Retry.RETRIED, Retry.WAITING, Retry.RUNNING, Retry.DONE}
    assert await shown(context) == []
