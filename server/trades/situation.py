"""What a room, its listing and the open trade on it are now, with the listing locked first."""

from dataclasses import dataclass
from uuid import UUID

from server.chat import api as chat
from server.chat.api import RoomFacts
from server.listings import api as listings
from server.listings.api import ListingFacts
from server.platform.errors import Conflict, Forbidden, NotFound
from server.platform.unit_of_work import UnitOfWork
from server.trades import service, views
from server.trades.machine import is_open
from server.trades.records import TradeRecord
from server.trades.repository import trades as trade_rows


@dataclass(frozen=True, slots=True)
class Situation:
    """The actor's room; ``trade`` is the open one on the listing, whoever its buyer is."""

    room: RoomFacts
    listing: ListingFacts
    trade: TradeRecord | None


async def look(work: UnitOfWork, room_id: UUID) -> Situation:
    """The situation of one of the actor's rooms, locked (H15); 404 for a stranger's.

    An open trade whose timer has run out is settled first (H5).
    """
    room = await chat.room_for(work, room_id, work.actor.account_id)
    await listings.touch(work, room.listing_id)
    trade = await trade_rows.open_on(work, room.listing_id)
    if trade is not None:
        trade = await service.settle(work, await trade_rows.lock(work, trade.id))
        trade = trade if is_open(trade.state) else None
    listing = await listings.facts(work, room.listing_id)
    if listing is None:
        raise NotFound("listing")
    # Held, so that whoever closes it, because an account goes, comes before this or after it.
    room = await chat.room_for(work, room_id, work.actor.account_id, lock=True)
    return Situation(room, listing, trade)


def check_dealing(room: RoomFacts) -> None:
    """Whether the two may deal with each other now: 403 ``blocked``, 409 ``room_read_only``."""
    if room.blocked:
        raise Forbidden("blocked", "You and this person do not deal with each other.")
    if room.state != "open":
        raise Conflict("room_read_only", "This chat is closed.")


async def check_on_sale(work: UnitOfWork, situation: Situation) -> None:
    """409 ``already_reserved`` or ``not_selling`` unless the listing is on sale."""
    listing, trade = situation.listing, situation.trade
    if trade is not None or listing.state == "reserved":
        raise await already_reserved(work, trade)
    if listing.state != "selling" or listing.removed or listing.deleted:
        raise Conflict("not_selling", "It is not on sale.")


async def already_reserved(work: UnitOfWork, trade: TradeRecord | None) -> Conflict:
    """The refusal for who came second (H1); a party of the open trade is shown it."""
    me = work.actor.account_id
    mine = trade is not None and me in (trade.seller_id, trade.buyer_id)
    current = await views.trade(work, trade, me) if trade is not None and mine else None
    return Conflict("already_reserved", "It is reserved already.", current=current)
