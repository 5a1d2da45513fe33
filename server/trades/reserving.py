"""How a trade begins: the seller reserves (T3), or an offer is accepted (T4, in ``offers``)."""

from uuid import UUID

from server.chat import api as chat
from server.listings import api as listings
from server.listings.api import ListingFacts
from server.platform.errors import Conflict, Forbidden, Invalid
from server.platform.unit_of_work import UnitOfWork
from server.trades import dropping, service, superseding, texts, timers, views
from server.trades.guards import Role, Step
from server.trades.machine import RESERVED, reservation_due
from server.trades.records import OfferRecord, TradeRecord
from server.trades.repository import offers as offer_rows
from server.trades.repository import trades as trade_rows
from server.trades.situation import (
    Situation,
    already_reserved,
    check_dealing,
    check_on_sale,
    look,
)
from shared_models.trades import ListingSnapshot, OfferState, Trade, TradeCreate


async def reserve(work: UnitOfWork, body: TradeCreate) -> tuple[Trade, bool]:
    """T3: the seller reserves for the buyer of a room; the trade and whether it is new.

    403 for the buyer, 409 ``already_reserved``, ``not_selling``, ``price_changed`` and
    ``room_read_only``, 422 for a method the listing does not offer. Reserving for the same buyer
    again is answered with the present trade.
    """
    me = work.actor.account_id
    situation = await look(work, body.chatroom_id)
    if situation.room.seller_id != me:
        raise Forbidden("wrong_role", "Only the seller reserves. Make an offer instead.")
    wanted = body.method if "method" in body.model_fields_set else None
    method = agreed_method(situation.listing, wanted)
    if situation.trade is not None and _is_repeat(situation.trade, me, body, method):
        return await views.trade(work, situation.trade, me), False
    await check_on_sale(work, situation)
    check_dealing(situation.room)
    if situation.listing.price != body.expected_price:
        raise await _price_changed(work, situation)
    trade = await begin(work, situation, price=body.expected_price, method=method)
    return await views.trade(work, trade, me), True


def _is_repeat(trade: TradeRecord, me: UUID, body: TradeCreate, method: str) -> bool:
    same = (trade.chatroom_id, trade.agreed_price, trade.method) == (
        body.chatroom_id,
        body.expected_price,
        method,
    )
    return same and trade.last_event == "reserved" and trade.last_actor_id == me


def agreed_method(listing: ListingFacts, wanted: str | None) -> str:
    """How it changes hands: as wanted, or 422 ``not_offered``.

    Where nothing is said, by post when the listing offers nothing else, in person otherwise.
    """
    if wanted is None:
        return "post" if listing.method == "post" else "meet"
    if listing.method not in ("both", wanted):
        raise Invalid.field("method", "not_offered", f"The listing is for {listing.method} only.")
    return wanted


async def _price_changed(work: UnitOfWork, situation: Situation) -> Conflict:
    listing_id = situation.listing.id
    card = (await listings.cards(work, [listing_id], work.actor.account_id))[listing_id]
    return Conflict("price_changed", "The price is another one by now.", current=card)


async def begin(
    work: UnitOfWork,
    situation: Situation,
    *,
    price: int,
    method: str,
    accepted: OfferRecord | None = None,
) -> TradeRecord:
    """The trade, its listing reserved and every other pending offer superseded: all or nothing.

    The listing moves by compare-and-set on its state and price, and the database allows one open
    trade on it (H1, I1); whoever comes second gets 409 ``already_reserved``. Nobody meets for what
    goes by post: an appointment in the room is dropped.
    """
    me, listing, room = work.actor.account_id, situation.listing, situation.room
    if listing.price is None or not await listings.reserve(work, listing.id, listing.price):
        raise await already_reserved(work, situation.trade)
    trade_id = work.new_id()
    if method == "post":
        await dropping.in_room(work, room.id)
    meeting_at = await service.accepted_meeting(work, room.id)
    await trade_rows.add(
        work,
        {
            "id": trade_id,
            "listing_id": listing.id,
            "chatroom_id": room.id,
            "seller_id": room.seller_id,
            "buyer_id": room.buyer_id,
            "agreed_price": price,
            "method": method,
            "state": RESERVED.value,
            "due_at": reservation_due(work.now, work.limits, meeting_at),
            "snapshot": _snapshot(listing),
        },
    )
    role = Role.SELLER if me == room.seller_id else Role.BUYER
    step = Step(role, me, work.now, work.limits)
    await service.add_step(work, trade_id, 1, "reserved", RESERVED, step)
    if accepted is not None:
        await _accept(work, accepted, me)
    await superseding.by_reservation(work, listing.id, room.id)
    trade = await trade_rows.find(work, trade_id)
    assert trade is not None
    await service.tell(work, trade, "reserved", me, texts.reserved(price))
    await _tell_elsewhere(work, trade)
    await timers.start(work, trade)
    return trade


async def _accept(work: UnitOfWork, offer: OfferRecord, me: UUID) -> None:
    if not await offer_rows.close(work, offer.id, OfferState.ACCEPTED):
        raise Conflict("offer_closed", "The offer no longer stands.")
    work.announce(superseding.changed(offer, "accepted", me))


async def _tell_elsewhere(work: UnitOfWork, trade: TradeRecord) -> None:
    await chat.post_elsewhere(
        work,
        trade.listing_id,
        except_room_id=trade.chatroom_id,
        event="listing_reserved",
        actor_id=trade.last_actor_id,
        text="This is reserved now.",
        data={"listing_id": str(trade.listing_id)},
    )


def _snapshot(listing: ListingFacts) -> dict[str, object]:
    snapshot = ListingSnapshot.model_validate(
        {
            "listing_id": listing.id,
            "title": listing.title,
            "description": listing.description,
            "condition": listing.condition,
            "price": listing.price,
            "cover": listing.photos[0] if listing.photos else None,
        }
    )
    return snapshot.model_dump(mode="json")
