"""The events of streams are kept by day on PostgreSQL: a day that is over goes at once.

``platform_stream_event`` has a part for each day, made some days ahead; one for all that was there
when days were introduced; and one for what no other part takes, so that no event is ever refused.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    TableClause,
    and_,
    column,
    exists,
    func,
    literal_column,
    select,
    table,
    text,
)

from server.platform.context import Context
from server.platform.tables import StreamEvent
from server.platform.unit_of_work import UnitOfWork

EVENTS = "platform_stream_event"
FUNCTIONS = (
    "platform_make_event_day",
    "platform_drop_event_part",
    "platform_close_event_default",
    "platform_scan_event_default",
    "platform_open_event_default",
)
"""What the owner of the tables has made for the worker, which need not own them."""
_DEFAULT = f"{EVENTS}_default"
_BEFORE = f"{EVENTS}_before_"
_OURS = re.compile(rf"{EVENTS}_(?:before_)?([0-9]{{8}})")
_A_DAY = timedelta(days=1)
_AHEAD = 14
"""How many days to come have their part already: for so long no worker is needed."""
_MARGIN = 7
"""By how many days the default is closed ahead, to events that it would refuse then: a worker that
was killed meanwhile has as long to be started again.
"""
_SOON_SCANNED = 64 * 2**20
"""How many bytes of the default are looked through while nobody can write."""

_PARTS = text("""
SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = to_regclass('platform_stream_event') ORDER BY relname
""")
_CLOSED = text("""
SELECT EXISTS (SELECT FROM pg_constraint
    WHERE conrelid = to_regclass('platform_stream_event_default') AND contype = 'c')
""")
_BRIEFLY = "SET LOCAL lock_timeout = '2s'", "SET LOCAL statement_timeout = '3s'"
"""Requests wait behind it for as long. What is longer is tried again later."""
_MOVE_OLDEST = """
WITH over AS MATERIALIZED (
    SELECT stream_id, max(pos) AS pos FROM platform_stream_event
    WHERE created_at >= {start} AND created_at < {end} AND stream_id > $1
    GROUP BY stream_id ORDER BY stream_id LIMIT $2
), moving AS MATERIALIZED (
    SELECT stream.id, over.pos
    FROM platform_stream AS stream JOIN over ON over.stream_id = stream.id
    WHERE stream.oldest <= over.pos ORDER BY stream.id FOR UPDATE OF stream
), moved AS (
    UPDATE platform_stream AS stream SET oldest = moving.pos + 1, updated_at = $3
    FROM moving WHERE moving.id = stream.id
)
SELECT stream_id FROM over ORDER BY stream_id DESC LIMIT 1
"""
_AT_ONCE = 500
_NOBODY = UUID(int=0)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the events: those from ``start`` on and before ``end``."""

    name: str
    start: datetime
    end: datetime


DEFAULT = Part(_DEFAULT, _EVER, datetime.max.replace(tzinfo=UTC))
"""What no other part takes."""


def midnight(moment: datetime) -> datetime:
    """When the day of a moment began; days are those of UTC."""
    return datetime.combine(moment.astimezone(UTC), time(), UTC)


def of_late(now: datetime) -> ColumnElement[bool]:
    """The events of yesterday and today, in two parts."""
    today = midnight(now)
    return and_(since(today - _A_DAY), StreamEvent.created_at < _literal(today + _A_DAY))


def since(day: datetime) -> ColumnElement[bool]:
    """The events from the beginning of a day on."""
    return StreamEvent.created_at >= _literal(day)


def _literal(day: datetime) -> ColumnElement[datetime]:
    return literal_column(_constant(day), StreamEvent.created_at.type)


def _constant(day: datetime) -> str:
    """In the statement, which is another one each day: a plan for any day would be one for all
    parts, and for a stretch of time so short as to read all streams in it.
    """
    return f"timestamptz '{day.isoformat()}'"


def is_part(name: str) -> bool:
    """Whether a table is a part of the events."""
    return name.startswith(f"{EVENTS}_")


async def parts(work: UnitOfWork) -> list[Part]:
    """All parts but the one for what no other takes; none where there are no days."""
    return list(_parts(await _names(work)))


async def _names(work: UnitOfWork) -> list[str]:
    return [] if work.is_sqlite else [row.relname for row in await work.rows(_PARTS)]


