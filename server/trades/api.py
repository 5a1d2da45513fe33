"""The façade of trades: views for the rooms above, and what the rooms below ask through ports."""

from collections.abc import Collection
from uuid import UUID

from server.platform.unit_of_work import UnitOfWork
from server.trades import views
from server.trades.blocking import on_account_blocked, on_account_unblocked
from server.trades.export import export_rows
from server.trades.extras import load as load_room_extra
from server.trades.records import AppointmentRecord, OfferRecord, TradeRecord
from server.trades.repository import appointments as appointment_rows
from server.trades.repository import offers as offer_rows
from server.trades.repository import trades as trade_rows
from server.trades.repository.trades import has_open, is_party, measure
from server.trades.service import moderate
from server.trades.settling import settle_account, settle_due, settle_listing, settle_room
from server.trades.superseding import on_account_deleted, on_listing_changed, on_price_changed
from shared_models.trades import Appointment, Offer, Trade, TradeState

__all__ = [
    "Seen",
    "appointments_seen",
    "export_rows",
    "has_open",
    "is_party",
    "load_room_extra",
    "measure",
    "moderate",
    "offers_seen",
    "on_account_blocked",
    "on_account_deleted",
    "on_account_unblocked",
    "on_listing_changed",
    "on_price_changed",
    "open_between",
    "open_trades",
    "settle_account",
    "settle_due",
    "settle_listing",
    "settle_room",
    "trades_seen",
]

Seen = tuple[UUID, UUID]
"""The id of an object, and who looks at it."""


async def open_trades(work: UnitOfWork, account_id: UUID) -> list[Trade]:
    """The account's open trades and those it may still review, newest first: its bootstrap."""
    return await views.trades(work, await trade_rows.of_interest(work, account_id), account_id)


async def trades_seen(work: UnitOfWork, seen: Collection[Seen]) -> dict[Seen, Trade]:
    """Trades as their parties see them, without a stranger's; four queries for any number."""
    found = {trade.id: trade for trade in await trade_rows.find_all(work, _ids(seen))}
    own = [one for one in seen if _is_party(found.get(one[0]), one[1])]
    shown = await views.trades_seen(work, [(found[id_], viewer_id) for id_, viewer_id in own])
    return dict(zip(own, shown, strict=True))


async def offers_seen(work: UnitOfWork, seen: Collection[Seen]) -> dict[Seen, Offer]:
    """Offers as their parties see them, without a stranger's; two queries for any number."""
    found = {offer.id: offer for offer in await offer_rows.find_all(work, _ids(seen))}
    own = [one for one in seen if _is_party(found.get(one[0]), one[1])]
    shown = await views.offers(work, [(found[id_], viewer_id) for id_, viewer_id in own])
    return dict(zip(own, shown, strict=True))


async def appointments_seen(work: UnitOfWork, seen: Collection[Seen]) -> dict[Seen, Appointment]:
    """Appointments as their parties see them, without a stranger's; one query for any number."""
    found = {one.id: one for one in await appointment_rows.find_all(work, _ids(seen))}
    return {
        (id_, viewer_id): views.appointment(work, found[id_], viewer_id)
        for id_, viewer_id in seen
        if _is_party(found.get(id_), viewer_id)
    }


def _ids(seen: Collection[Seen]) -> set[UUID]:
    return {id_ for id_, _ in seen}


def _is_party(
    record: TradeRecord | OfferRecord | AppointmentRecord | None, account_id: UUID
) -> bool:
    return record is not None and account_id in (record.seller_id, record.buyer_id)


async def open_between(work: UnitOfWork, one: UUID, other: UUID) -> bool:
    """Whether the two have a reserved trade that a block would cancel (T14)."""
    return bool(await trade_rows.between(work, one, other, TradeState.RESERVED))
