"""What ends because the listing has changed: no pending offer outlives ``selling`` (I7)."""

from collections.abc import Sequence
from uuid import UUID

from server.accounts.events import AccountDeleted
from server.chat import api as chat
from server.listings import api as listings
from server.listings.events import ListingChanged, ListingPriceChanged
from server.platform.failures import LostRace
from server.platform.unit_of_work import UnitOfWork
from server.trades import dropping, texts
from server.trades.events import OfferChanged
from server.trades.records import OfferRecord
from server.trades.repository import offers as offer_rows
from server.trades.repository import trades as trade_rows


async def by_reservation(work: UnitOfWork, listing_id: UUID, room_id: UUID) -> None:
    """End every pending offer on a listing that is being reserved for a room's buyer.

    The rooms are told of the reservation itself, so only the others' offers deserve a notice.
    """
    for offer in await offer_rows.supersede_on(work, listing_id):
        text = None if offer.chatroom_id == room_id else texts.OFFER_LINES["superseded"]
        work.announce(changed(offer, "superseded", offer.seller_id, text))


async def on_price_changed(work: UnitOfWork, event: ListingPriceChanged) -> None:
    """Offers are made on a price; another one ends them (rule 11, H6)."""
    await _end(work, await offer_rows.supersede_on(work, event.listing_id))


async def on_listing_changed(work: UnitOfWork, event: ListingChanged) -> None:
    """A listing that has left ``selling`` keeps no pending offer (rule 11).

    One that is sold, here or elsewhere, or gone keeps no appointment, either.
    """
    listing = await listings.facts(work, event.listing_id)
    state = "gone" if listing is None or listing.removed or listing.deleted else listing.state
    if state != "selling":
        await _end(work, await offer_rows.supersede_on(work, event.listing_id))
    if state in ("sold", "gone"):
        await dropping.on_listing(work, event.listing_id)


async def on_account_deleted(work: UnitOfWork, event: AccountDeleted) -> None:
    """Nobody answers for a deleted account; a trade that has just begun keeps it (H10)."""
    await _end(work, await offer_rows.supersede_of(work, event.account_id))
    await dropping.of_account(work, event.account_id)
    if await trade_rows.has_open(work, event.account_id):
        raise LostRace(f"a trade of account {event.account_id} has begun")


async def between(work: UnitOfWork, one: UUID, other: UUID) -> None:
    """The two no longer deal with each other.

    A block is announced to nobody: the card in the room ends, but by nobody's act, and without a
    notice.
    """
    for offer in await offer_rows.supersede_between(work, one, other):
        await _say(work, offer, "superseded", None, texts.OFFER_OVER)
        work.announce(changed(offer, "superseded", None))


async def _end(work: UnitOfWork, offers: Sequence[OfferRecord]) -> None:
    for offer in offers:
        await close_card(work, offer, "superseded", offer.seller_id)


async def close_card(
    work: UnitOfWork, offer: OfferRecord, event: str, actor_id: UUID | None
) -> None:
    """Say in the room how an offer has ended, and announce it."""
    text = texts.OFFER_LINES[event]
    await _say(work, offer, event, actor_id, text)
    work.announce(changed(offer, event, actor_id, text))


async def _say(
    work: UnitOfWork, offer: OfferRecord, event: str, actor_id: UUID | None, text: str
) -> None:
    await chat.post_system(
        work,
        offer.chatroom_id,
        event=f"offer_{event}",
        actor_id=actor_id,
        text=text,
        data={"offer_id": str(offer.id), "amount": offer.amount},
    )


def changed(
    offer: OfferRecord, event: str, actor_id: UUID | None, text: str | None = None
) -> OfferChanged:
    """The announcement that an offer looks different."""
    return OfferChanged(
        offer_id=offer.id,
        listing_id=offer.listing_id,
        chatroom_id=offer.chatroom_id,
        event=event,
        actor_id=actor_id,
        seller_id=offer.seller_id,
        buyer_id=offer.buyer_id,
        text=text,
    )
