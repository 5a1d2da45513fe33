"""A sale outside the market closes the listing; it can be taken back for a day (T15)."""

from typing import Any
from uuid import UUID

from server.listings import repository
from server.listings.events import ListingChanged, ListingOnSaleAgain, ListingSoldElsewhere
from server.listings.reading import hold_own, read
from server.listings.views import can_undo_sold_elsewhere
from server.platform.errors import Conflict
from server.platform.unit_of_work import UnitOfWork
from shared_models.listings import Listing


async def sold_elsewhere(work: UnitOfWork, listing_id: UUID) -> Listing:
    """From selling to sold, without a trade or reviews; saying it again changes nothing."""
    row = await hold_own(work, listing_id)
    if row.sold_elsewhere_at is not None:
        return await read(work, listing_id)
    if row.state == "reserved":
        await _refuse(work, row, "trade_in_progress", "Finish or cancel the trade first.")
    if row.state != "selling" or row.removed_at is not None or row.deleted_at is not None:
        await _refuse(work, row, "not_selling", "This listing is not on sale.")
    sold = {"state": "sold", "sold_elsewhere_at": work.now}
    await repository.change(work, listing_id, row.version, sold)
    work.announce(ListingChanged(listing_id))
    work.announce(ListingSoldElsewhere(listing_id, row.seller_id))
    return await read(work, listing_id)


async def undo_sold_elsewhere(work: UnitOfWork, listing_id: UUID) -> Listing:
    """Back to selling within 24 h; saying it again changes nothing. 409 ``too_late`` after that."""
    row = await hold_own(work, listing_id)
    if row.removed_at is not None or row.deleted_at is not None:
        await _refuse(work, row, "not_sold_elsewhere", "This listing is gone.")
    if row.state == "selling":
        return await read(work, listing_id)
    if row.sold_elsewhere_at is None:
        await _refuse(work, row, "not_sold_elsewhere", "This was not sold elsewhere.")
    if not can_undo_sold_elsewhere(row, work.now):
        await _refuse(work, row, "too_late", "It was sold more than 24 hours ago.")
    back = {"state": "selling", "sold_elsewhere_at": None}
    await repository.change(work, listing_id, row.version, back)
    work.announce(ListingChanged(listing_id))
    work.announce(ListingOnSaleAgain(listing_id, row.seller_id))
    return await read(work, listing_id)


async def _refuse(work: UnitOfWork, row: Any, code: str, detail: str) -> None:
    raise Conflict(code, detail, current=await read(work, row.id))
