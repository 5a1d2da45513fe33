"""Likes and what one has viewed (rule 9)."""

from uuid import UUID

from server.accounts import api as accounts
from server.listings import repository
from server.listings.events import ListingChanged, ListingLiked
from server.listings.facts import facts_of
from server.listings.reading import open_listing, read
from server.platform.errors import Conflict, Forbidden
from server.platform.unit_of_work import UnitOfWork


async def like(work: UnitOfWork, listing_id: UUID) -> None:
    """Like a listing; idempotent, and never one's own.

    409 ``not_public`` for one that only its seller and a party of its trade still see.
    """
    me = work.actor.account_id
    await repository.lock(work, listing_id)
    row = await open_listing(work, listing_id)
    if row.seller_id == me:
        raise Forbidden("own_listing", "You cannot like your own listing.")
    if await accounts.is_blocked(work, me, row.seller_id):
        raise Forbidden("blocked", "You cannot like this listing.")
    if not facts_of(row).public and not await repository.likes(work, listing_id, me):
        current = await read(work, listing_id)
        raise Conflict("not_public", "This listing is not shown any more.", current=current)
    if await repository.set_like(work, listing_id, on=True):
        await repository.add_likes(work, listing_id, 1)
        work.announce(ListingChanged(listing_id))
        work.announce(ListingLiked(listing_id, row.seller_id, me))


async def unlike(work: UnitOfWork, listing_id: UUID) -> None:
    """No longer like a listing, even one that is hidden or gone by now; idempotent."""
    await repository.lock(work, listing_id)
    if await repository.set_like(work, listing_id, on=False):
        await repository.add_likes(work, listing_id, -1)
        work.announce(ListingChanged(listing_id))
    else:
        await open_listing(work, listing_id)
