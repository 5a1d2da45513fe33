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
    RoomToSendIn,
    StoredMessage,
    Told,
    facts_of,
    involves,
    last_message,
)
from server.platform.unit_of_work import UnitOfWork

_NOW = bindparam("now", type_=ROOM.c.active_at.type)
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
    .values(last_seq=ROOM.c.last_seq + 1, active_at=_NOW, updated_at=_NOW)
    .returning(ROOM.c.last_seq)
)
_ADVANCE_OPEN = _ADVANCE.where(ROOM.c.state == "open")
_ADVANCE_BY_BUYER = _ADVANCE_OPEN.values(asked_at=func.coalesce(ROOM.c.asked_at, _NOW))
_ADVANCE_BY_SELLER = _ADVANCE_OPEN.values(
    answered_at=func.coalesce(ROOM.c.answered_at, case((ROOM.c.asked_at.is_not(None), _NOW)))
)
_INSERT = insert(MESSAGE)
_TELL = (
    update(MEMBER)
    .where(MEMBER.c.room_id.in_(bindparam("rooms", expanding=True)))
    .values(active_at=_NOW, left_at=None, updated_at=_NOW)
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


async def take_seq(work: UnitOfWork, room: RoomFacts, writer_id: UUID) -> int | None:
    """Lock the room and take the next ``seq`` (H13); None when it is not open any more."""
    advance = _ADVANCE_BY_BUYER if writer_id == room.buyer_id else _ADVANCE_BY_SELLER
    seq: int | None = await work.scalar(advance, {"room": room.id, "now": work.now})
    return seq


async def take_seq_anyhow(work: UnitOfWork, room_id: UUID) -> int:
    """The same for a system message, which a closed room takes too."""
    seq: int = await work.scalar(_ADVANCE, {"room": room_id, "now": work.now})
    return seq


async def take_seqs(work: UnitOfWork, listing_id: UUID, but: UUID | None) -> list[RoomFacts]:
    """The next ``seq`` in every open room on the listing but one; the rooms as they then are."""
    others = true() if but is None else ROOM.c.id != but
    moved = await work.execute(
        update(ROOM)
        .where(ROOM.c.listing_id == listing_id, ROOM.c.state == "open", others)
        .values(last_seq=ROOM.c.last_seq + 1, active_at=work.now, updated_at=work.now)
        .returning(*FACTS)
    )
    return [facts_of(row) for row in moved]


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
