"""The rows of the chat, and the columns they are read from."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, or_

from server.chat.ports import RoomFacts
from server.chat.tables import Member, Message, Room

# Statements over the bare tables are built and run at a fraction of what the mapped classes cost.
ROOM: Any = Room.__table__
MEMBER: Any = Member.__table__
MESSAGE: Any = Message.__table__

FACTS = (
    ROOM.c.id,
    ROOM.c.listing_id,
    ROOM.c.seller_id,
    ROOM.c.buyer_id,
    ROOM.c.state,
    ROOM.c.last_seq,
    ROOM.c.blocked,
)
MESSAGE_COLUMNS = (
    MESSAGE.c.room_id,
    MESSAGE.c.seq,
    MESSAGE.c.id,
    MESSAGE.c.cid,
    MESSAGE.c.sender_id,
    MESSAGE.c.actor_id,
    MESSAGE.c.kind,
    MESSAGE.c.text,
    MESSAGE.c.photos,
    MESSAGE.c.system,
    MESSAGE.c.warning,
    MESSAGE.c.created_at,
    MESSAGE.c.deleted_at,
)
WIDTH = len(MESSAGE_COLUMNS)


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


class Place(NamedTuple):
    """Where a new message stands in its room; ``at`` is never before the message before it."""

    seq: int
    at: datetime


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


def involves(account_id: Any) -> ColumnElement[bool]:
    """The room is one of the account's."""
    return or_(ROOM.c.seller_id == account_id, ROOM.c.buyer_id == account_id)


def facts_of(row: Row[Any]) -> RoomFacts:
    """The facts in a row that begins with them."""
    return RoomFacts(*row[: len(FACTS)])


def last_message(row: Row[Any]) -> StoredMessage | None:
    """The message in a row that ends with one, if the outer join found it."""
    values = row[-WIDTH:]
    return None if values[0] is None else StoredMessage._make(values)
