"""The worker: whatever fails about it, due jobs are run, and each is settled by who holds it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from server.app.background import Background, periodic, runners
from server.app.settings import Settings
from server.platform import housekeeping, jobs
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.errors import Conflict
from server.platform.jobs import (
    DONE_KEPT,
    LEASE,
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    Bell,
    Periodic,
    Worker,
    enqueue,
    enqueue_unless_there,
    forget_done,
)
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, reading, transact
from tests.server.platform.conftest import PATIENCE_S
from tests.server.platform.held import Held

KIND = "test.job"
AWAY = OperationalError("BEGIN", None, OSError("away"))


class WatchedBell(Bell):
    """Tells when the worker has nothing to do and waits for it to ring."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0
        self.waiting = asyncio.Event()

    async def wait(self, timeout_s: float) -> None:
        self.waits += 1
        self.waiting.set()
        await super().wait(timeout_s)

    async def waited_again(self) -> None:
        """Until the worker waits once more; it is woken."""
        self.waiting.clear()
        self.ring()
        await self.waiting.wait()


@pytest.fixture
def bell(context: Context) -> WatchedBell:
    bell = WatchedBell()
    context.wiring.provide(Bell, bell)
    return bell


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[None]:
    """The worker, running meanwhile."""
    task = asyncio.create_task(worker.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Ran:
    """A runner that notes what it was given."""

    def __init__(self) -> None:
        self.payloads: list[Any] = []
        self.once = asyncio.Event()

    async def __call__(self, _context: Context, payload: dict[str, Any]) -> None:
        self.payloads.append(payload)
        self.once.set()


async def leave_job(context: Context, key: str | None = None, **payload: Any) -> None:
    async def leave(work: UnitOfWork) -> None:
        await enqueue(work, KIND, payload, key=key)

    await transact(context, None, leave)


async def stored(context: Context) -> list[Any]:
    """All jobs, oldest first."""
    async with reading(context) as work:
        return list(
            await work.rows(
                select(
                    *(Job.kind, Job.attempts, Job.leased_until, Job.error, Job.payload),
                    *(Job.run_at, Job.done_at, Job.dead_at),
                ).order_by(Job.created_at, Job.id)
            )
        )


@pytest.mark.parametrize("failure", [Conflict("busy", "Busy."), AWAY, RuntimeError("a bug")])
async def test_a_worker_outlives_a_database_that_fails(
    context: Context, bell: WatchedBell, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """It asks again: for its periodic jobs at the start, and for those that are due."""
    ran, failing = Ran(), True

    async def failing_transact(*arguments: Any) -> Any:
        if failing:
            raise failure
        return await transact(*arguments)

    monkeypatch.setattr(jobs, "transact", failing_transact)
    worker = Worker(context, {KIND: ran}, (Periodic(KIND, timedelta(hours=1)),))
    async with at_work(worker):
        await bell.waiting.wait()
        await bell.waited_again()
        failing = False
        bell.ring()
        await ran.once.wait()
        await bell.waited_again()
        failing = True
        await bell.waited_again()
        failing = False
        ran.once.clear()
        await leave_job(context, number=2)
        await ran.once.wait()
    assert ran.payloads == [{}, {"number": 2}]


async def test_a_job_whose_end_cannot_be_noted_is_left_to_its_lease(
    context: Context, bell: WatchedBell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(_context: Context, _payload: dict[str, Any]) -> None:
        async def away(*_arguments: Any) -> None:
            monkeypatch.undo()
            raise Conflict("busy", "Busy.")

        monkeypatch.setattr(jobs, "transact", away)

    await leave_job(context)
    assert await Worker(context, {KIND: run}).run_due() == 1
    (job,) = await stored(context)
    assert job.done_at is None
    assert job.leased_until > context.clock.now()


async def test_a_worker_whose_lease_ran_out_settles_nothing(
    context: Context, clock: MovableClock
) -> None:
    """Another one has the job by then, and says how it went."""
    late, other = Held(), Held()
    await leave_job(context)
    late_run = asyncio.create_task(Worker(context, {KIND: late}).run_due())
    await late.began.wait()
    clock.advance(LEASE + timedelta(seconds=1))
    other_run = asyncio.create_task(Worker(context, {KIND: other}).run_due())
    await other.began.wait()
    late.may_end.set()
    await late_run
    (job,) = await stored(context)
    assert job.done_at is None
    assert job.leased_until == clock.now() + LEASE
    other.may_end.set()
    assert await other_run == 1
    (job,) = await stored(context)
    assert job.done_at == clock.now()


async def test_a_job_moved_while_it_runs_is_run_again(context: Context) -> None:
    held = Held()
    await leave_job(context, key="one", number=1)
    running = asyncio.create_task(Worker(context, {KIND: held}).run_due())
    await held.began.wait()
    await leave_job(context, key="one", number=2)
    held.may_end.set()
    assert await running == 2
    (job,) = await stored(context)
    assert (job.payload, job.attempts) == ({"number": 2}, 1)


@pytest.mark.usefixtures("bell")
async def test_a_worker_that_is_stopped_gives_its_jobs_back(context: Context) -> None:
    held, ran = Held(), Ran()
    await leave_job(context)
    async with at_work(Worker(context, {KIND: held})):
        await held.began.wait()
    (job,) = await stored(context)
    assert (job.leased_until, job.attempts, job.done_at) == (None, 0, None)
    assert await Worker(context, {KIND: ran}).run_due() == 1


async def test_the_lease_of_a_long_job_is_renewed(context: Context, clock: MovableClock) -> None:
    held, ran = Held(), Ran()
    await leave_job(context)
    worker = Worker(context, {KIND: held}, renew_s=0.01)
    running = asyncio.create_task(worker.run_due())
    await held.began.wait()
    for _ in range(3):
        clock.advance(LEASE * 0.7)
        while (await stored(context))[0].leased_until != clock.now() + LEASE:
            pass  # reading lets the worker go on
    assert await Worker(context, {KIND: ran}).run_due() == 0
    held.may_end.set()
    assert await running == 1
    assert (await stored(context))[0].done_at == clock.now()


async def test_a_job_that_ends_its_process_each_time_is_given_up(
    context: Context, clock: MovableClock
) -> None:
    """Nobody settles such a job, so whoever claims it next has to; a periodic one comes again."""
    await leave_job(context, key=KIND)
    crashed = update(Job).values(attempts=MOST_ATTEMPTS, leased_until=clock.now())
    await transact(context, None, lambda work: work.execute(crashed))
    clock.advance(timedelta(seconds=1))
    ran, every = Ran(), timedelta(hours=1)
    assert await Worker(context, {KIND: ran}, (Periodic(KIND, every),)).run_due() == 0
    dead, again = await stored(context)
    assert (dead.dead_at, dead.done_at) == (clock.now(), clock.now())
    assert (again.attempts, again.run_at) == (0, clock.now() + every)
    assert ran.payloads == []


async def test_a_job_that_ends_its_process_does_so_a_few_times_only(
    context: Context, clock: MovableClock
) -> None:
    """It ends what else runs there too."""
    await leave_job(context)
    worker, begun = Worker(context, {KIND: Ran()}), 0
    while await worker._claim(1):  # and nothing more is heard of it
        begun += 1
        clock.advance(LEASE + timedelta(seconds=1))
    assert begun == 7
    [job] = await stored(context)
    assert job.dead_at == clock.now()


async def fail(_context: Context, _payload: dict[str, Any]) -> None:
    raise RuntimeError("never well")


async def let_die(context: Context, clock: MovableClock) -> timedelta:
    """Run a job that fails whenever it is tried again, until it is dead; how long that took."""
    began = clock.now()
    while await Worker(context, {KIND: fail}).run_due():
        job = (await stored(context))[-1]
        if job.dead_at is None:
            clock.move_to(job.run_at)
    return clock.now() - began


async def test_what_a_job_needs_may_be_away_for_an_hour_and_a_half(
    context: Context, clock: MovableClock
) -> None:
    await leave_job(context)
    took = await let_die(context, clock)
    assert timedelta(minutes=90) < took < timedelta(hours=2)
    [job] = await stored(context)
    assert (job.attempts, job.dead_at) == (MOST_ATTEMPTS, clock.now())


async def test_jobs_that_failed_together_are_not_all_tried_again_at_once(
    context: Context, clock: MovableClock
) -> None:
    for _ in range(20):
        await leave_job(context)
    late = update(Job).values(attempts=MOST_ATTEMPTS - 2)
    await transact(context, None, lambda work: work.execute(late))
    assert await Worker(context, {KIND: fail}).run_due() == 20
    again = {job.run_at - clock.now() for job in await stored(context)}
    assert len(again) > 10
    assert timedelta(minutes=8) <= min(again) < max(again) <= LONGEST_PAUSE


async def test_jobs_that_went_well_are_forgotten_after_a_week_and_dead_ones_are_kept(
    context: Context, clock: MovableClock
) -> None:
    """But for those whose work a newer one does."""
    await leave_job(context, number=1)
    await Worker(context, {KIND: Ran()}).run_due()
    await leave_job(context, number=2)
    await let_die(context, clock)
    await leave_job(context, key="one", number=3)
    await let_die(context, clock)
    await leave_job(context, key="another", number=4)
    await let_die(context, clock)
    await leave_job(context, key="one", number=5)
    assert await transact(context, None, forget_done) == 0
    clock.advance(DONE_KEPT)
    assert await transact(context, None, forget_done) == 2
    assert [job.payload["number"] for job in await stored(context)] == [2, 4, 5]


async def test_a_job_whose_key_has_a_live_one_is_not_left_again(
    context: Context, clock: MovableClock
) -> None:
    """Else the one that is there would have all its attempts again, and never be given up."""

    async def leave(work: UnitOfWork) -> None:
        await enqueue_unless_there(work, KIND, {}, key="one")

    await transact(context, None, leave)
    await Worker(context, {KIND: fail}).run_due()
    await transact(context, None, leave)
    [job] = await stored(context)
    assert job.attempts == 1
    clock.move_to(job.run_at)
    await let_die(context, clock)
    await transact(context, None, leave)
    assert [job.attempts for job in await stored(context)] == [MOST_ATTEMPTS, 0]


def test_forgetting_is_wired_to_the_worker() -> None:
    assert housekeeping.PERIODIC[0] in periodic()
    assert housekeeping.FORGET in runners()


async def test_a_worker_that_is_to_take_no_more_finishes_what_it_has(
    context: Context, bell: WatchedBell
) -> None:
    held = Held()
    worker = Worker(context, {KIND: held})
    working = asyncio.create_task(worker.run())
    await leave_job(context)
    await held.began.wait()
    await bell.waited_again()
    worker.take_no_more()
    await leave_job(context)
    held.may_end.set()
    await working
    first, second = await stored(context)
    assert first.done_at is not None
    assert (second.done_at, second.attempts, second.leased_until) == (None, 0, None)


async def test_what_it_was_about_to_take_is_given_back(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, rings = Ran(), list[None]()
    await leave_job(context)
    monkeypatch.setattr(context.bus, "ring", lambda: rings.append(None))
    worker = Worker(context, {KIND: ran})
    claim = worker._claim

    async def claiming(most: int) -> list[jobs.Claimed]:
        claimed = await claim(most)
        worker.take_no_more()
        return claimed

    monkeypatch.setattr(worker, "_claim", claiming)
    await worker.run()
    (job,) = await stored(context)
    assert (job.done_at, job.attempts, job.leased_until) == (None, 0, None)
    assert ran.payloads == []
    assert rings == [None]  # others may have it at once


async def test_a_process_that_drains_takes_no_job(context: Context, settings: Settings) -> None:
    background = Background(context, settings)
    await background.start()
    await background.drain()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*background._tasks)
    await leave_job(context)
    (job,) = [one for one in await stored(context) if one.kind == KIND]
    assert job.attempts == 0
    await background.stop()
