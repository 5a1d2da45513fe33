"""One listing as somebody sees it, and that they saw it."""

from contextlib import AbstractAsyncContextManager, suppress
from typing import Any
from uuid import UUID

from server.accounts import api as accounts
from server.listings import repository
from server.listings.facts import facts_of, may_see_facts
from server.listings.ports import ListingNeighbours
from server.listings.views import full, owner_actions, viewer_actions
from server.platform.errors import Conflict, Forbidden, NotFound
from server.platform.unit_of_work import UnitOfWork, transact
from shared_models.listings import Listing


async def open_listing(work: UnitOfWork, listing_id: UUID) -> Any:
    """The row of a listing that the actor may see (rule 3); 404 for everybody else."""
    row = await repository.find(work, listing_id)
    if row is None or not await may_see_facts(work, facts_of(row)):
        raise NotFound("listing")
    return row


async def hold_own(work: UnitOfWork, listing_id: UUID) -> Any:
    """The row of one's own listing, held until the commit; 403 ``not_owner`` for somebody else."""
    await repository.lock(work, listing_id)
    row = await open_listing(work, listing_id)
    if row.seller_id != work.actor.account_id:
        raise Forbidden("not_owner", "Only the seller may change a listing.")
    return row


async def view(opened: AbstractAsyncContextManager[UnitOfWork], listing_id: UUID) -> Listing:
    """Read a listing and note that the actor has viewed it, unless it is their own."""
    async with opened as work:
        listing = await read(work, listing_id)
        noted = await repository.last_viewed(work) == listing_id
    if not noted and listing.seller.id != work.actor.account_id:
        with suppress(Conflict):  # somebody else's race is no reason to withhold the listing
            await transact(
                work.context, work.actor, lambda work: repository.set_viewed(work, listing_id)
            )
    return listing


async def read(work: UnitOfWork, listing_id: UUID) -> Listing:
    """The listing in full, with what the actor may do with it."""
    row = await open_listing(work, listing_id)
    me = work.actor.account_id
    sellers = await accounts.cards(work, [row.seller_id])
    if row.seller_id == me:
        actions = owner_actions(row, work.now)
        return full(row, sellers[me], liked=False, chatroom_id=None, actions=actions)
    liked = await repository.likes(work, listing_id, me)
    room_id = await work.context.wiring.port(ListingNeighbours).room_of(work, listing_id, me)
    facts = facts_of(row)
    blocked = facts.public and await accounts.is_blocked(work, me, row.seller_id)
    actions = viewer_actions(
        liked=liked,
        likeable=facts.public and not blocked,
        chattable=room_id is not None or (facts.open_for_chat and not blocked),
    )
    seller = sellers[row.seller_id]
    return full(row, seller, liked=liked, chatroom_id=room_id, actions=actions)
