"""The rooms of an account with all that a list of them shows, in one statement."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, select

from server.chat.repository.records import FACTS, MEMBER, MESSAGE, MESSAGE_COLUMNS, ROOM
from server.platform.pages import after_position
from server.platform.unit_of_work import UnitOfWork

_ME, _PEER = MEMBER.alias("me"), MEMBER.alias("peer")

_ROOMS = (
    select(
        *FACTS,
        _ME.c.account_id.label("viewer_id"),
        ROOM.c.created_at,
        _ME.c.active_at,
        _ME.c.read_seq,
        _ME.c.unread,
        _ME.c.muted,
        _ME.c.left_at,
        _PEER.c.receipt_seq,
        *MESSAGE_COLUMNS,
    )
    .select_from(ROOM)
    .join(_ME, _ME.c.room_id == ROOM.c.id)
    .join(_PEER, and_(_PEER.c.room_id == ROOM.c.id, _PEER.c.account_id != _ME.c.account_id))
    .outerjoin(
        MESSAGE,
        and_(
            MESSAGE.c.room_id == ROOM.c.id,
            MESSAGE.c.seq == ROOM.c.last_seq,
            MESSAGE.c.seq >= _ME.c.cleared_before_seq,
        ),
    )
)
_BY_ID = _ROOMS.where(
    ROOM.c.id.in_(bindparam("rooms", expanding=True)),
    _ME.c.account_id.in_(bindparam("viewers", expanding=True)),
)
_LISTED = _ROOMS.where(_ME.c.account_id == bindparam("viewer"), _ME.c.left_at.is_(None))
_MOST = bindparam("most", type_=ROOM.c.last_seq.type)
_KEY = (_ME.c.active_at, _ME.c.room_id)
_POSITION = tuple(bindparam(column.key, type_=column.type) for column in _KEY)
_ALL = after_position(_LISTED, _KEY, None, descending=True)
_FIRST_PAGE = _ALL.limit(_MOST)
_NEXT_PAGE = after_position(_LISTED, _KEY, _POSITION, descending=True).limit(_MOST)


async def room_page(
    work: UnitOfWork, viewer_id: UUID, position: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """The viewer's rooms, newest activity first."""
    wanted: dict[str, Any] = {"viewer": viewer_id, "most": limit}
    if position is None:
        return await work.rows(_FIRST_PAGE, wanted)
    wanted["active_at"], wanted["room_id"] = position
    return await work.rows(_NEXT_PAGE, wanted)


async def listed_rooms(work: UnitOfWork, viewer_id: UUID) -> Sequence[Row[Any]]:
    """Every room on the viewer's list, newest activity first."""
    return await work.rows(_ALL, {"viewer": viewer_id})


async def rooms_by_id(
    work: UnitOfWork, room_ids: Collection[UUID], viewer_ids: Collection[UUID]
) -> Sequence[Row[Any]]:
    """Each of the rooms as those of the viewers see it who are in it, or were before they left."""
    return await work.rows(_BY_ID, {"rooms": list(room_ids), "viewers": list(viewer_ids)})