def _parts(names: Sequence[str]) -> Iterator[Part]:
    for name in names:
        named = _OURS.fullmatch(name)
        if named is None:
            continue  # somebody has attached it by hand, who knows what it is for
        day = datetime.strptime(named[1], "%Y%m%d").replace(tzinfo=UTC)
        yield Part(name, _EVER, day) if name.startswith(_BEFORE) else Part(name, day, day + _A_DAY)


async def without_days(work: UnitOfWork) -> list[TableClause]:
    """What holds events of many days, from which they are deleted one by one."""
    names = [name for name in await _names(work) if name == _DEFAULT or name.startswith(_BEFORE)]
    return [_events_in(name) for name in ([EVENTS] if work.is_sqlite else names)]


def _events_in(name: str) -> TableClause:
    columns: list[Any] = [column(known.name, known.type) for known in StreamEvent.__table__.columns]
    return table(name, *columns)


async def missing(work: UnitOfWork) -> list[Part]:
    """The days that should have their part by now and have none."""
    names = await _names(work)
    if not names:
        return []
    there, today = list(_parts(names)), midnight(work.now)
    starts = [today + number * _A_DAY for number in range(_AHEAD + 1)]
    return [
        Part(f"{EVENTS}_{start:%Y%m%d}", start, start + _A_DAY)
        for start in starts
        if not any(part.start <= start < part.end for part in there)
    ]


async def is_default_long(work: UnitOfWork) -> bool:
    """Whether to look through the default, as who makes a day has it done, takes long."""
    size = select(func.pg_relation_size(func.to_regclass(_DEFAULT)))
    return not work.is_sqlite and (await work.scalar(size) or 0) > _SOON_SCANNED


async def can_be_kept_out(work: UnitOfWork, days: Sequence[Part]) -> list[Part]:
    """The next of these days, one after the other, of which the default has no event, and which it
    can be closed to for a while.
    """
    found: list[Part] = []
    for day in days:
        if day.start < midnight(work.now) + _MARGIN * _A_DAY:
            continue
        has_events = await work.scalar(_has_events(day))
        if found and (has_events or found[-1].end != day.start):
            break
        if not has_events:
            found.append(day)
    return found


def _has_events(day: Part) -> Any:
    among = _events_in(_DEFAULT)
    of_day = and_(among.c.created_at >= _literal(day.start), among.c.created_at < _literal(day.end))
    return select(exists(select(literal_column("1")).select_from(among).where(of_day)))


async def is_default_closed(work: UnitOfWork) -> bool:
    """Whether a worker that was killed has left the default closed to some days."""
    found = None if work.is_sqlite else await work.scalar(_CLOSED)
    return bool(found)


async def close_default(work: UnitOfWork, days: Part) -> bool:
    """Have the default refuse events of these days, until it is opened again."""
    closing = func.platform_close_event_default(days.start.date(), days.end.date())
    await work.execute(select(closing))
    return True


async def scan_default(context: Context) -> None:
    """Look through the default beside those who write: that it has no event of the days to which it
    is closed. It takes as long as it takes.
    """
    async with context.database.unlimited() as connection:
        await connection.execute(select(func.platform_scan_event_default()))


async def open_default(work: UnitOfWork, _default: Part) -> bool:
    """Let the default take whatever no other part takes."""
    await work.execute(select(func.platform_open_event_default()))
    return True


async def make(work: UnitOfWork, part: Part) -> bool:
    """Make the part of a day; not if there are events of it already: those stay where they are."""
    made: bool = await work.scalar(select(func.platform_make_event_day(part.start.date())))
    return made


async def advance_oldest(work: UnitOfWork, part: Part, after: UUID | None) -> UUID | None:
    """Move on what is the oldest event of some streams, beyond those of a part; the last of them,
    None when there are no more.
    """
    move = _MOVE_OLDEST.format(start=_constant(part.start), end=_constant(part.end))
    rows = await work.postgresql_rows(move, after or _NOBODY, _AT_ONCE, work.now)
    return rows[0]["stream_id"] if rows else None


async def drop(work: UnitOfWork, part: Part) -> bool:
    """Drop a part, whose events nobody can ask for any more."""
    await work.execute(select(func.platform_drop_event_part(part.name)))
    return True


async def be_brief(work: UnitOfWork) -> None:
    """Rather fail than keep others waiting for long."""
    for statement in _BRIEFLY:
        await work.execute(text(statement))
