"""What has run out and waits to be settled (H5): one query, on indexes, whoever asks."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, literal, or_, select, union_all

from server.platform.database import live
from server.platform.unit_of_work import UnitOfWork
from server.trades.tables import OPEN_TRADE, Offer, Review, Trade
from shared_models.trades import OfferState


class Kind(StrEnum):
    """Whose timer it is."""

    TRADE = "trade"
    OFFER = "offer"
    REVIEWS = "reviews"


class Overdue(NamedTuple):
    """Something whose time is over; of reviews, ``id`` is their trade's."""

    kind: Kind
    id: UUID


async def of_account(work: UnitOfWork, account_id: UUID) -> list[Overdue]:
    """Of the account's trades, their reviews and the offers it has made."""
    party = or_(Trade.seller_id == account_id, Trade.buyer_id == account_id)
    offers = _offers(work).where(Offer.maker_id == account_id)
    return await _found(work, [_trades(work).where(party), offers, _reviews(work).where(party)])


async def in_room(work: UnitOfWork, room_id: UUID, listing_id: UUID) -> list[Overdue]:
    """Of all that a room shows: the open trade on its listing, its offer and its reviews."""
    return await _found(
        work,
        [
            _trades(work).where(Trade.listing_id == listing_id),
            _offers(work).where(Offer.chatroom_id == room_id),
            _reviews(work).where(Trade.chatroom_id == room_id),
        ],
    )


async def on_listing(work: UnitOfWork, listing_id: UUID) -> list[Overdue]:
    """The open trade on a listing."""
    return await _found(work, [_trades(work).where(Trade.listing_id == listing_id)])


async def anywhere(work: UnitOfWork, most: int) -> list[Overdue]:
    """Of all open trades, those that ran out first."""
    oldest = _trades(work).order_by(Trade.due_at).limit(most)
    return await _found(work, [select(oldest.subquery())])


async def _found(work: UnitOfWork, parts: Sequence[Select[str, UUID]]) -> list[Overdue]:
    rows: Sequence[Any] = await work.rows(union_all(*parts))
    return [Overdue(Kind(row[0]), row[1]) for row in rows]


def _trades(work: UnitOfWork) -> Select[str, UUID]:
    """By the words of the index, which the parameters of another condition would not be."""
    return select(literal(Kind.TRADE.value), Trade.id).where(
        live(Trade), OPEN_TRADE, Trade.due_at <= work.now
    )


def _offers(work: UnitOfWork) -> Select[str, UUID]:
    return select(literal(Kind.OFFER.value), Offer.id).where(
        Offer.state == OfferState.PENDING.value, Offer.expires_at <= work.now
    )


def _reviews(work: UnitOfWork) -> Select[str, UUID]:
    return (
        select(literal(Kind.REVIEWS.value), Review.trade_id)
        .join(Trade, Trade.id == Review.trade_id)
        .where(Review.published_at.is_(None), live(Review), Trade.review_until <= work.now)
        .distinct()
    )
