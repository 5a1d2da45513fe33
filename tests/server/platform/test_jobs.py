"""The worker: whatever fails about it, due jobs are run, and each is settled by who holds it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from server.platform import jobs
from server.platform.context import Context
from server.platform.errors import Conflict
from server.platform.jobs import Bell, Periodic, Worker, enqueue
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, reading, transact

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
