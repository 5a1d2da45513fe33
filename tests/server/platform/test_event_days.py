"""PostgreSQL keeps events by day: who resumes gets all of them, and a day that is over goes."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from server.app.container import build_context, close_context
from server.app.settings import Environment, Settings
from server.platform import event_days, streams
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.event_days import midnight, scan_default
from server.platform.migrate import upgrade_database
from server.platform.migration_steps import refused_from
from server.platform.streams import NewEvent
from server.platform.tables import StreamEvent
from server.platform.unit_of_work import UnitOfWork, reading, transact
from server.realtime.jobs import trim_streams
from tests.server.statements import before_each_statement

A_DAY = timedelta(days=1)
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT = "platform_stream_event_default"
CLOSINGS = text(
    "SELECT conname || ' ' || convalidated FROM pg_constraint"
    " WHERE conrelid = 'platform_stream_event_default'::regclass AND contype = 'c'"
)
IMPLIED = f'updated partition constraint for default partition "{DEFAULT}" is implied'


@pytest.fixture
def clock() -> MovableClock:
    """It is noon on the day of which the schema is, once there is a context."""
    return MovableClock(BEGINNING)


@pytest.fixture
async def context(
    empty_postgres_url: str, tmp_path: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Context]:
    monkeypatch.setattr(event_days, "_BRIEFLY", ())  # no day is given up on a busy machine
    settings = Settings(
        environment=Environment.TEST, data_dir=tmp_path, database_url=empty_postgres_url
    )
    context = build_context(settings, base_url="http://testserver", clock=clock)
    await upgrade_database(context.database)
    clock.move_to(await first_noon(context))
    yield context
    await close_context(context)


async def first_noon(context: Context) -> datetime:
    """Of the day of which the schema is: the migration asks the machine's clock."""
    async with reading(context) as work:
        [before] = [part for part in await event_days.parts(work) if "before" in part.name]
    return before.end + A_DAY / 2


@pytest.fixture
async def stream(context: Context) -> UUID:
    return await new_stream(context)


async def new_stream(context: Context) -> UUID:
    async def create(work: UnitOfWork) -> UUID:
        id_ = work.new_id()
        await streams.create(work, id_)
        return id_

    return await transact(context, None, create)


async def append(context: Context, stream: UUID, count: int = 1) -> None:
    news = [NewEvent("account.changed", b"{}")] * count
    await transact(context, None, lambda work: streams.append(work, {stream: news}))


async def after(context: Context, stream: UUID, pos: int, limit: int = 100) -> list[int]:
    async with reading(context) as work:
        return [hint.pos for hint in await streams.read_after(work, stream, pos, limit)]


async def oldest(context: Context, stream: UUID) -> int:
    async with reading(context) as work:
        return (await streams.position(work, stream)).oldest


async def parts(context: Context) -> list[str]:
    async with reading(context) as work:
        return [part.name for part in await event_days.parts(work)]


async def rows_in(context: Context, part: str) -> int:
    async with context.database.reader.connect() as connection:
        count: int | None = await connection.scalar(text(f"SELECT count(*) FROM {part}"))
        return count or 0


def part_of(moment: datetime) -> str:
    return f"platform_stream_event_{moment:%Y%m%d}"


@contextmanager
def reads(context: Context) -> Iterator[list[str]]:
    """The statements that ask for events."""
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM platform_stream_event" in statement:
            asked.append(statement)

    engine = context.database.reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


async def test_who_was_away_for_days_gets_every_event_of_them(
    context: Context, clock: MovableClock, stream: UUID
) -> None:
    for _ in range(6):  # the last ones are of days without a part of their own
        await append(context, stream, 5)
        clock.advance(A_DAY)
    for pos in range(31):
        assert await after(context, stream, pos) == list(range(pos + 1, 31))
    assert await after(context, stream, 3, limit=4) == [4, 5, 6, 7]


async def test_who_was_away_for_a_night_is_answered_from_two_days(
    context: Context, clock: MovableClock, stream: UUID
) -> None:
    await append(context, stream, 2)
    clock.advance(A_DAY)
    await append(context, stream, 2)
    with reads(context) as asked:
        assert await after(context, stream, 1) == [2, 3, 4]
        assert len(asked) == 1
        touched = await parts_in_plan(context, asked[0], stream)
        assert touched == {part_of(clock.now() - A_DAY), part_of(clock.now())}
        clock.advance(A_DAY)
        assert await after(context, stream, 1) == [2, 3, 4]
        assert len(asked) == 3


async def parts_in_plan(context: Context, asked: str, stream: UUID) -> set[str]:
    """The parts that a read after a position touches."""
    async with context.database.writer.connect() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN {asked}", (stream, 1, 100))
        return set(re.findall(r" on (platform_stream_event_\w+)", "".join(plan.scalars())))


