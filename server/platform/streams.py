"""Gap-free streams: ``pos`` is taken by a row-locked UPDATE inside the transaction (H13)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update

from server.platform.bus import Hint
from server.platform.tables import Stream, StreamEvent
from server.platform.unit_of_work import UnitOfWork

_STREAM: Any = Stream.__table__
_MOVE_HEAD = (
    update(_STREAM)
    .where(_STREAM.c.id == bindparam("stream"))
    .values(head=_STREAM.c.head + bindparam("count"), updated_at=bindparam("now"))
    .returning(_STREAM.c.head)
)
_INSERT_EVENTS = insert(StreamEvent.__table__)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class NewEvent:
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


async def hold(work: UnitOfWork, stream_id: UUID) -> None:
    """Let nobody else append until the commit: what is counted from here agrees with the events."""
    await work.execute(select(Stream.id).where(Stream.id == stream_id).with_for_update())


async def append(work: UnitOfWork, events: Mapping[UUID, Sequence[NewEvent]]) -> None:
    """Append to several streams, locking them in the order of their ids (H15).

    The frames are hinted on the bus after the commit.
    """
    rows = []
    for stream_id in sorted(events):
        news = events[stream_id]
        moved = {"stream": stream_id, "count": len(news), "now": work.now}
        head = await work.scalar(_MOVE_HEAD, moved)
        if head is None:
            continue
        for pos, new in enumerate(news, start=head - len(news) + 1):
            rows.append(
                {
                    "stream_id": stream_id,
                    "pos": pos,
                    "kind": new.kind,
                    "data": new.data,
                    "created_at": work.now,
                }
            )
            work.hint(Hint(stream_id, pos, encode_event(pos, new.kind, new.data)))
    if rows:
        await work.execute(_INSERT_EVENTS, rows)


async def position(work: UnitOfWork, stream_id: UUID) -> Position:
    """Where the stream stands now."""
    row = await work.first(
        select(Stream.epoch, Stream.head, Stream.oldest).where(Stream.id == stream_id)
    )
    if row is None:
        raise LookupError(f"no stream {stream_id}")
    return Position(row.epoch, row.head, row.oldest)


async def heads(work: UnitOfWork, stream_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The heads of many streams in one query."""
    rows = await work.rows(select(Stream.id, Stream.head).where(Stream.id.in_(stream_ids)))
    return {row.id: row.head for row in rows}


async def read_after(work: UnitOfWork, stream_id: UUID, pos: int, limit: int) -> list[Hint]:
    """Up to ``limit`` frames after ``pos``, in order."""
    rows = await work.rows(
        select(StreamEvent.pos, StreamEvent.kind, StreamEvent.data)
        .where(StreamEvent.stream_id == stream_id, StreamEvent.pos > pos)
        .order_by(StreamEvent.pos)
        .limit(limit)
    )
    return [Hint(stream_id, row.pos, encode_event(row.pos, row.kind, row.data)) for row in rows]


async def longest(work: UnitOfWork, more_than: int, after: UUID | None, limit: int) -> list[UUID]:
    """Streams that keep more than so many events, by id, for trimming."""
    statement = select(Stream.id).where(Stream.head - Stream.oldest + 1 > more_than)
    if after is not None:
        statement = statement.where(Stream.id > after)
    return [row.id for row in await work.rows(statement.order_by(Stream.id).limit(limit))]


async def trim(work: UnitOfWork, stream_id: UUID, *, keep: int, since: datetime) -> int:
    """Drop events of before ``since``, but never of the last ``keep``; how many there were."""
    kept_from = await work.scalar(
        select(func.min(StreamEvent.pos)).where(
            StreamEvent.stream_id == stream_id, StreamEvent.created_at >= since
        )
    )
    head = await work.scalar(select(Stream.head).where(Stream.id == stream_id).with_for_update())
    if head is None:
        return 0
    oldest = max(1, min(kept_from or head + 1, head - keep + 1))
    dropped = await work.changed(
        delete(StreamEvent).where(StreamEvent.stream_id == stream_id, StreamEvent.pos < oldest)
    )
    if dropped:
        await work.execute(
            update(Stream).where(Stream.id == stream_id).values(oldest=oldest, updated_at=work.now)
        )
    return dropped
