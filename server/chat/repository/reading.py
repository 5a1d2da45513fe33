"""Reading messages: always for somebody, and never what they have cleared."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update

from server.chat.repository.records import (
    MEMBER,
    MESSAGE,
    MESSAGE_COLUMNS,
    ROOM,
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


async def extent(work: UnitOfWork, room_id: UUID, account_id: UUID) -> tuple[int, int] | None:
    """The room's last ``seq`` and the first one the account may read; None for a stranger."""
    row = await work.first(_EXTENT, {"room": room_id, "account": account_id})
    return (row.last_seq, row.cleared_before_seq) if row else None
