"""Messages: sending, system lines, reading, deleting. The sender is always the actor."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.accounts import api as accounts
from server.chat import guard, repository, views
from server.chat.events import MessageDeleted, MessagePosted, RoomChanged, RoomRead
from server.chat.guard import Result, Verdict
from server.chat.ports import RoomFacts
from server.chat.repository import Place, RoomToSendIn, StoredMessage, Told
from server.media import api as media
from server.platform.context import Context
from server.platform.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from server.platform.rates import Rate
from server.platform.unit_of_work import UnitOfWork
from shared_models.chat import Message, MessageKind, ReadMark, SendMessage
from shared_models.media import Purpose

_EARLY_MESSAGES = 10


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored message; ``duplicate`` when it was there before."""

    message: Message
    duplicate: bool


def send_wait_s(context: Context, account_id: UUID) -> float:
    """Seconds until the account may send again; 0 takes the tokens for one message."""
    limits = context.limits
    rates = (
        Rate("sends", limits.sends_burst, limits.sends_per_s),
        Rate("sends_sustained", limits.sends_sustained_burst, limits.sends_sustained_per_s),
    )
    return context.rates.wait_s(rates, str(account_id))


async def send(work: UnitOfWork, room_id: UUID, body: SendMessage) -> Sent:
    """Store the actor's message and tell both parties, once per ``cid`` for ever (rule 1).

    404 for a stranger's room, 422 ``cid_conflict`` and ``message_blocked``, 409 ``confirm_needed``
    and ``room_read_only``, 403 ``blocked``; and what ``media`` refuses of the photos.
    """
    sender_id, print_ = work.actor.account_id, fingerprint(room_id, body)
    target = await repository.room_to_send_in(work, room_id, sender_id, body.cid)
    if target is None:
        raise NotFound("chatroom")
    if target.earlier is not None:
        return _sent_before(target, print_, sender_id)
    warned_of = await _check(work, target.facts, body)
    message_id = work.new_id()
    photos = await _attach(work, message_id, room_id, body)
    if isinstance(photos, Sent):
        return photos
    place = await repository.take_place(work, target.facts, sender_id)
    if place is None:
        raise await _refusal(work, room_id)
    message = _written_message(
        room_id, place, message_id, body.cid, sender_id, body.text, photos, warned_of
    )
    await repository.insert_messages(work, [message], print_)
    await _tell(work, [(message, target.facts)], {room_id} if target.somebody_left else set())
    return Sent(views.message_of(message, sender_id), duplicate=False)


def fingerprint(room_id: UUID, body: SendMessage) -> str:
    """What was sent under a ``cid``, to tell a resend from another message."""
    parts = [str(room_id), body.text, *map(str, body.photo_ids)]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _sent_before(target: RoomToSendIn, print_: str, sender_id: UUID) -> Sent:
    assert target.earlier is not None
    if target.fingerprint != print_:
        raise Invalid(
            "cid_conflict", "This cid was used for another message. Make a new one per message."
        )
    return Sent(views.message_of(target.earlier, sender_id), duplicate=True)


async def _check(work: UnitOfWork, room: RoomFacts, body: SendMessage) -> str | None:
    """Refuse what may not be sent here; the code of the warning that goes along, if any."""
    if room.blocked or room.state != "open":
        raise await _refusal(work, room.id)
    found = guard.find(body.text)
    if found is None:
        return None
    early = found in guard.BLOCKED_EARLY and await _is_early(work, room)
    verdict = guard.judge(found, early=early, confirmed=body.confirmed)
    if verdict.result is Result.BLOCK:
        raise Invalid.field("text", "message_blocked", verdict.reason)
    if verdict.result is Result.CONFIRM:
        raise _confirm_needed(verdict)
    return verdict.code


async def check_texts(work: UnitOfWork, room: RoomFacts, **texts: str | None) -> None:
    """Refuse what no message may hold here in texts that reach the other side another way.

    422 ``message_blocked`` on the field that is named like the text (rule 18).
    """
    for field, text in texts.items():
        found = guard.find(text or "")
        if found in guard.BLOCKED_EARLY and await _is_early(work, room):
            verdict = guard.judge(found, early=True, confirmed=False)
            raise Invalid.field(field, "message_blocked", verdict.reason)


async def _is_early(work: UnitOfWork, room: RoomFacts) -> bool:
    if room.last_seq < _EARLY_MESSAGES:
        return True
    standing = await accounts.standing(work, work.actor.account_id)
    return standing.created_at > work.now - timedelta(days=work.limits.new_account_days)


