"""The moves that chats and trades make with a listing; each hits one row or none (H1)."""

from datetime import timedelta
from uuid import UUID

from server.listings import repository
from server.listings.events import ListingBackOnSale, ListingChanged, ListingTaken
from server.listings.facts import facts
from server.platform import jobs
from server.platform.unit_of_work import UnitOfWork

BACK_ON_SALE = "listings.back_on_sale"
"""The job that tells of a listing that is on sale again."""

_BACK_ON_SALE_AFTER = timedelta(minutes=10)


async def touch(work: UnitOfWork, listing_id: UUID) -> bool:
    """Hold the listing's row until the commit, first in the lock order (H15); whether it exists."""
    return await repository.lock(work, listing_id)


async def reserve(work: UnitOfWork, listing_id: UUID, expected_price: int) -> bool:
    """From selling to reserved, if it is still on sale at the price that was seen (H1)."""
    return _taken(work, listing_id, await repository.reserve(work, listing_id, expected_price))


async def release(work: UnitOfWork, listing_id: UUID, *, hide: bool = False) -> bool:
    """From reserved back to selling (T6); hidden as well when a dispute was cancelled (T12).

    Unless something replaces it within ten minutes, likers are told that it is on sale again.
    """
    released = await repository.release(work, listing_id, hide=hide)
    found = await facts(work, listing_id) if released and not hide else None
    if found is not None:
        await jobs.enqueue(
            work,
            BACK_ON_SALE,
            {"listing_id": str(listing_id), "version": found.version},
            run_at=work.now + _BACK_ON_SALE_AFTER,
            key=f"{BACK_ON_SALE}:{listing_id}",
        )
    return _taken(work, listing_id, released)


async def mark_sold(work: UnitOfWork, listing_id: UUID) -> bool:
    """From reserved to sold (T8)."""
    return _announce_change(work, listing_id, await repository.mark_sold(work, listing_id))


async def count_chat(work: UnitOfWork, listing_id: UUID) -> None:
    """One more chatroom on the listing."""
    await repository.add_chat(work, listing_id)
    work.announce(ListingChanged(listing_id))


async def tell_back_on_sale(work: UnitOfWork, listing_id: UUID, version: int) -> None:
    """Announce a listing whose reservation fell through, if it still is on sale."""
    found = await facts(work, listing_id)
    if found is not None and found.open_for_chat:
        work.announce(ListingBackOnSale(listing_id, version))


def _taken(work: UnitOfWork, listing_id: UUID, moved: bool) -> bool:
    if moved:
        work.announce(ListingTaken(listing_id))
    return _announce_change(work, listing_id, moved)


def _announce_change(work: UnitOfWork, listing_id: UUID, moved: bool) -> bool:
    if moved:
        work.announce(ListingChanged(listing_id))
    return moved
