"""What has run out and waits to be settled (H5): one query, on indexes, whoever asks."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Executable,
    Integer,
    bindparam,
    literal,
    or_,
    select,
    union_all,
)

from server.platform.columns import live
from server.platform.unit_of_work import UnitOfWork
from server.trades.tables import (
    OPEN_TRADE,
    PENDING_NO_SHOW,
    Appointment,
    Offer,
    Review,
    Trade,
)
from shared_models.trades import OfferState


class Kind(StrEnum):
    """Whose timer it is."""

    TRADE = "trade"
    OFFER = "offer"
    REVIEWS = "reviews"
    NO_SHOW = "no_show"


class Overdue(NamedTuple):
    """Something whose time is over; of reviews, ``id`` is their trade's."""

    kind: Kind
    id: UUID


# Every read asks, so these are built once.
_NOW: BindParameter[Any] = bindparam("now")
# By the words of the index, which the parameters of another condition would not be.
_TRADES = select(literal(Kind.TRADE.value), Trade.id).where(
    live(Trade), OPEN_TRADE, Trade.due_at <= _NOW
)
_OFFERS = select(literal(Kind.OFFER.value), Offer.id).where(
    Offer.state == OfferState.PENDING.value, Offer.expires_at <= _NOW
)
_REVIEWS = (
    select(literal(Kind.REVIEWS.value), Review.trade_id)
    .join(Trade, Trade.id == Review.trade_id)
    .where(Review.published_at.is_(None), live(Review), Trade.review_until <= _NOW)
    .distinct()
)
_NO_SHOWS = select(literal(Kind.NO_SHOW.value), Appointment.id).where(
    PENDING_NO_SHOW, Appointment.no_show_until <= _NOW, live(Appointment)
)
_ACCOUNT: BindParameter[Any] = bindparam("account")
_PARTY = or_(Trade.seller_id == _ACCOUNT, Trade.buyer_id == _ACCOUNT)
_OF_PARTY = _NO_SHOWS.where(
    or_(Appointment.seller_id == _ACCOUNT, Appointment.buyer_id == _ACCOUNT)
)
_ON_LISTING = _TRADES.where(Trade.listing_id == bindparam("listing"))
_OF_ACCOUNT = union_all(
    _TRADES.where(_PARTY),
    _OFFERS.where(Offer.maker_id == _ACCOUNT),
    _REVIEWS.where(_PARTY),
    _OF_PARTY,
)
_IN_ROOM = union_all(
    _ON_LISTING,
    _OFFERS.where(Offer.chatroom_id == bindparam("room")),
    _REVIEWS.where(Trade.chatroom_id == bindparam("room")),
    _NO_SHOWS.where(Appointment.chatroom_id == bindparam("room")),
)
_OLDEST = _TRADES.order_by(Trade.due_at).limit(bindparam("most", type_=Integer()))


async def of_account(work: UnitOfWork, account_id: UUID) -> list[Overdue]:
    """Of the account's trades, their reviews, its meetings and the offers it has made."""
    return await _found(work, _OF_ACCOUNT, {"account": account_id})


async def in_room(work: UnitOfWork, room_id: UUID, listing_id: UUID) -> list[Overdue]:
    """Of all that a room shows: the open trade on its listing, its offer, reviews and meetings."""
    return await _found(work, _IN_ROOM, {"room": room_id, "listing": listing_id})


async def on_listing(work: UnitOfWork, listing_id: UUID) -> list[Overdue]:
    """The open trade on a listing."""
    return await _found(work, _ON_LISTING, {"listing": listing_id})


async def anywhere(work: UnitOfWork, most: int) -> list[Overdue]:
    """Of all open trades, those that ran out first."""
    return await _found(work, _OLDEST, {"most": most})


async def _found(work: UnitOfWork, statement: Executable, wanted: dict[str, Any]) -> list[Overdue]:
    rows: Sequence[Any] = await work.rows(statement, {**wanted, "now": work.now})
    return [Overdue(Kind(row[0]), row[1]) for row in rows]