async def test_what_is_of_another_day_by_its_clock_is_not_left_out(
    context: Context, clock: MovableClock, stream: UUID
) -> None:
    """The first, the last, or one in the midst, long ago or in days to come."""
    await append(context, stream, 5)
    for wrong in range(1, 6):
        for shift in (-5 * A_DAY, 2 * A_DAY, 9 * A_DAY):
            await move(context, wrong, clock.now() + shift)
            got, pos = [], 0
            while page := await after(context, stream, pos):
                got += page
                pos = page[-1]
            assert got == [1, 2, 3, 4, 5]
            await move(context, wrong, clock.now())


async def move(context: Context, pos: int, moment: datetime) -> None:
    moved = update(StreamEvent).where(StreamEvent.pos == pos).values(created_at=moment)
    await transact(context, None, lambda work: work.execute(moved))


async def test_rewriting_goes_back_over_days_as_far_as_it_should(
    context: Context, clock: MovableClock, stream: UUID
) -> None:
    await append(context, stream, 2)
    clock.advance(A_DAY)
    since = clock.now()
    await append(context, stream, 2)
    clock.advance(A_DAY)
    await append(context, stream, 2)

    async def rewrite(work: UnitOfWork) -> None:
        await streams.rewrite(
            work, [stream], ["account.changed"], since, lambda kind, data: b'{"new":1}'
        )

    await transact(context, None, rewrite)
    async with reading(context) as work:
        found = await work.rows(select(StreamEvent.data).order_by(StreamEvent.pos))
    assert [row.data for row in found] == [b"{}"] * 2 + [b'{"new":1}'] * 4


async def test_a_day_goes_when_its_last_event_is_of_a_week_ago(
    context: Context, clock: MovableClock, stream: UUID
) -> None:
    other, today = await new_stream(context), midnight(clock.now())
    day = part_of(today)
    await append(context, stream, 3)
    await append(context, other, 2)
    clock.move_to(today + A_DAY)
    await append(context, stream, 2)
    clock.move_to(today + 8 * A_DAY)
    await trim_streams(context, {})
    assert day in await parts(context), "an event of after midnight may come before one of this day"
    assert await oldest(context, stream) == 1
    clock.advance(timedelta(hours=1))
    await trim_streams(context, {})
    assert day not in await parts(context)
    assert (await oldest(context, stream), await oldest(context, other)) == (4, 3)
    assert await after(context, stream, 3) == [4, 5]
    assert await after(context, other, 2) == []
    await append(context, other)
    assert await after(context, other, 2) == [3]


async def test_more_streams_than_are_moved_on_at_once_are_all_moved_on(
    context: Context, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_days, "_AT_ONCE", 2)
    known = [await new_stream(context) for _ in range(5)]
    for one in known:
        await append(context, one, 2)
    clock.advance(9 * A_DAY)
    await trim_streams(context, {})
    assert [await oldest(context, one) for one in known] == [3] * 5
    assert await rows_in(context, "platform_stream_event") == 0


async def test_days_are_made_before_they_begin(context: Context, clock: MovableClock) -> None:
    clock.advance(2 * A_DAY)
    await trim_streams(context, {})
    assert set(await parts(context)) >= {part_of(clock.now() + n * A_DAY) for n in range(15)}
    assert part_of(clock.now() + 15 * A_DAY) not in await parts(context)


async def test_events_of_a_day_that_nobody_made_are_kept_and_trimmed_one_by_one(
    context: Context, clock: MovableClock, stream: UUID
) -> None:
    clock.advance(20 * A_DAY)
    await append(context, stream, 3)
    with capture_logs() as told:
        await trim_streams(context, {})
    today = part_of(clock.now())
    assert {note["part"] for note in told} == {today}
    assert today not in await parts(context)
    assert part_of(clock.now() + A_DAY) in await parts(context)
    assert await rows_in(context, "platform_stream_event_default") == 3
    clock.advance(A_DAY)
    await append(context, stream, 2)
    assert await rows_in(context, part_of(clock.now())) == 2
    assert await after(context, stream, 0) == [1, 2, 3, 4, 5]
    clock.advance(6 * A_DAY + timedelta(seconds=1))
    await trim_streams(context, {})
    assert await rows_in(context, "platform_stream_event_default") == 0
    assert await oldest(context, stream) == 4


async def fill_the_default(context: Context, clock: MovableClock, stream: UUID) -> int:
    """Have no worker for a month, and events of the last days of it; how many."""
    clock.advance(27 * A_DAY)
    for _ in range(4):
        await append(context, stream, 2)
        clock.advance(A_DAY)
    assert await rows_in(context, DEFAULT) == 8
    return 8


