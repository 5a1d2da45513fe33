"""What an event does to a room as this account sees it: the same for the disk and the screen."""

from typing import TypeVar
from uuid import UUID

from shared_models.chat import Chatroom, Message, ReadMark

Room = TypeVar("Room", bound=Chatroom)


def with_message(room: Room, message: Message, me: UUID) -> Room:
    """``room`` after a new message. ``unread`` counts what ``me`` neither sent nor caused.

    One's own message reads everything before it no more than the server says: that comes as a
    read mark. A message already counted changes nothing.
    """
    if message.seq <= room.last_seq:
        return room
    caused_by = message.system.actor_id if message.system else message.sender_id
    return room.model_copy(
        update={
            "last_message": message,
            "last_seq": message.seq,
            "active_at": message.created_at,
            "unread": room.unread + (caused_by != me and message.seq > room.read_seq),
        }
    )


def newer(known: Chatroom | None, read: Room) -> Room:
    """``read`` as the server told it, without undoing what was heard since it was read.

    An answer over HTTP may be older than the events that overtook it. What only rises tells.
    """
    if known is None:
        return read
    kept = []
    if known.last_seq > read.last_seq:
        kept += ["last_seq", "last_message", "active_at", "unread"]
    if known.read_seq > read.read_seq:
        kept += ["read_seq", "unread"]
    if known.peer_read_seq > read.peer_read_seq:
        kept += ["peer_read_seq"]
    if known.last_seq == read.last_seq and known.last_message and known.last_message.deleted:
        kept += ["last_message"]
    return read.model_copy(update={name: getattr(known, name) for name in kept})


def with_deleted(room: Room, message: Message) -> Room:
    """``room`` after a message became a tombstone."""
    last = room.last_message
    if last is None or last.seq != message.seq:
        return room
    return room.model_copy(update={"last_message": message})


def with_read_mark(room: Room, mark: ReadMark, me: UUID) -> Room:
    """``room`` after somebody read up to a point; marks only move up (rule 7)."""
    if mark.account_id == me:
        if mark.seq <= room.read_seq:
            return room  # its count is older than what came since
        return room.model_copy(update={"read_seq": mark.seq, "unread": mark.unread})
    seq = max(mark.seq, room.peer_read_seq)
    return room.model_copy(update={"peer_read_seq": seq})
