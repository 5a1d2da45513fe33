"""Who is told of what happens in the rooms below; ``app`` wires these to their events."""

from uuid import UUID

from server.accounts import api as accounts
from server.chat.events import MessageDeleted, MessagePosted, RoomLeft, RoomRead
from server.listings import api as listings
from server.listings.events import ListingBackOnSale, ListingPriceDropped
from server.notifications import service
from server.notifications.service import Notice, notify
from server.platform.unit_of_work import UnitOfWork
from server.trades.events import (
    AppointmentChanged,
    OfferChanged,
    ReminderDue,
    ReviewAnswered,
    ReviewPublished,
    TradeChanged,
)
from shared_models.chat import MessageKind
from shared_models.notifications import NotificationKind

_PREVIEW = 120


async def on_trade(work: UnitOfWork, event: TradeChanged) -> None:
    """A transition is told to who did not cause it: one notice each (I6)."""
    if event.text is None:
        return
    notice = Notice(
        NotificationKind.TRADE,
        f"trade_{event.event}",
        f"{await _title(work, event.listing_id)}: {event.text}",
        f"trade:{event.trade_id}:{event.version}",
        {
            "trade_id": str(event.trade_id),
            "chatroom_id": str(event.chatroom_id),
            "listing_id": str(event.listing_id),
        },
    )
    await notify(work, _others(event.seller_id, event.buyer_id, event.actor_id), notice)


async def on_offer(work: UnitOfWork, event: OfferChanged) -> None:
    """An offer and how it ended."""
    if event.text is None:
        return
    notice = Notice(
        NotificationKind.OFFER,
        f"offer_{event.event}",
        f"{await _title(work, event.listing_id)}: {event.text}",
        f"offer:{event.offer_id}:{event.event}",
        {
            "offer_id": str(event.offer_id),
            "chatroom_id": str(event.chatroom_id),
            "listing_id": str(event.listing_id),
        },
    )
    await notify(work, _others(event.seller_id, event.buyer_id, event.actor_id), notice)


async def on_appointment(work: UnitOfWork, event: AppointmentChanged) -> None:
    """A time and place, and what became of it; part of the trade, so it cannot be switched off."""
    if event.text is None:
        return
    notice = Notice(
        NotificationKind.TRADE,
        f"appointment_{event.event}",
        event.text,
        f"appointment:{event.appointment_id}:{event.event}",
        {
            "appointment_id": str(event.appointment_id),
            "chatroom_id": str(event.chatroom_id),
        },
    )
    await notify(work, _others(event.seller_id, event.buyer_id, event.actor_id), notice)


async def on_reminder(work: UnitOfWork, event: ReminderDue) -> None:
    """Something is due soon."""
    notice = Notice(NotificationKind.TRADE, event.event, event.text, event.key, event.data)
    await notify(work, [event.account_id], notice)


async def on_review_published(work: UnitOfWork, event: ReviewPublished) -> None:
    """A review about somebody can be seen now (rule 13)."""
    notice = Notice(
        NotificationKind.REVIEW,
        "review_published",
        "There is a new review about you.",
        f"review:{event.review_id}:published",
        {"review_id": str(event.review_id), "trade_id": str(event.trade_id)},
    )
    await notify(work, [event.subject_id], notice)


async def on_review_answered(work: UnitOfWork, event: ReviewAnswered) -> None:
    """The reviewed person has answered."""
    notice = Notice(
        NotificationKind.REVIEW,
        "review_answered",
        "Your review was answered.",
        f"review:{event.review_id}:answered",
        {"review_id": str(event.review_id), "trade_id": str(event.trade_id)},
    )
    await notify(work, [event.author_id], notice)


async def on_message(work: UnitOfWork, event: MessagePosted) -> None:
    """The first unread message of a room; what follows it only counts.

    System lines have notices of their own, by what they tell of.
    """
    message = event.message
    if message.kind == MessageKind.SYSTEM or not event.newly_unread_for or not message.sender_id:
        return
    about = message.chatroom_id, message.seq
    notice = Notice(
        NotificationKind.CHAT,
        service.MESSAGE_NEW,
        " ".join(message.text.split())[:_PREVIEW] or "sent a photo",
        service.message_key(*about),
        service.message_data(*about) | {"sender_id": str(message.sender_id)},
    )
    await notify(work, event.newly_unread_for, notice)


async def on_message_deleted(work: UnitOfWork, event: MessageDeleted) -> None:
    """Only moderators keep its text (rule 15)."""
    parties = event.seller_id, event.buyer_id
    await service.forget_message(work, parties, event.message.chatroom_id, event.message.seq)


async def on_room_read(work: UnitOfWork, event: RoomRead) -> None:
    """Who has read a message needs no notice of it."""
    account_id, told = event.account_id, event.seen_by
    await service.mark_messages_read(work, account_id, event.room_id, event.seq, told)


async def on_room_left(work: UnitOfWork, event: RoomLeft) -> None:
    """What was said there is gone for who has left (rule 15)."""
    account_id = event.account_id
    await service.mark_messages_read(work, account_id, event.room_id, event.seq, [account_id])


async def on_price_dropped(work: UnitOfWork, event: ListingPriceDropped) -> None:
    """Likers hear of a real cut (rule 9); the listings decide what is one."""
    notice = Notice(
        NotificationKind.PRICE,
        "price_dropped",
        f"{await _title(work, event.listing_id)}: {event.old:,} → {event.new:,}",
        f"price:{event.listing_id}:{event.new}",
        {"listing_id": str(event.listing_id), "old": event.old, "new": event.new},
    )
    await notify(work, await _likers(work, event.listing_id), notice)


async def on_back_on_sale(work: UnitOfWork, event: ListingBackOnSale) -> None:
    """Likers hear that a reservation fell through (rule 9, T6)."""
    notice = Notice(
        NotificationKind.PRICE,
        "back_on_sale",
        f"{await _title(work, event.listing_id)}: back on sale",
        f"back_on_sale:{event.listing_id}:{event.version}",
        {"listing_id": str(event.listing_id)},
    )
    await notify(work, await _likers(work, event.listing_id), notice)


async def _likers(work: UnitOfWork, listing_id: UUID) -> list[UUID]:
    """Who likes the listing and is not blocked with its seller."""
    listing = await listings.facts(work, listing_id)
    if listing is None:
        return []
    blocked = await accounts.blocked_with(work, listing.seller_id)
    return [id_ for id_ in await listings.liker_ids(work, listing_id) if id_ not in blocked]


async def _title(work: UnitOfWork, listing_id: UUID) -> str:
    listing = await listings.facts(work, listing_id)
    return listing.title if listing else "Listing"


def _others(seller_id: UUID, buyer_id: UUID, actor_id: UUID | None) -> list[UUID]:
    return [party for party in (seller_id, buyer_id) if party != actor_id]