async def said_by_making(context: Context, days: list[datetime]) -> str:
    """What PostgreSQL says while it makes days, which are not kept."""
    url = context.database.writer.url.set(drivername="postgresql")
    line, said = await asyncpg.connect(url.render_as_string(False)), list[str]()
    line.add_log_listener(lambda _line, message: said.append(message.message))
    await line.execute("SET client_min_messages = debug1; BEGIN")
    for day in days:
        assert await line.fetchval("SELECT platform_make_event_day($1)", day.date())
    await line.close()
    return "\n".join(said)


async def closings(context: Context) -> list[str]:
    async with context.database.reader.connect() as connection:
        return list((await connection.scalars(CLOSINGS)).all())


async def test_days_are_made_beside_a_default_that_takes_long_to_look_through(
    context: Context, clock: MovableClock, stream: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps what is of the days before them, and is empty when those are over."""
    monkeypatch.setattr(event_days, "_SOON_SCANNED", 0)
    last = await fill_the_default(context, clock, stream)
    looked = list[str]()

    async def looked_through(context: Context) -> None:
        await scan_default(context)
        looked.extend(await closings(context))

    monkeypatch.setattr(event_days, "scan_default", looked_through)
    first = clock.now() + 7 * A_DAY
    with capture_logs() as told:
        await trim_streams(context, {})
    assert told == []
    assert looked == [f"ck_{DEFAULT}_before_{first:%Y%m%d} true"]
    assert await closings(context) == []
    made = {part_of(first + n * A_DAY) for n in range(8)}
    assert made <= set(await parts(context))
    assert part_of(clock.now() + A_DAY) not in await parts(context)
    for _ in range(16):
        await append(context, stream)
        last += 1
        clock.advance(A_DAY)
        await trim_streams(context, {})
        assert await after(context, stream, last - 6) == list(range(last - 5, last + 1))
    assert await rows_in(context, DEFAULT) == 0
    monkeypatch.undo()
    await trim_streams(context, {})
    ahead = {part_of(clock.now() + n * A_DAY) for n in range(15)}
    assert ahead <= set(await parts(context))


async def test_a_day_is_made_without_a_look_at_a_default_that_is_closed_to_it(
    context: Context, clock: MovableClock, stream: UUID
) -> None:
    """PostgreSQL says itself whether it looks."""
    await fill_the_default(context, clock, stream)
    day = midnight(clock.now()) + 7 * A_DAY
    closed = event_days.Part("", day, day + 3 * A_DAY)
    await transact(context, None, lambda work: event_days.close_default(work, closed))
    assert IMPLIED not in await said_by_making(context, [day])
    await event_days.scan_default(context)
    said = await said_by_making(context, [day + n * A_DAY for n in range(3)])
    assert said.count(IMPLIED) == 3


async def test_a_default_that_a_killed_worker_left_closed_is_opened(
    context: Context, clock: MovableClock, stream: UUID
) -> None:
    """What it would refuse is told of until then."""
    clock.advance(20 * A_DAY)
    day = midnight(clock.now())
    closed = event_days.Part("", day, day + A_DAY)
    await transact(context, None, lambda work: event_days.close_default(work, closed))
    with pytest.raises(IntegrityError):
        await append(context, stream)
    async with context.database.reader.connect() as connection:
        assert await refused_from(connection) == day.date()
    await trim_streams(context, {})
    assert await closings(context) == []
    await append(context, stream)


async def test_a_migration_that_was_given_up_is_told_of_every_hour(
    context: Context, clock: MovableClock
) -> None:
    async with context.database.writer.begin() as connection:
        await connection.execute(
            text(
                "ALTER TABLE chat_message ADD CONSTRAINT ck_chat_message_before_20990101"
                " CHECK (created_at < '2099-01-01') NOT VALID"
            )
        )
    with capture_logs() as told:
        await trim_streams(context, {})
    assert [(note["event"], note["day"]) for note in told] == [
        ("events_refused_from", "2099-01-01")
    ]


async def test_a_day_that_somebody_reads_for_long_goes_later(
    context: Context, clock: MovableClock, stream: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_days, "_BRIEFLY", ("SET LOCAL lock_timeout = '50ms'",))
    day, said = part_of(clock.now()), list[str]()
    await append(context, stream, 3)
    clock.advance(9 * A_DAY)
    async with context.database.snapshot.connect() as backup:
        await backup.execute(text(f"SELECT count(*) FROM {day}"))
        with capture_logs() as told, before_each_statement(context.database, said.append):
            await trim_streams(context, {})
        assert sum("platform_drop_event_part" in statement for statement in said) == 1
        assert {"event": "events_not_locked", "part": day} in [
            {"event": note["event"], "part": note["part"]} for note in told
        ]
        assert day in await parts(context)
        assert await oldest(context, stream) == 4
        await append(context, stream)
    assert await after(context, stream, 3) == [4]
    await trim_streams(context, {})
    assert day not in await parts(context)
    assert await after(context, stream, 3) == [4]
