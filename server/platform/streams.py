"""Gap-free streams: ``pos`` is taken by a row-locked UPDATE inside the transaction (H13)."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update

from server.platform import event_days
from server.platform.bus import Hint
from server.platform.columns import microseconds, slices
from server.platform.tables import Stream, StreamEvent
from server.platform.unit_of_work import UnitOfWork

# Every message moves two heads and leaves two events, so these are written by hand.
_MOVE_HEAD = (
    "UPDATE platform_stream SET head = head + ?, updated_at = ? WHERE id = ? RETURNING head"
)
_MOVE_HEADS = """
WITH moving AS MATERIALIZED (
    SELECT stream.id, news.count
    FROM platform_stream AS stream
    JOIN unnest($1::uuid[], $2::int[]) AS news (id, count) ON news.id = stream.id
    ORDER BY stream.id
    FOR UPDATE OF stream
)
UPDATE platform_stream AS stream SET head = head + moving.count, updated_at = $3
FROM moving WHERE moving.id = stream.id
RETURNING stream.id, stream.head
"""
_INSERT_EVENT = """
INSERT INTO platform_stream_event (stream_id, pos, kind, data, created_at) VALUES (?, ?, ?, ?, ?)
"""
_INSERT_EVENTS = """
INSERT INTO platform_stream_event (stream_id, pos, kind, data, created_at)
SELECT news.*, $5 FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[]) AS news
"""


_PAGE_BACK = 500


class NewEvent(NamedTuple):
    """An event to append: its kind and the JSON of its object."""

    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream stands."""

    epoch: UUID
    head: int
    oldest: int


def encode_event(pos: int, kind: str, data: bytes) -> bytes:
    """The ``event`` frame around data that is JSON already."""
    return b'{"t":"event","pos":%d,"kind":"%s","data":%s}' % (pos, kind.encode(), data)


async def create(work: UnitOfWork, stream_id: UUID) -> None:
    """A new, empty stream with an epoch of its own."""
    await work.execute(
        insert(Stream).values(
            id=stream_id,
            epoch=work.new_id(),
            head=0,
            oldest=1,
            created_at=work.now,
            updated_at=work.now,
        )
    )


async def renew_epochs(work: UnitOfWork) -> int:
    """Give all streams an epoch that no client knows; how many there are.

    For a database that has gone back in time: a client whose position is ahead of it would take
    what comes for what it has seen, and resets instead.
    """
    return await work.changed(update(Stream).values(epoch=work.new_id()))


async def hold(work: UnitOfWork, *stream_ids: UUID) -> None:
    """Let nobody else append until the commit: what is counted from here agrees with the events.

    All that will be appended to are held at once, in the order of their ids (H15).
    """
    which = select(Stream.id).where(Stream.id.in_(stream_ids)).order_by(Stream.id)
    await work.execute(which.with_for_update())


async def append(work: UnitOfWork, events: Mapping[UUID, Sequence[NewEvent]]) -> None:
    """Append to several streams, locking them in the order of their ids (H15).

    The frames are hinted on the bus after the commit.
    """
    heads = await _move_heads(work, {id_: len(events[id_]) for id_ in sorted(events)})
    rows = []
    for stream_id, head in heads.items():
        news = events[stream_id]
        for pos, new in enumerate(news, start=head - len(news) + 1):
            rows.append((stream_id, pos, new.kind, new.data))
            work.hint(Hint(stream_id, pos, encode_event(pos, new.kind, new.data)))
    if rows:
        await _insert(work, rows)


async def _insert(work: UnitOfWork, rows: Sequence[tuple[UUID, int, str, bytes]]) -> None:
    if work.is_sqlite:
        now = microseconds(work.now)
        stored = ((stream_id.hex, pos, kind, data, now) for stream_id, pos, kind, data in rows)
        work.sqlite_many(_INSERT_EVENT, stored)
    else:
        columns = (list(column) for column in zip(*rows, strict=True))
        await work.postgresql_rows(_INSERT_EVENTS, *columns, work.now)


async def _move_heads(work: UnitOfWork, counts: Mapping[UUID, int]) -> dict[UUID, int]:
    """Move the heads on; where each then stands. A stream that is gone has none."""
    if work.is_sqlite:
        run, now = work.sqlite_rows, microseconds(work.now)
        moved = ((id_, run(_MOVE_HEAD, (n, now, id_.hex))) for id_, n in counts.items())
        return {id_: rows[0][0] for id_, rows in moved if rows}
    values = list(counts), list(counts.values()), work.now
    return dict(await work.postgresql_rows(_MOVE_HEADS, *values))


