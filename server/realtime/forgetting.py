"""What the streams still say of a deleted message: a client that resumes reads a tombstone."""

from datetime import timedelta

from pydantic_core import from_json, to_json

from server.chat.events import MessageDeleted
from server.notifications import api as notifications
from server.platform import streams
from server.platform.unit_of_work import UnitOfWork
from server.realtime.frames import encode
from shared_models.chat import Message
from shared_models.realtime import EventKind

_MARGIN = timedelta(minutes=10)
"""A message is never before the one before it; its events carry the time at which it was begun."""

_KINDS = (
    EventKind.MESSAGE_NEW.value,
    EventKind.CHATROOM_CHANGED.value,
    EventKind.NOTIFICATION_NEW.value,
)


async def forget_message(work: UnitOfWork, event: MessageDeleted) -> None:
    """Take the text out of everything both sides were sent of the message (rule 15)."""
    parties = (event.seller_id, event.buyer_id)
    tombstone = event.message
    await streams.rewrite(
        work,
        parties,
        _KINDS,
        tombstone.created_at - _MARGIN,
        lambda kind, data: _without(tombstone, kind, data),
    )


def _without(tombstone: Message, kind: str, data: bytes) -> bytes | None:
    """The event's data without the message's text, or None where it has none of it."""
    if str(tombstone.chatroom_id).encode() not in data:
        return None
    said = from_json(data)
    if kind == EventKind.NOTIFICATION_NEW:
        about = said["data"]
        if (said["event"], about.get("seq")) != (notifications.MESSAGE_NEW, tombstone.seq):
            return None
        about.pop("sender_id", None)
        return to_json(said | {"text": notifications.MESSAGE_DELETED})
    message = said if kind == EventKind.MESSAGE_NEW else said["last_message"]
    if message is None or message["id"] != str(tombstone.id):
        return None
    gone = encode(tombstone)
    return gone if message is said else to_json(said | {"last_message": from_json(gone)})
