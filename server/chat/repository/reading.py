"""Reading messages: always for somebody, and never what they have cleared."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update

from server.chat.repository.records import (
    MEMBER,
    MESSAGE,
    MESSAGE_COLUMNS,
    ROOM,
    WIDTH,
    HistoryRow,
    StoredMessage,
)
from server.platform.unit_of_work import UnitOfWork


def _readable(*columns: Any) -> Select[Any]:
    """Messages of the account's own rooms that it has not cleared."""
    return (
        select(*columns)
        .select_from(MESSAGE)
        .join(ROOM, ROOM.c.id == MESSAGE.c.room_id)
        .join(MEMBER, MEMBER.c.room_id == MESSAGE.c.room_id)
        .where(
            MEMBER.c.account_id == bindparam("account"),
            MESSAGE.c.seq >= MEMBER.c.cleared_before_seq,
        )
    )


_BY_ID = _readable(*MESSAGE_COLUMNS).where(MESSAGE.c.id == bindparam("message"))
_BY_SEQ = _readable(*MESSAGE_COLUMNS).where(
    MESSAGE.c.room_id == bindparam("room"), MESSAGE.c.seq == bindparam("seq")
)
_HISTORY = (
    _readable(*MESSAGE_COLUMNS, ROOM.c.last_seq, MEMBER.c.cleared_before_seq)
    .where(MESSAGE.c.room_id == bindparam("room"))
    .limit(bindparam("most", type_=MESSAGE.c.seq.type))
)
_NEWEST = _HISTORY.order_by(MESSAGE.c.seq.desc())
_BELOW = _NEWEST.where(MESSAGE.c.seq < bindparam("bound"))
_FROM = _HISTORY.order_by(MESSAGE.c.seq.asc()).where(MESSAGE.c.seq >= bindparam("bound"))
_EXTENT = (
    select(ROOM.c.last_seq, MEMBER.c.cleared_before_seq)
    .select_from(ROOM)
    .join(MEMBER, MEMBER.c.room_id == ROOM.c.id)
    .where(ROOM.c.id == bindparam("room"), MEMBER.c.account_id == bindparam("account"))
)


async def message(
    work: UnitOfWork, room_id: UUID, seq: int, account_id: UUID
) -> StoredMessage | None:
    """One message of a room, if the account is a party of it and has not cleared it."""
    row = await work.first(_BY_SEQ, {"room": room_id, "seq": seq, "account": account_id})
    return StoredMessage._make(row) if row else None


async def message_by_id(
    work: UnitOfWork, message_id: UUID, account_id: UUID
) -> StoredMessage | None:
    """The same by its id."""
    row = await work.first(_BY_ID, {"message": message_id, "account": account_id})
    return StoredMessage._make(row) if row else None


async def delete_message(
    work: UnitOfWork, room_id: UUID, seq: int, sender_id: UUID, since: datetime
) -> StoredMessage | None:
    """Make one's own message of after ``since`` a tombstone; None when it hit nothing."""
    deleted = await work.execute(
        update(MESSAGE)
        .where(
            MESSAGE.c.room_id == room_id,
            MESSAGE.c.seq == seq,
            MESSAGE.c.sender_id == sender_id,
            MESSAGE.c.deleted_at.is_(None),
            MESSAGE.c.created_at > since,
        )
        .values(deleted_at=work.now, updated_at=work.now)
        .returning(*MESSAGE_COLUMNS)
    )
    row = deleted.first()
    return StoredMessage._make(row) if row else None


async def history(
    work: UnitOfWork,
    room_id: UUID,
    account_id: UUID,
    *,
    at_least: int | None = None,
    below: int | None = None,
    limit: int,
) -> list[HistoryRow]:
    """Up to ``limit`` messages by ascending ``seq``: the first ones from ``at_least`` on, or the
    last ones below ``below``, or the very last ones.
    """
    wanted: dict[str, Any] = {"room": room_id, "account": account_id, "most": limit}
    statement = _NEWEST
    if at_least is not None:
        statement, wanted["bound"] = _FROM, at_least
    elif below is not None:
        statement, wanted["bound"] = _BELOW, below
    rows: Sequence[Any] = await work.rows(statement, wanted)
    page = [HistoryRow(StoredMessage._make(row[:WIDTH]), *row[WIDTH:]) for row in rows]
    return page if at_least is not None else page[::-1]


async def extent(work: UnitOfWork, room_id: UUID, account_id: UUID) -> tuple[int, int] | None:
    """The room's last ``seq`` and the first one the account may read; None for a stranger."""
    row = await work.first(_EXTENT, {"room": room_id, "account": account_id})
    return (row.last_seq, row.cleared_before_seq) if row else None
