"""From rows to the wire: messages and rooms as one member sees them."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from server.accounts import api as accounts
from server.chat import guard, repository
from server.chat.ports import RoomExtra, RoomExtras, RoomFacts
from server.chat.repository import LoggedMessage, StoredMessage
from server.listings import api as listings
from server.platform.unit_of_work import UnitOfWork
from shared_models.chat import Chatroom, ChatroomDetail, Message, MessageKind, SystemNote
from shared_models.listings import ListingCard
from shared_models.media import Photo
from shared_models.trades import OPEN_TRADE_STATES

_KINDS = {kind.value: kind for kind in MessageKind}


def message_of(row: StoredMessage, viewer_id: UUID | None = None) -> Message:
    """A stored message on the wire. A tombstone shows nothing; its sender sees no warning."""
    gone = row.deleted_at is not None
    warned = row.warning is not None and not gone and row.sender_id != viewer_id
    # Rows were validated on their way in, so the page does not pay for it again.
    return Message.trusted(
        chatroom_id=row.room_id,
        seq=row.seq,
        id=row.id,
        cid=row.cid,
        sender_id=row.sender_id,
        kind=_KINDS[row.kind],
        text="" if gone else row.text,
        photos=[] if gone else [Photo.model_validate(photo) for photo in row.photos],
        system=_note(row),
        created_at=row.created_at,
        deleted=gone,
        warning=guard.warning(row.warning) if warned and row.warning else None,
    )


def wire_message(row: LoggedMessage, room_id: UUID, viewer_id: UUID) -> dict[str, Any]:
    """The same as :func:`message_of`, ready to be encoded: pages are many messages."""
    gone = row.deleted
    warned = row.warning is not None and not gone and row.sender_id != str(viewer_id)
    return {
        "chatroom_id": str(room_id),
        "seq": row.seq,
        "id": row.id,
        "cid": row.cid,
        "sender_id": row.sender_id,
        "kind": row.kind,
        "text": "" if gone else row.text,
        "photos": [] if gone else row.photos,
        "system": row.system and {"actor_id": row.actor_id, **row.system},
        "created_at": row.created_at,
        "deleted": gone,
        "warning": guard.warning(row.warning).model_dump() if warned and row.warning else None,
    }


def seen_by(message: Message, viewer_id: UUID) -> Message:
    """The message as this party sees it: a warning is for its reader only (rule 18)."""
    if message.warning is None or message.sender_id != viewer_id:
        return message
    return message.model_copy(update={"warning": None})


def _note(row: StoredMessage) -> SystemNote | None:
    if row.system is None:
        return None
    return SystemNote.trusted(
        event=row.system["event"], actor_id=row.actor_id, data=row.system["data"]
    )


async def chatrooms(work: UnitOfWork, rows: Sequence[Any]) -> list[Chatroom]:
    """Rooms as their rows' viewers see them, every listing and profile loaded once for all."""
    facts = [repository.facts_of(row) for row in rows]
    cards = await _listing_cards(work, facts, rows)
    others = [room.other(row.viewer_id) for room, row in zip(facts, rows, strict=True)]
    people = await accounts.cards(work, others)
    return [
        Chatroom.trusted(
            id=room.id,
            listing=cards[room.listing_id, row.viewer_id],
            seller_id=room.seller_id,
            buyer_id=room.buyer_id,
            other=people[other_id],
            state=_state(room),
            last_message=_last_message(row),
            last_seq=room.last_seq,
            read_seq=row.read_seq,
            peer_read_seq=row.receipt_seq,
            unread=row.unread,
            muted=row.muted,
            left=row.left_at is not None,
            created_at=row.created_at,
            active_at=row.active_at,
        )
        for room, row, other_id in zip(facts, rows, others, strict=True)
    ]


async def _listing_cards(
    work: UnitOfWork, facts: Sequence[RoomFacts], rows: Sequence[Any]
) -> dict[tuple[UUID, UUID], ListingCard]:
    """By listing and viewer."""
    viewers: dict[UUID, set[UUID]] = {}
    for room, row in zip(facts, rows, strict=True):
        viewers.setdefault(room.listing_id, set()).add(row.viewer_id)
    return {
        (seen.card.id, viewer_id): seen.card
        for seen in await listings.cards_seen(work, viewers)
        for viewer_id in seen.viewer_ids
    }


def _state(room: RoomFacts) -> Literal["open", "read_only"]:
    return "open" if room.state == "open" and not room.blocked else "read_only"


def _last_message(row: Any) -> Message | None:
    last = repository.last_message(row)
    return None if last is None else message_of(last, row.viewer_id)


async def details(work: UnitOfWork, rows: Sequence[Any]) -> list[ChatroomDetail]:
    """The same with all that their headers show."""
    rooms = await chatrooms(work, rows)
    seen = [(repository.facts_of(row), row.viewer_id) for row in rows]
    extras = await work.context.wiring.port(RoomExtras).load(work, seen)
    return [_detail(room, extra) for room, extra in zip(rooms, extras, strict=True)]


def _detail(room: Chatroom, extra: RoomExtra) -> ChatroomDetail:
    return ChatroomDetail.trusted(
        **room.__dict__,
        trade=extra.trade,
        offer=extra.offer,
        appointment=extra.appointment,
        no_show=extra.no_show,
        allowed_actions=_actions(room, extra),
    )


def _actions(room: Chatroom, extra: RoomExtra) -> list[str]:
    own = ["send"] if room.state == "open" else []
    own.append("unmute" if room.muted else "mute")
    if extra.trade is None or extra.trade.state not in OPEN_TRADE_STATES:
        own.append("leave")
    return own + extra.actions
