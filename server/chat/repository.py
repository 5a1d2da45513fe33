"""Every SQL statement of the chat; long because they share their columns and conditions."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from server.chat.ports import RoomFacts
from server.chat.tables import Member, Message, Room
from server.platform.database import UtcTime
from server.platform.pages import after_position
from server.platform.unit_of_work import UnitOfWork

_FACTS = (
    Room.id,
    Room.listing_id,
    Room.seller_id,
    Room.buyer_id,
    Room.state,
    Room.last_seq,
)
_MESSAGE = (
    Message.room_id,
    Message.seq,
    Message.id,
    Message.cid,
    Message.sender_id,
    Message.actor_id,
    Message.kind,
    Message.text,
    Message.photos,
    Message.system,
    Message.warning,
    Message.created_at,
    Message.deleted_at,
)
_WIDTH = len(_MESSAGE)
_ME, _PEER = aliased(Member, name="me"), aliased(Member, name="peer")


class StoredMessage(NamedTuple):
    """A message's row."""

    room_id: UUID
    seq: int
    id: UUID
    cid: UUID | None
    sender_id: UUID | None
    actor_id: UUID | None
    kind: str
    text: str
    photos: list[Any]
    system: dict[str, Any] | None
    warning: str | None
    created_at: datetime
    deleted_at: datetime | None


class RoomToSendIn(NamedTuple):
    """What sending needs to know, in one statement."""

    facts: RoomFacts
    somebody_left: bool
    earlier: StoredMessage | None
    """What the account has already sent under this ``cid``, in whichever room."""
    fingerprint: str | None


class Told(NamedTuple):
    """A member after a new message."""

    room_id: UUID
    account_id: UUID
    unread: int
    muted: bool


class HistoryRow(NamedTuple):
    """A message, and how far the room's history reaches for its reader."""

    message: StoredMessage
    room_last_seq: int
    cleared_before_seq: int


def _involves(account_id: UUID) -> ColumnElement[bool]:
    return or_(Room.seller_id == account_id, Room.buyer_id == account_id)


def _facts(row: Row[Any]) -> RoomFacts:
    return RoomFacts(*row[: len(_FACTS)])


async def room(
    work: UnitOfWork, room_id: UUID, account_id: UUID, *, lock: bool = False
) -> RoomFacts | None:
    """The room, if the account is a party of it."""
    statement = select(*_FACTS).where(Room.id == room_id, _involves(account_id))
    if lock:
        statement = statement.with_for_update()
    row = await work.first(statement)
    return _facts(row) if row else None


async def lock_room(work: UnitOfWork, room_id: UUID) -> RoomFacts | None:
    """Hold the room until the commit."""
    row = await work.first(select(*_FACTS).where(Room.id == room_id).with_for_update())
    return _facts(row) if row else None


async def room_of(work: UnitOfWork, listing_id: UUID, buyer_id: UUID) -> UUID | None:
    """The buyer's room on the listing."""
    found: UUID | None = await work.scalar(
        select(Room.id).where(Room.listing_id == listing_id, Room.buyer_id == buyer_id)
    )
    return found


async def rooms_on(work: UnitOfWork, listing_id: UUID) -> list[RoomFacts]:
    """Every room on the listing."""
    rows = await work.rows(select(*_FACTS).where(Room.listing_id == listing_id))
    return [_facts(row) for row in rows]


async def rooms_between(work: UnitOfWork, one: UUID, other: UUID) -> list[RoomFacts]:
    """Every room of the two."""
    rows = await work.rows(
        select(*_FACTS).where(Room.seller_id.in_((one, other)), Room.buyer_id.in_((one, other)))
    )
    return [_facts(row) for row in rows]


async def openings_since(work: UnitOfWork, buyer_id: UUID, since: datetime) -> list[datetime]:
    """When the buyer opened rooms, newest first."""
    rows = await work.rows(
        select(Room.created_at)
        .where(Room.buyer_id == buyer_id, Room.created_at > since)
        .order_by(Room.created_at.desc())
    )
    return [row.created_at for row in rows]


