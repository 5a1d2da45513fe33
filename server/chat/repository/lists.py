"""The rooms of an account with all that a list of them shows, in one statement."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, select

from server.chat.repository.records import FACTS, MEMBER, MESSAGE, MESSAGE_COLUMNS, ROOM
from server.platform.pages import after_position
from server.platform.unit_of_work import UnitOfWork

_ME, _PEER = MEMBER.alias("me"), MEMBER.alias("peer")


def _page_of(viewer_id: UUID) -> Select[Any]:
    return (
        select(
            *FACTS,
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
        .join(_ME, and_(_ME.c.room_id == ROOM.c.id, _ME.c.account_id == viewer_id))
        .join(_PEER, and_(_PEER.c.room_id == ROOM.c.id, _PEER.c.account_id != viewer_id))
        .outerjoin(
            MESSAGE,
            and_(
                MESSAGE.c.room_id == ROOM.c.id,
                MESSAGE.c.seq == ROOM.c.last_seq,
                MESSAGE.c.seq >= _ME.c.cleared_before_seq,
            ),
        )
    )


async def room_page(
    work: UnitOfWork, viewer_id: UUID, position: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """The viewer's rooms, newest activity first."""
    return await work.rows(
        after_position(
            _page_of(viewer_id).where(_ME.c.left_at.is_(None)),
            (_ME.c.active_at, _ME.c.room_id),
            position,
            descending=True,
        ).limit(limit)
    )


async def rooms_by_id(
    work: UnitOfWork, room_ids: Collection[UUID], viewer_id: UUID
) -> Sequence[Row[Any]]:
    """Those of the rooms that are the viewer's, also those the viewer has left."""
    return await work.rows(_page_of(viewer_id).where(ROOM.c.id.in_(room_ids)))