def _confirm_needed(verdict: Verdict) -> Conflict:
    return Conflict(
        "confirm_needed",
        f"{verdict.reason} The reader will be warned. Send it again as confirmed if you mean it.",
        current={"code": verdict.code},
    )


async def _refusal(work: UnitOfWork, room_id: UUID) -> Refusal:
    """Why nothing can be sent in a room as it is now."""
    rows = await repository.rooms_by_id(work, [room_id], [work.actor.account_id])
    if repository.facts_of(rows[0]).blocked:
        return Forbidden("blocked", "You and this person do not deal with each other.")
    return Conflict(
        "room_read_only",
        "This chat is closed; nothing can be sent any more.",
        current=(await views.chatrooms(work, rows))[0],
    )


async def _attach(
    work: UnitOfWork, message_id: UUID, room_id: UUID, body: SendMessage
) -> list[dict[str, Any]] | Sent:
    """The photos' wire JSON. The same ``cid`` may be taking them at this very moment: then it is
    what that one sent.
    """
    if not body.photo_ids:
        return []
    sender_id = work.actor.account_id
    try:
        return await media.attach(
            work, sender_id, body.photo_ids, kind=Purpose.MESSAGE, object_id=message_id
        )
    except Conflict:
        now = await repository.room_to_send_in(work, room_id, sender_id, body.cid)
        if now is None or now.earlier is None:
            raise
        return _sent_before(now, fingerprint(room_id, body), sender_id)


async def _tell(
    work: UnitOfWork, posted: Sequence[tuple[StoredMessage, RoomFacts]], left: Collection[UUID]
) -> None:
    """Count messages of one actor as unread and announce them; ``left`` rooms come back."""
    actor_id = posted[0][0].actor_id
    told = await repository.tell_members(work, [room.id for _, room in posted], actor_id)
    for message, room in posted:
        work.announce(
            MessagePosted(
                message=views.message_of(message),
                seller_id=room.seller_id,
                buyer_id=room.buyer_id,
                actor_id=actor_id,
                newly_unread_for=_newly_unread(told, room, actor_id),
            )
        )
        if room.id in left:
            work.announce(RoomChanged(room.id, room.seller_id, room.buyer_id, room.parties))


def _newly_unread(
    told: Collection[Told], room: RoomFacts, actor_id: UUID | None
) -> tuple[UUID, ...]:
    return tuple(
        member.account_id
        for member in told
        if member.room_id == room.id
        and member.account_id != actor_id
        and member.unread == 1
        and not member.muted
    )


def _written_message(
    room_id: UUID,
    place: Place,
    message_id: UUID,
    cid: UUID,
    sender_id: UUID,
    text: str,
    photos: list[dict[str, Any]],
    warned_of: str | None,
) -> StoredMessage:
    return StoredMessage(
        room_id=room_id,
        seq=place.seq,
        id=message_id,
        cid=cid,
        sender_id=sender_id,
        actor_id=sender_id,
        kind=(MessageKind.PHOTO if photos else MessageKind.TEXT).value,
        text=text,
        photos=photos,
        system=None,
        warning=warned_of,
        created_at=place.at,
        deleted_at=None,
    )


def _system_message(
    work: UnitOfWork, room: RoomFacts, place: Place, actor_id: UUID | None, text: str, note: Any
) -> StoredMessage:
    return StoredMessage(
        room_id=room.id,
        seq=place.seq,
        id=work.new_id(),
        cid=None,
        sender_id=None,
        actor_id=actor_id,
        kind=MessageKind.SYSTEM.value,
        text=text,
        photos=[],
        system=note,
        warning=None,
        created_at=place.at,
        deleted_at=None,
    )


async def post_system(
    work: UnitOfWork,
    room_id: UUID,
    *,
    event: str,
    actor_id: UUID | None,
    text: str,
    data: dict[str, Any],
) -> None:
    """A system message, also in a read-only room. ``actor_id`` caused it; None for a timer."""
    room = await repository.lock_room(work, room_id)
    if room is None:
        raise NotFound("chatroom")
    place = await repository.take_place_anyhow(work, room_id)
    note = {"event": event, "data": data}
    message = _system_message(work, room, place, actor_id, text, note)
    await repository.insert_messages(work, [message])
    await _tell(work, [(message, room)], await repository.left_rooms(work, [room_id]))