async def insert_room(work: UnitOfWork, listing_id: UUID, seller_id: UUID, buyer_id: UUID) -> UUID:
    """A new room with its two members; a second one of the same buyer loses the unique race."""
    room_id = work.new_id()
    born = {"active_at": work.now, "created_at": work.now, "updated_at": work.now}
    parties = {"seller_id": seller_id, "buyer_id": buyer_id}
    await work.execute(
        insert(Room).values(
            id=room_id, listing_id=listing_id, state="open", last_seq=0, **parties, **born
        )
    )
    counters = {"read_seq": 0, "receipt_seq": 0, "unread": 0, "muted": False}
    member = {"room_id": room_id, "cleared_before_seq": 0, **counters, **born}
    await work.execute(
        insert(Member), [{**member, "account_id": id_} for id_ in (seller_id, buyer_id)]
    )
    return room_id


async def set_state(
    work: UnitOfWork,
    state: str,
    *,
    listing_id: UUID | None = None,
    party: UUID | None = None,
    but: UUID | None = None,
) -> list[RoomFacts]:
    """Open or close the rooms of a listing or of an account; those that changed."""
    changing = update(Room).where(Room.state != state)
    if listing_id is not None:
        changing = changing.where(Room.listing_id == listing_id)
    if party is not None:
        changing = changing.where(_involves(party))
    if but is not None:
        changing = changing.where(Room.id != but)
    changed = await work.execute(
        changing.values(state=state, updated_at=work.now).returning(*_FACTS)
    )
    return [_facts(row) for row in changed]


def _page_of(viewer_id: UUID) -> Select[Any]:
    statement: Any = (
        select(
            *_FACTS,
            Room.created_at,
            _ME.active_at,
            _ME.read_seq,
            _ME.unread,
            _ME.muted,
            _ME.left_at,
            _PEER.receipt_seq,
            *_MESSAGE,
        )
        .join(_ME, and_(_ME.room_id == Room.id, _ME.account_id == viewer_id))
        .join(_PEER, and_(_PEER.room_id == Room.id, _PEER.account_id != viewer_id))
        .outerjoin(
            Message,
            and_(
                Message.room_id == Room.id,
                Message.seq == Room.last_seq,
                Message.seq >= _ME.cleared_before_seq,
            ),
        )
    )
    typed: Select[Any] = statement
    return typed


def last_message(row: Row[Any]) -> StoredMessage | None:
    """The last message in a row of :func:`room_page` or :func:`rooms_by_id`."""
    values = row[-_WIDTH:]
    return None if values[0] is None else StoredMessage._make(values)


