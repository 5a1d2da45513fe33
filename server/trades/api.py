"""The façade of trades: views for the rooms above, and what the rooms below ask through ports."""

from collections.abc import Iterable
from uuid import UUID

from server.platform.unit_of_work import UnitOfWork
from server.trades import views
from server.trades.export import export_rows
from server.trades.extras import load as load_room_extra
from server.trades.repository import appointments as appointment_rows
from server.trades.repository import offers as offer_rows
from server.trades.repository import trades as trade_rows
from server.trades.repository.trades import has_open, is_party
from server.trades.service import moderate, on_account_blocked
from server.trades.settling import settle_account, settle_listing, settle_room
from server.trades.superseding import on_account_deleted, on_listing_changed, on_price_changed
from shared_models.trades import Appointment, Offer, Trade

__all__ = [
    "appointment_view",
    "export_rows",
    "has_open",
    "is_party",
    "load_room_extra",
    "moderate",
    "offer_view",
    "on_account_blocked",
    "on_account_deleted",
    "on_listing_changed",
    "on_price_changed",
    "open_between",
    "open_trades",
    "settle_account",
    "settle_listing",
    "settle_room",
    "trades",
]


async def trades(work: UnitOfWork, ids: Iterable[UUID], viewer_id: UUID) -> dict[UUID, Trade]:
    """Those of the trades that the viewer is a party of, by id; four queries for any number."""
    records = await trade_rows.of_account(work, ids, viewer_id)
    return {trade.id: trade for trade in await views.trades(work, records, viewer_id)}


async def open_trades(work: UnitOfWork, account_id: UUID) -> list[Trade]:
    """The account's open trades and those it may still review, newest first: its bootstrap."""
    return await views.trades(work, await trade_rows.of_interest(work, account_id), account_id)


async def offer_view(work: UnitOfWork, offer_id: UUID, viewer_id: UUID) -> Offer | None:
    """An offer as one of its parties sees it; None for a stranger."""
    found = await offer_rows.find_own(work, offer_id, viewer_id)
    return views.offer(work, found, viewer_id) if found else None


async def appointment_view(
    work: UnitOfWork, appointment_id: UUID, viewer_id: UUID
) -> Appointment | None:
    """An appointment as one of its parties sees it; None for a stranger."""
    found = await appointment_rows.find_own(work, appointment_id, viewer_id)
    return views.appointment(work, found, viewer_id) if found else None


async def open_between(work: UnitOfWork, one: UUID, other: UUID) -> bool:
    """Whether the two have a reserved trade that a block would cancel (T14)."""
    return bool(await trade_rows.reserved_between(work, one, other))
