"""Putting messages into rooms: the hottest statements of all, built once."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    true,
    update,
)

from server.chat.ports import RoomFacts
from server.chat.repository.records import (
    FACTS,
    MEMBER,
    MESSAGE,
    MESSAGE_COLUMNS,
    ROOM,
    Place,
    RoomToSendIn,
    StoredMessage,
    Told,
    facts_of,
    involves,
    last_message,
)
from server.chat.repository.rooms import hold_rooms
from server.platform.unit_of_work import UnitOfWork

_NOW = bindparam("now", type_=ROOM.c.active_at.type)


def _not_before(active_at: Any) -> Any:
    """Now, or the room's last moment: who waited for the room's lock began before who had it."""
    return case((active_at > _NOW, active_at), else_=_NOW)


_MOMENT = _not_before(ROOM.c.active_at)
_ROOM_TO_SEND_IN = (
    select(
        *FACTS,
        exists().where(MEMBER.c.room_id == ROOM.c.id, MEMBER.c.left_at.is_not(None)),
        MESSAGE.c.fingerprint,
        *MESSAGE_COLUMNS,
    )
    .select_from(ROOM)
    .outerjoin(
        MESSAGE,
        and_(MESSAGE.c.sender_id == bindparam("sender"), MESSAGE.c.cid == bindparam("cid")),
    )
    .where(ROOM.c.id == bindparam("room"), involves(bindparam("sender")))
)
_ADVANCE = (
    update(ROOM)
    .where(ROOM.c.id == bindparam("room"))
    .values(last_seq=ROOM.c.last_seq + 1, active_at=_MOMENT, updated_at=_NOW)
    .returning(ROOM.c.last_seq, ROOM.c.active_at)
)
_ADVANCE_OPEN = _ADVANCE.where(ROOM.c.state == "open", ~ROOM.c.blocked)
_ADVANCE_BY_BUYER = _ADVANCE_OPEN.values(asked_at=func.coalesce(ROOM.c.asked_at, _MOMENT))
_ADVANCE_BY_SELLER = _ADVANCE_OPEN.values(
    answered_at=func.coalesce(ROOM.c.answered_at, case((ROOM.c.asked_at.is_not(None), _MOMENT)))
)
_INSERT = insert(MESSAGE)
_TELL = (
    update(MEMBER)
    .where(MEMBER.c.room_id.in_(bindparam("rooms", expanding=True)))
    .values(active_at=_not_before(MEMBER.c.active_at), left_at=None, updated_at=_NOW)
    .returning(MEMBER.c.room_id, MEMBER.c.account_id, MEMBER.c.unread, MEMBER.c.muted)
)
_TELL_ALL = _TELL.values(unread=MEMBER.c.unread + 1)
_TELL_OTHERS = _TELL.values(
    unread=MEMBER.c.unread + case((MEMBER.c.account_id == bindparam("actor"), 0), else_=1)
)


async def room_to_send_in(
    work: UnitOfWork, room_id: UUID, sender_id: UUID, cid: UUID
) -> RoomToSendIn | None:
    """The room, if the sender is a party of it, and what was already sent under the ``cid``."""
    wanted = {"room": room_id, "sender": sender_id, "cid": cid}
    row = await work.first(_ROOM_TO_SEND_IN, wanted)
    if row is None:
        return None
    somebody_left, fingerprint = row[len(FACTS) : len(FACTS) + 2]
    return RoomToSendIn(facts_of(row), bool(somebody_left), last_message(row), fingerprint)


async def take_place(work: UnitOfWork, room: RoomFacts, writer_id: UUID) -> Place | None:
    """Lock the room and take its next place (H13); None when it is closed or blocked by now."""
    advance = _ADVANCE_BY_BUYER if writer_id == room.buyer_id else _ADVANCE_BY_SELLER
    row = await work.first(advance, {"room": room.id, "now": work.now})
    return None if row is None else Place._make(row)


async def take_place_anyhow(work: UnitOfWork, room_id: UUID) -> Place:
    """The same for a system message, which a closed room takes too."""
    row = await work.first(_ADVANCE, {"room": room_id, "now": work.now})
    assert row is not None, "the room is held"
    return Place._make(row)


async def take_places(
    work: UnitOfWork, listing_id: UUID, but: UUID | None
) -> list[tuple[RoomFacts, Place]]:
    """The next place in every open room on the listing but one; the rooms as they then are."""
    others = true() if but is None else ROOM.c.id != but
    which = (ROOM.c.listing_id == listing_id, ROOM.c.state == "open", others)
    await hold_rooms(work, *which)
    moved = await work.execute(
        update(ROOM)
        .where(*which)
        .values(last_seq=ROOM.c.last_seq + 1, active_at=_MOMENT, updated_at=_NOW)
        .returning(*FACTS, ROOM.c.active_at),
        {"now": work.now},
    )
    return [(facts_of(row), Place(row.last_seq, row.active_at)) for row in moved]


async def insert_messages(
    work: UnitOfWork, messages: Sequence[StoredMessage], fingerprint: str | None = None
) -> None:
    """Store messages; a ``cid`` used at the same moment loses the unique race."""
    rows = [
        {**message._asdict(), "fingerprint": fingerprint, "updated_at": message.created_at}
        for message in messages
    ]
    await work.execute(_INSERT, rows)


async def tell_members(
    work: UnitOfWork, room_ids: Collection[UUID], actor_id: UUID | None
) -> list[Told]:
    """One more message in each room: unread for all but its actor; who had left is back."""
    parameters: dict[str, Any] = {"rooms": list(room_ids), "now": work.now}
    statement = _TELL_ALL
    if actor_id is not None:
        statement, parameters["actor"] = _TELL_OTHERS, actor_id
    told = await work.rows(statement, parameters)
    return [Told._make(row) for row in told]


async def append_history(
    work: UnitOfWork,
    room: RoomFacts,
    messages: Sequence[StoredMessage],
    members: dict[UUID, dict[str, int]],
) -> None:
    """Store messages from elsewhere and move the room and its members along (I10)."""
    await insert_messages(work, messages)
    last = messages[-1]
    moved = {"active_at": last.created_at, "updated_at": work.now}
    asked_at = _first_of(room.buyer_id, messages)
    moment = ROOM.c.asked_at.type
    answered_at = asked_at and _first_of(room.seller_id, messages, since=asked_at)
    await work.execute(
        update(ROOM)
        .where(ROOM.c.id == room.id)
        .values(
            last_seq=last.seq,
            asked_at=func.coalesce(ROOM.c.asked_at, literal(asked_at, moment)),
            answered_at=func.coalesce(ROOM.c.answered_at, literal(answered_at, moment)),
            **moved,
        )
    )
    for account_id, counters in members.items():
        await work.execute(
            update(MEMBER)
            .where(MEMBER.c.room_id == room.id, MEMBER.c.account_id == account_id)
            .values(**counters, **moved)
        )


def _first_of(
    sender_id: UUID, messages: Sequence[StoredMessage], *, since: datetime | None = None
) -> datetime | None:
    """When somebody first wrote among these messages (rule 20)."""
    moments = (message.created_at for message in messages if message.sender_id == sender_id)
    return next((moment for moment in moments if since is None or moment >= since), None)