async def room_page(
    work: UnitOfWork, viewer_id: UUID, position: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """The viewer's rooms, newest activity first."""
    return await work.rows(
        after_position(
            _page_of(viewer_id).where(_ME.left_at.is_(None)),
            (_ME.active_at, _ME.room_id),
            position,
            descending=True,
        ).limit(limit)
    )


async def rooms_by_id(
    work: UnitOfWork, room_ids: Collection[UUID], viewer_id: UUID
) -> Sequence[Row[Any]]:
    """Those of the rooms that are the viewer's, also those the viewer has left."""
    return await work.rows(_page_of(viewer_id).where(Room.id.in_(room_ids)))


async def room_to_send_in(
    work: UnitOfWork, room_id: UUID, sender_id: UUID, cid: UUID
) -> RoomToSendIn | None:
    """The room, if the sender is a party of it, and what was already sent under the ``cid``."""
    somebody_left = exists().where(Member.room_id == Room.id, Member.left_at.is_not(None))
    row = await work.first(
        select(*_FACTS, somebody_left, Message.fingerprint, *_MESSAGE)
        .outerjoin(Message, and_(Message.sender_id == sender_id, Message.cid == cid))
        .where(Room.id == room_id, _involves(sender_id))
    )
    if row is None:
        return None
    somebody, fingerprint = row[len(_FACTS) : len(_FACTS) + 2]
    return RoomToSendIn(_facts(row), bool(somebody), last_message(row), fingerprint)


async def take_seq(work: UnitOfWork, room: RoomFacts, actor_id: UUID | None) -> int | None:
    """Lock the room and take the next ``seq`` (H13); None when it is not open any more."""
    return await _advance(work, room, actor_id, Room.state == "open")


async def take_seq_anyhow(work: UnitOfWork, room: RoomFacts) -> int:
    """The same for a system message, which a closed room takes too."""
    seq = await _advance(work, room, None)
    assert seq is not None, "a room is never deleted"
    return seq


async def _advance(
    work: UnitOfWork, room: RoomFacts, writer_id: UUID | None, *conditions: ColumnElement[bool]
) -> int | None:
    values: dict[str, Any] = {"last_seq": Room.last_seq + 1, "active_at": work.now}
    now = literal(work.now, UtcTime())
    if writer_id == room.buyer_id:
        values["asked_at"] = func.coalesce(Room.asked_at, now)
    elif writer_id == room.seller_id:
        answered = case((Room.asked_at.is_not(None), now))
        values["answered_at"] = func.coalesce(Room.answered_at, answered)
    seq: int | None = await work.scalar(
        update(Room)
        .where(Room.id == room.id, *conditions)
        .values(updated_at=work.now, **values)
        .returning(Room.last_seq)
    )
    return seq


async def take_seqs(work: UnitOfWork, listing_id: UUID, but: UUID) -> list[RoomFacts]:
    """The next ``seq`` in every open room on the listing but one; the rooms as they then are."""
    moved = await work.execute(
        update(Room)
        .where(Room.listing_id == listing_id, Room.id != but, Room.state == "open")
        .values(last_seq=Room.last_seq + 1, active_at=work.now, updated_at=work.now)
        .returning(*_FACTS)
    )
    return [_facts(row) for row in moved]


async def insert_messages(
    work: UnitOfWork, messages: Sequence[StoredMessage], fingerprint: str | None = None
) -> None:
    """Store messages; a ``cid`` used at the same moment loses the unique race."""
    rows = [
        {**message._asdict(), "fingerprint": fingerprint, "updated_at": message.created_at}
        for message in messages
    ]
    await work.execute(insert(Message), rows)


async def tell_members(
    work: UnitOfWork, room_ids: Collection[UUID], actor_id: UUID | None
) -> list[Told]:
    """One more message in each room: unread for all but its actor; who had left is back."""
    own = case((Member.account_id == actor_id, 0), else_=1) if actor_id else 1
    told = await work.execute(
        update(Member)
        .where(Member.room_id.in_(room_ids))
        .values(unread=Member.unread + own, active_at=work.now, left_at=None, updated_at=work.now)
        .returning(Member.room_id, Member.account_id, Member.unread, Member.muted)
    )
    return [Told._make(row) for row in told]


async def mark_read(
    work: UnitOfWork, room_id: UUID, account_id: UUID, seq: int, *, with_receipt: bool
) -> int | None:
    """Move the account's read mark up and recount its unread; None when it was there already.

    The room must be held, so that no message slips between the count and its update.
    """
    unread = (
        select(func.count())
        .where(
            Message.room_id == room_id,
            Message.seq > seq,
            or_(Message.actor_id.is_(None), Message.actor_id != account_id),
        )
        .scalar_subquery()
    )
    receipt = {"receipt_seq": seq} if with_receipt else {}
    left: int | None = await work.scalar(
        update(Member)
        .where(Member.room_id == room_id, Member.account_id == account_id, Member.read_seq < seq)
        .values(read_seq=seq, unread=unread, updated_at=work.now, **receipt)
        .returning(Member.unread)
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


async def message(
    work: UnitOfWork, room_id: UUID, seq: int, account_id: UUID
) -> StoredMessage | None:
    """One message of a room, if the account is a party of it and has not cleared it."""
    row = await work.first(
        _readable_by(account_id, _MESSAGE).where(Message.room_id == room_id, Message.seq == seq)
    )
    return StoredMessage._make(row) if row else None


async def message_by_id(
    work: UnitOfWork, message_id: UUID, account_id: UUID
) -> StoredMessage | None:
    """One message by its id, if the account is a party of its room and has not cleared it."""
    row = await work.first(_readable_by(account_id, _MESSAGE).where(Message.id == message_id))
    return StoredMessage._make(row) if row else None


async def message_is_readable(work: UnitOfWork, message_id: UUID, account_id: UUID) -> bool:
    """Whether the account is a party of the message's room and the message is not deleted."""
    statement = _readable_by(account_id, (Message.id,))
    found = await work.first(
        statement.where(Message.id == message_id, Message.deleted_at.is_(None))
    )
    return found is not None


async def delete_message(
    work: UnitOfWork, room_id: UUID, seq: int, sender_id: UUID, since: datetime
) -> StoredMessage | None:
    """Make one's own message of after ``since`` a tombstone; None when it hit nothing."""
    deleted = await work.execute(
        update(Message)
        .where(
            Message.room_id == room_id,
            Message.seq == seq,
            Message.sender_id == sender_id,
            Message.deleted_at.is_(None),
            Message.created_at > since,
        )
        .values(deleted_at=work.now, updated_at=work.now)
        .returning(*_MESSAGE)
    )
    row = deleted.first()
    return StoredMessage._make(row) if row else None


def _readable_by(account_id: UUID, columns: Sequence[Any]) -> Select[Any]:
    """Messages of the account's own rooms that it has not cleared."""
    return (
        select(*columns)
        .join(Room, Room.id == Message.room_id)
        .join(Member, Member.room_id == Message.room_id)
        .where(Member.account_id == account_id, Message.seq >= Member.cleared_before_seq)
    )


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
    columns = (*_MESSAGE, Room.last_seq, Member.cleared_before_seq)
    statement = _readable_by(account_id, columns).where(Message.room_id == room_id)
    if below is not None:
        statement = statement.where(Message.seq < below)
    order = Message.seq.desc()
    if at_least is not None:
        statement, order = statement.where(Message.seq >= at_least), Message.seq.asc()
    rows = await work.rows(statement.order_by(order).limit(limit))
    page = [HistoryRow(StoredMessage._make(row[:_WIDTH]), *row[_WIDTH:]) for row in rows]
    return page if at_least is not None else page[::-1]


async def extent(work: UnitOfWork, room_id: UUID, account_id: UUID) -> tuple[int, int] | None:
    """The room's last ``seq`` and the first one the account may read; None for a stranger."""
    row = await work.first(
        select(Room.last_seq, Member.cleared_before_seq)
        .join(Member, Member.room_id == Room.id)
        .where(Room.id == room_id, Member.account_id == account_id)
    )
    return (row.last_seq, row.cleared_before_seq) if row else None


async def response_times(
    work: UnitOfWork, account_id: UUID, since: datetime
) -> list[tuple[datetime, datetime | None]]:
    """When buyers first wrote in the account's rooms, and when it first answered (rule 20)."""
    rows = await work.rows(
        select(Room.asked_at, Room.answered_at).where(
            Room.seller_id == account_id, Room.asked_at > since
        )
    )
    return [(row.asked_at, row.answered_at) for row in rows]


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
    await work.execute(update(Room).where(Room.id == room.id).values(last_seq=last.seq, **moved))
    for account_id, counters in members.items():
        await work.execute(
            update(Member)
            .where(Member.room_id == room.id, Member.account_id == account_id)
            .values(**counters, **moved)
        )