async def position(work: UnitOfWork, stream_id: UUID) -> Position:
    """Where the stream stands now."""
    row = await work.first(
        select(Stream.epoch, Stream.head, Stream.oldest).where(Stream.id == stream_id)
    )
    if row is None:
        raise LookupError(f"no stream {stream_id}")
    return Position(row.epoch, row.head, row.oldest)


async def heads(work: UnitOfWork, stream_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The heads of however many streams, thousands in one query."""
    found: dict[UUID, int] = {}
    for ids in slices(stream_ids):
        rows = await work.rows(select(Stream.id, Stream.head).where(Stream.id.in_(ids)))
        found |= {row.id: row.head for row in rows}
    return found


async def read_after(work: UnitOfWork, stream_id: UUID, pos: int, limit: int) -> list[Hint]:
    """Up to ``limit`` frames after ``pos``, in order; none only if there are none.

    On PostgreSQL events are kept by day. Who has been away for a night finds what comes next in two
    of them: what is there and has no gap is the right answer, whatever the clocks said.
    """
    page = (
        select(StreamEvent.pos, StreamEvent.kind, StreamEvent.data)
        .where(StreamEvent.stream_id == stream_id, StreamEvent.pos > pos)
        .order_by(StreamEvent.pos)
        .limit(limit)
    )
    rows: Sequence[Row[Any]] = ()
    if not work.is_sqlite:
        rows = await work.rows(page.where(event_days.of_late(work.now)))
    if not rows or rows[-1].pos - pos != len(rows):
        rows = await work.rows(page)
    return [Hint(stream_id, row.pos, encode_event(row.pos, row.kind, row.data)) for row in rows]


async def with_events_before(
    work: UnitOfWork, since: datetime, after: UUID | None, limit: int
) -> list[UUID]:
    """Streams that keep events of before ``since``, by id, for trimming; but what is kept by day
    is not trimmed.
    """
    found: set[UUID] = set()
    for events in await event_days.without_days(work):
        statement = select(events.c.stream_id).distinct().where(events.c.created_at < since)
        if after is not None:
            statement = statement.where(events.c.stream_id > after)
        rows = await work.rows(statement.order_by(events.c.stream_id).limit(limit))
        found |= {row.stream_id for row in rows}
    return sorted(found)[:limit]


async def trim(work: UnitOfWork, stream_id: UUID, *, since: datetime) -> int:
    """Drop the events of before ``since`` that no younger one comes before; how many there were."""
    head = await work.scalar(select(Stream.head).where(Stream.id == stream_id).with_for_update())
    if head is None:
        return 0
    kept_from = await work.scalar(
        select(func.min(StreamEvent.pos)).where(
            StreamEvent.stream_id == stream_id, StreamEvent.created_at >= since
        )
    )
    oldest = kept_from or head + 1
    dropped = await work.changed(
        delete(StreamEvent).where(StreamEvent.stream_id == stream_id, StreamEvent.pos < oldest)
    )
    if dropped:
        await work.execute(
            update(Stream).where(Stream.id == stream_id).values(oldest=oldest, updated_at=work.now)
        )
    return dropped


async def rewrite(
    work: UnitOfWork,
    stream_ids: Collection[UUID],
    kinds: Collection[str],
    since: datetime,
    change: Callable[[str, bytes], bytes | None],
) -> None:
    """Let events of these kinds and of since then say something else to whoever resumes.

    ``change`` is given an event's kind and data, and answers new data or None.
    """
    await hold(work, *stream_ids)
    for stream_id in stream_ids:
        async for row in _back_to(work, stream_id, since):
            data = change(row.kind, row.data) if row.kind in kinds else None
            if data is not None:
                await work.execute(
                    update(StreamEvent)
                    .where(
                        StreamEvent.stream_id == stream_id,
                        StreamEvent.pos == row.pos,
                        StreamEvent.created_at == row.created_at,
                    )
                    .values(data=data)
                )


async def _back_to(work: UnitOfWork, stream_id: UUID, since: datetime) -> AsyncIterator[Row[Any]]:
    """The events of since then, the newest first; what is older is not read."""
    below: int | None = None
    while True:
        statement = select(
            StreamEvent.pos, StreamEvent.kind, StreamEvent.data, StreamEvent.created_at
        ).where(StreamEvent.stream_id == stream_id)
        if not work.is_sqlite:  # which would read on through what is older
            statement = statement.where(event_days.since(event_days.midnight(since)))
        if below is not None:
            statement = statement.where(StreamEvent.pos < below)
        page = await work.rows(statement.order_by(StreamEvent.pos.desc()).limit(_PAGE_BACK))
        for row in page:
            if row.created_at < since:
                return
            yield row
        if len(page) < _PAGE_BACK:
            return
        below = page[-1].pos