async def post_elsewhere(
    work: UnitOfWork,
    listing_id: UUID,
    *,
    except_room_id: UUID | None = None,
    event: str,
    actor_id: UUID | None,
    text: str,
    data: dict[str, Any],
) -> None:
    """The same system message in every open room on the listing, but for one (T3, T8, T15)."""
    note = {"event": event, "data": data}
    places = await repository.take_places(work, listing_id, except_room_id)
    if not places:
        return
    posted = [
        (_system_message(work, room, place, actor_id, text, note), room) for room, place in places
    ]
    await repository.insert_messages(work, [message for message, _ in posted])
    left = await repository.left_rooms(work, [room.id for room, _ in places])
    await _tell(work, posted, left)


async def mark_read(work: UnitOfWork, room_id: UUID, seq: int) -> ReadMark:
    """Move the actor's read mark up to ``seq``, never down (rule 7); blocked pairs tell nothing."""
    reader_id = work.actor.account_id
    room = await repository.room(work, room_id, reader_id, lock=True)
    if room is None:
        raise NotFound("chatroom")
    seq = min(seq, room.last_seq)
    unread = await repository.mark_read(work, room, reader_id, seq, with_receipt=not room.blocked)
    if unread is None:
        seq, unread = await repository.read_mark(work, room_id, reader_id)
    else:
        seen_by = (reader_id,) if room.blocked else (reader_id, room.other(reader_id))
        work.announce(RoomRead(room_id, reader_id, seq, unread, seen_by))
    return ReadMark(chatroom_id=room_id, account_id=reader_id, seq=seq, unread=unread)


async def delete_message(work: UnitOfWork, room_id: UUID, seq: int) -> None:
    """Make one's own message a tombstone within five minutes (rule 15); again is harmless.

    Its text is kept for moderators, its photos leave the store. 403 ``not_yours``,
    409 ``too_late``.
    """
    actor_id = work.actor.account_id
    room = await repository.room(work, room_id, actor_id)
    message = await repository.message(work, room_id, seq, actor_id)
    if room is None or message is None:
        raise NotFound("message")
    if message.sender_id != actor_id:
        raise Forbidden("not_yours", "Only its sender can delete a message.")
    if message.deleted_at is not None:
        return
    since = work.now - timedelta(seconds=work.limits.message_delete_s)
    deleted = await repository.delete_message(work, room_id, seq, actor_id, since)
    if deleted is None:
        now = await repository.message(work, room_id, seq, actor_id)
        if now is None or now.deleted_at is not None:
            return  # it was deleted at this very moment, or cleared on leaving
        minutes = work.limits.message_delete_s // 60
        raise Conflict(
            "too_late",
            f"A message can be deleted within {minutes} minutes.",
            current=views.message_of(message, actor_id),
        )
    await repository.drop_document(work, room, deleted)
    if deleted.photos:
        await media.release(work, kind=Purpose.MESSAGE, object_id=deleted.id)
    work.announce(MessageDeleted(views.message_of(deleted), room.seller_id, room.buyer_id))


async def may_see_photo(work: UnitOfWork, message_id: UUID) -> bool:
    """Whether the actor may see the photos of a message."""
    message = await repository.message_by_id(work, message_id, work.actor.account_id)
    return message is not None and message.deleted_at is None


@dataclass(frozen=True, slots=True)
class ImportedMessage:
    """A message that was sent before, elsewhere."""

    sender_id: UUID
    text: str
    created_at: datetime


async def import_messages(
    work: UnitOfWork, room_id: UUID, messages: Sequence[ImportedMessage], *, unread: int = 0
) -> None:
    """Append history in bulk, for seeding: no events, no notices, no guard.

    The last ``unread`` messages stay unread to whoever did not send them; all else is read.
    """
    room = await repository.lock_room(work, room_id)
    if room is None:
        raise NotFound("chatroom")
    if not messages:
        return
    rows = [
        _written_message(
            room_id,
            Place(room.last_seq + number, item.created_at),
            message_id=work.new_id(),
            cid=work.new_id(),
            sender_id=item.sender_id,
            text=item.text,
            photos=[],
            warned_of=None,
        )
        for number, item in enumerate(messages, start=1)
    ]
    fresh = rows[len(rows) - unread :]
    read_seq = rows[-1].seq - len(fresh)
    members = {
        account_id: {
            "read_seq": read_seq,
            "receipt_seq": read_seq,
            "unread": sum(row.sender_id != account_id for row in fresh),
        }
        for account_id in room.parties
    }
    await repository.append_history(work, room, rows, members)
