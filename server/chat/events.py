"""What the chat announces."""

from dataclasses import dataclass
from uuid import UUID

from shared_models.chat import Message


@dataclass(frozen=True, slots=True)
class RoomOpened:
    """A buyer has opened a room (T1)."""

    room_id: UUID
    listing_id: UUID
    seller_id: UUID
    buyer_id: UUID


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """What the header of the room shows has changed, for the accounts in ``seen_by``."""

    room_id: UUID
    seller_id: UUID
    buyer_id: UUID
    seen_by: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class MessagePosted:
    """A message is in the room. ``actor_id`` sent or caused it; None for a timer.

    ``newly_unread_for`` had nothing unread here before and have not muted the room.
    """

    message: Message
    seller_id: UUID
    buyer_id: UUID
    actor_id: UUID | None
    newly_unread_for: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A message became a tombstone."""

    message: Message
    seller_id: UUID
    buyer_id: UUID


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """``account_id`` has left, and with it has done with all up to ``seq`` (rule 15)."""

    room_id: UUID
    account_id: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class RoomRead:
    """``account_id`` has read up to ``seq``; ``unread`` is what it has left.

    ``seen_by`` hears of it: the reader, and the other side unless the two are blocked (rule 7).
    """

    room_id: UUID
    account_id: UUID
    seq: int
    unread: int
    seen_by: tuple[UUID, ...]
