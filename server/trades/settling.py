"""Reads see no timer that has run out: it runs first, in a transaction of its own (H5)."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from uuid import UUID

from server.chat import api as chat
from server.platform.context import Context
from server.platform.errors import Conflict
from server.platform.unit_of_work import UnitOfWork, reading, transact
from server.trades import no_shows, offers, reviews, service
from server.trades.repository import overdue
from server.trades.repository.overdue import Kind, Overdue

_AT_ONCE = 20
_TIMERS: dict[Kind, Callable[[UnitOfWork, UUID], Awaitable[None]]] = {
    Kind.TRADE: service.run_timer,
    Kind.OFFER: offers.run_expiry,
    Kind.REVIEWS: reviews.run_publishing,
    Kind.NO_SHOW: no_shows.run_counting,
}


async def settle_account(context: Context, account_id: UUID) -> None:
    """Run every timer of the account that is over; nothing is written when there is none."""
    async with reading(context) as work:
        found = await overdue.of_account(work, account_id)
    await _run(context, found)


async def settle_room(context: Context, room_id: UUID, account_id: UUID) -> None:
    """The same for what a party's room shows; 404 for a stranger's."""
    async with reading(context) as work:
        room = await chat.room_for(work, room_id, account_id)
        found = await overdue.in_room(work, room.id, room.listing_id)
    await _run(context, found)


async def settle_listing(context: Context, listing_id: UUID) -> None:
    """The same for the open trade on a listing."""
    async with reading(context) as work:
        found = await overdue.on_listing(work, listing_id)
    await _run(context, found)


async def settle_due(context: Context) -> None:
    """The same for every trade, a few at once, for the lists of what anybody sells.

    The worker leaves none of them for long; where there is no worker, readers catch up.
    """
    async with reading(context) as work:
        found = await overdue.anywhere(work, _AT_ONCE)
    await _run(context, found)


async def _run(context: Context, found: Sequence[Overdue]) -> None:
    for one in found:
        await _settle(context, one)


async def _settle(context: Context, one: Overdue) -> None:
    with suppress(Conflict):  # somebody else's race is no reason to withhold an answer
        await transact(context, None, lambda work: _TIMERS[one.kind](work, one.id))
