"""While a backup copies objects, none is deleted that its database still knows."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from server.app.background import deleting, periodic, runners
from server.platform import holding
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.holding import (
    LASTS,
    HeldAlready,
    HoldLost,
    objects_are_held,
    objects_held,
)
from server.platform.jobs import LEASE, Worker, enqueue
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.conftest import Person, SignUpPerson
from tests.server.media.uploading import ask, declared, make_photo, objects_of, put

GONE: set[str] = set()
LOOK_S = 1
"""A hold looks more often than this whether deletions are over."""
COPIES = {"thumb.jpg", "full.jpg"}


@pytest.fixture
async def minsu(sign_up: SignUpPerson) -> Person:
    return await sign_up("minsu")


@pytest.fixture
def worker(context: Context) -> Worker:
    return Worker(context, runners(), deleting=deleting())


async def drop(context: Context, photo_id: str) -> None:
    """Leave the job that deletes a photo's objects."""

    async def leave(work: UnitOfWork) -> None:
        await enqueue(work, "media.remove", {"ids": [photo_id]})

    await transact(context, None, leave)


async def test_objects_of_what_is_deleted_meanwhile_stay_until_the_end(
    context: Context, worker: Worker, minsu: Person, clock: MovableClock
) -> None:
    photo = (await make_photo(minsu, context))["id"]
    async with objects_held(context, deleting()):
        await drop(context, photo)
        await worker.run_due()
        assert await objects_of(context, photo) == COPIES
    clock.advance(timedelta(microseconds=1))
    await worker.run_due()
    assert await objects_of(context, photo) == GONE


async def test_the_original_of_what_is_processed_meanwhile_goes_afterwards(
    context: Context, worker: Worker, minsu: Person, clock: MovableClock
) -> None:
    [upload] = await ask(minsu, declared())
    await put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    async with objects_held(context, deleting()):
        await worker.run_due()
        assert await objects_of(context, upload["id"]) == {*COPIES, upload["id"]}
    clock.advance(timedelta(hours=1))
    await worker.run_due()
    assert await objects_of(context, upload["id"]) == COPIES


async def test_a_hold_waits_for_deletions_under_way(
    context: Context, minsu: Person, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And for those of a worker that died it waits no longer than the lease."""
    began, waited = asyncio.Event(), asyncio.Event()
    may_end = asyncio.Event()

    async def delete(_context: Context, _payload: dict[str, Any]) -> None:
        began.set()
        await may_end.wait()

    async def sleep(seconds: float) -> None:
        if seconds > LOOK_S:  # it is not yet time to renew the hold
            await asyncio.Event().wait()
        waited.set()
        await real_sleep(0)

    real_sleep = asyncio.sleep
    await drop(context, str(minsu.id))
    deletion = asyncio.create_task(Worker(context, {"media.remove": delete}).run_due())
    await began.wait()
    monkeypatch.setattr(asyncio, "sleep", sleep)

    async def hold() -> None:
        async with objects_held(context, deleting()):
            return

    held, waits = asyncio.create_task(hold()), asyncio.create_task(waited.wait())
    await asyncio.wait((held, waits), return_when=asyncio.FIRST_COMPLETED)
    assert not held.done()
    clock.advance(LEASE + timedelta(seconds=1))
    await held
    may_end.set()
    await deletion


async def test_of_two_backups_at_once_the_second_is_refused_and_a_killed_one_lets_go(
    context: Context, worker: Worker, minsu: Person, clock: MovableClock
) -> None:
    photo = (await make_photo(minsu, context))["id"]
    killed = objects_held(context, deleting())
    await killed.__aenter__()
    with pytest.raises(HeldAlready, match="another backup is under way, or was killed"):
        async with objects_held(context, deleting()):
            raise AssertionError
    await drop(context, photo)
    clock.advance(LASTS)
    async with objects_held(context, deleting()):
        await worker.run_due()
        assert await objects_of(context, photo) == COPIES
    clock.advance(timedelta(microseconds=1))
    await worker.run_due()
    assert await objects_of(context, photo) == GONE
    with pytest.raises(HoldLost):
        await killed.__aexit__(None, None, None)


async def test_who_has_lost_a_hold_leaves_that_of_another_backup_alone(
    context: Context, clock: MovableClock
) -> None:
    late = objects_held(context, deleting())
    await late.__aenter__()
    clock.advance(LASTS)
    async with objects_held(context, deleting()):
        with pytest.raises(HoldLost):
            await late.__aexit__(None, None, None)
        assert await objects_are_held(context)


async def test_a_hold_that_has_ended_fails_the_backup_as_soon_as_it_is_noticed(
    context: Context, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    awake = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await awake.wait()

    monkeypatch.setattr(asyncio, "sleep", sleep)

    async def back_up() -> None:
        async with objects_held(context, deleting()):
            clock.advance(LASTS)
            awake.set()
            await asyncio.Event().wait()

    with pytest.raises(HoldLost, match="objects may be missing from it"):
        await back_up()


async def test_a_database_that_is_away_for_as_long_as_a_hold_lasts_fails_the_backup(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OSError("away")

    async def back_up() -> None:
        async with objects_held(context, deleting()):
            monkeypatch.setattr(holding, "transact", away)
            await asyncio.Event().wait()

    monkeypatch.setattr(holding, "LASTS", timedelta(seconds=0.1))
    with pytest.raises(HoldLost):
        await back_up()


async def test_a_hold_lasts_as_long_as_the_backup(
    context: Context,
    worker: Worker,
    minsu: Person,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = (await make_photo(minsu, context))["id"]
    await drop(context, photo)
    sleeps, awake = asyncio.Event(), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        sleeps.set()
        await awake.wait()
        awake.clear()

    monkeypatch.setattr(asyncio, "sleep", sleep)
    async with objects_held(context, deleting()):
        await sleeps.wait()
        for _ in range(3):
            clock.advance(LASTS * 0.9)
            sleeps.clear()
            awake.set()
            await sleeps.wait()
        await worker.run_due()
        assert await objects_of(context, photo) == COPIES


def test_all_kinds_that_delete_can_be_run() -> None:
    assert deleting() <= set(runners())
    assert deleting().isdisjoint(one.kind for one in periodic())
