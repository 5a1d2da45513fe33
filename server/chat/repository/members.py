"""What each side of a room has for itself: read marks, muting, leaving."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select, update

from server.chat.ports import RoomFacts
from server.chat.repository.records import MEMBER, MESSAGE
from server.chat.tables import Member
from server.platform.unit_of_work import UnitOfWork

_MARK = bindparam("mark", type_=MEMBER.c.read_seq.type)
_OF_OTHERS = (
    select(func.count())
    .select_from(MESSAGE)
    .where(
        MESSAGE.c.room_id == bindparam("room"),
        or_(MESSAGE.c.actor_id.is_(None), MESSAGE.c.actor_id != bindparam("account")),
    )
)
_READ_NOW = _OF_OTHERS.where(MESSAGE.c.seq > MEMBER.c.read_seq, MESSAGE.c.seq <= _MARK)
_LEFT = _OF_OTHERS.where(MESSAGE.c.seq > _MARK)
_UNREAD = case(  # counted on the shorter side: of a million, a step of ten costs ten
    (
        _MARK - MEMBER.c.read_seq < bindparam("last", type_=_MARK.type) - _MARK,
        MEMBER.c.unread - _READ_NOW.correlate(MEMBER).scalar_subquery(),
    ),
    else_=_LEFT.scalar_subquery(),
)
_MARK_READ = (
    update(MEMBER)
    .where(
        MEMBER.c.room_id == bindparam("room"),
        MEMBER.c.account_id == bindparam("account"),
        MEMBER.c.read_seq < _MARK,
    )
    .values(read_seq=_MARK, unread=_UNREAD, updated_at=bindparam("now"))
    .returning(MEMBER.c.unread)
)
_MARK_READ_WITH_RECEIPT = _MARK_READ.values(receipt_seq=_MARK)


async def mark_read(
    work: UnitOfWork, room: RoomFacts, account_id: UUID, seq: int, *, with_receipt: bool
) -> int | None:
    """Move the account's read mark up and recount its unread; None when it was there already.

    The room must be held, so that no message slips between the count and its update.
    """
    mark: dict[str, Any] = {
        "room": room.id,
        "account": account_id,
        "mark": seq,
        "last": room.last_seq,
        "now": work.now,
    }
    left: int | None = await work.scalar(
        _MARK_READ_WITH_RECEIPT if with_receipt else _MARK_READ, mark
    )
    return left


async def read_mark(work: UnitOfWork, room_id: UUID, account_id: UUID) -> tuple[int, int]:
    """How far the account has read, and what it has not."""
    row = await work.first(
        select(Member.read_seq, Member.unread).where(
            Member.room_id == room_id, Member.account_id == account_id
        )
    )
    assert row is not None, "a room always has its two members"
    return row.read_seq, row.unread


async def left_rooms(work: UnitOfWork, room_ids: Collection[UUID]) -> set[UUID]:
    """Those of the rooms that somebody has left."""
    rows = await work.rows(
        select(MEMBER.c.room_id).where(
            MEMBER.c.room_id.in_(room_ids), MEMBER.c.left_at.is_not(None)
        )
    )
    return {row.room_id for row in rows}


async def set_muted(work: UnitOfWork, room_id: UUID, account_id: UUID, *, on: bool) -> bool:
    """Mute the room for the account or not; whether that changed anything."""
    return await _change_member(work, room_id, account_id, Member.muted != on, {"muted": on})


async def leave(work: UnitOfWork, room: RoomFacts, account_id: UUID) -> bool:
    """Take the room off the account's list and hide its history so far; whether it was there."""
    values = {
        "left_at": work.now,
        "cleared_before_seq": room.last_seq + 1,
        "read_seq": room.last_seq,
        "unread": 0,
    }
    return await _change_member(work, room.id, account_id, Member.left_at.is_(None), values)


async def rejoin(work: UnitOfWork, room_id: UUID, account_id: UUID) -> bool:
    """Put the room back on the account's list; whether it had left."""
    left = Member.left_at.is_not(None)
    return await _change_member(work, room_id, account_id, left, {"left_at": None})


async def _change_member(
    work: UnitOfWork,
    room_id: UUID,
    account_id: UUID,
    condition: ColumnElement[bool],
    values: dict[str, Any],
) -> bool:
    changed = await work.changed(
        update(Member)
        .where(Member.room_id == room_id, Member.account_id == account_id, condition)
        .values(updated_at=work.now, **values)
    )
    return changed == 1


async def room_ids_of(work: UnitOfWork, account_id: UUID) -> list[UUID]:
    """All rooms of the account, also those it has left, oldest first."""
    rows = await work.rows(
        select(MEMBER.c.room_id)
        .where(MEMBER.c.account_id == account_id)
        .order_by(MEMBER.c.created_at, MEMBER.c.room_id)
    )
    return [row.room_id for row in rows]
