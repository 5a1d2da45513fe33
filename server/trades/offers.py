"""Offers (rule 11): how a buyer asks and the two agree on a price."""

from datetime import timedelta
from uuid import UUID

from server.accounts import api as accounts
from server.chat import api as chat
from server.listings import api as listings
from server.platform.errors import Conflict, Forbidden, Invalid, NotFound
from server.platform.failures import LostRace
from server.platform.rates import refuse_beyond
from server.platform.unit_of_work import UnitOfWork
from server.trades import reserving, superseding, texts, timers, views
from server.trades.records import OfferRecord
from server.trades.repository import offers as offer_rows
from server.trades.situation import Situation, check_dealing, check_on_sale, look
from shared_models.trades import Offer, OfferAccept, OfferCreate, OfferState

_DAY = timedelta(days=1)
_PENDING = OfferState.PENDING.value


async def make(work: UnitOfWork, room_id: UUID, body: OfferCreate) -> tuple[Offer, bool]:
    """T2: the buyer offers; the offer and whether it is new.

    An offer in answer to the seller's pending counter replaces it. One's own pending offer is not
    replaced: 409 ``offer_pending``, or the same offer again for the same amount.
    """
    me = work.actor.account_id
    situation = await look(work, room_id)
    if situation.room.buyer_id != me:
        raise Forbidden("wrong_role", "The buyer makes the offers; answer one with a counter.")
    await _check(work, situation)
    pending = await _pending(work, room_id)
    if pending is not None and pending.maker_id == me:
        shown = await views.offer(work, pending, me)
        if pending.amount == body.amount:
            return shown, False
        raise Conflict("offer_pending", "You have a pending offer here.", current=shown)
    return await _put(work, situation, body.amount, replaced=pending), True


async def counter(work: UnitOfWork, offer_id: UUID, body: OfferCreate) -> tuple[Offer, bool]:
    """T2: the side that did not make the offer answers with another amount, for another 48 h."""
    me = work.actor.account_id
    offer, situation = await _answering(work, offer_id)
    pending = await _pending(work, offer.chatroom_id)
    if (
        offer.state == OfferState.COUNTERED
        and pending is not None
        and (pending.maker_id, pending.amount) == (me, body.amount)
    ):
        return await views.offer(work, pending, me), False
    await _check_pending(work, offer)
    await _check(work, situation)
    return await _put(work, situation, body.amount, replaced=offer), True


async def accept(work: UnitOfWork, offer_id: UUID, body: OfferAccept) -> Offer:
    """T4: the other side accepts, which reserves the listing at that price in the same step.

    Who accepts says how it changes hands, where the listing leaves it open.
    """
    offer, situation = await _answering(work, offer_id)
    if offer.state != OfferState.ACCEPTED:
        await check_on_sale(work, situation)
        await _check_pending(work, offer)
        check_dealing(situation.room)
        method = reserving.agreed_method(situation.listing, body.method)
        await reserving.begin(work, situation, price=offer.amount, method=method, accepted=offer)
    return await _shown(work, offer.id)


async def decline(work: UnitOfWork, offer_id: UUID) -> Offer:
    """The side that did not make the offer declines it."""
    offer, _ = await _answering(work, offer_id)
    return await _close(work, offer, OfferState.DECLINED)


async def withdraw(work: UnitOfWork, offer_id: UUID) -> Offer:
    """Who made the offer takes it back."""
    offer, _ = await _own(work, offer_id)
    if offer.maker_id != work.actor.account_id:
        raise Forbidden("wrong_role", "Only who made the offer withdraws it.")
    return await _close(work, offer, OfferState.WITHDRAWN)


async def _own(work: UnitOfWork, offer_id: UUID) -> tuple[OfferRecord, Situation]:
    me = work.actor.account_id
    offer = await offer_rows.find_own(work, offer_id, me)
    if offer is None:
        raise NotFound("offer")
    situation = await look(work, offer.chatroom_id)
    locked = await offer_rows.find_own(work, offer_id, me)
    assert locked is not None
    return locked, situation


async def _answering(work: UnitOfWork, offer_id: UUID) -> tuple[OfferRecord, Situation]:
    offer, situation = await _own(work, offer_id)
    if offer.maker_id == work.actor.account_id:
        raise Forbidden("wrong_role", "This is your own offer; the other side answers it.")
    return offer, situation


async def _check_pending(work: UnitOfWork, offer: OfferRecord) -> None:
    shown = await views.offer(work, offer, work.actor.account_id)
    if shown.state != OfferState.PENDING:
        raise Conflict(f"offer_{shown.state}", f"The offer is {shown.state}.", current=shown)


async def _close(work: UnitOfWork, offer: OfferRecord, state: OfferState) -> Offer:
    me = work.actor.account_id
    if offer.state != state:
        await _check_pending(work, offer)
        if not await offer_rows.close(work, offer.id, state):
            raise LostRace(f"offer {offer.id} moved on")
        await superseding.close_card(work, offer, state.value, me)
    return await _shown(work, offer.id)


async def _shown(work: UnitOfWork, offer_id: UUID) -> Offer:
    offer = await offer_rows.find(work, offer_id)
    assert offer is not None
    return await views.offer(work, offer, work.actor.account_id)


async def _check(work: UnitOfWork, situation: Situation) -> None:
    await check_on_sale(work, situation)
    check_dealing(situation.room)


async def _pending(work: UnitOfWork, room_id: UUID) -> OfferRecord | None:
    """The pending offer of a locked room; one whose time is over is expired on the way (H5)."""
    pending = await offer_rows.pending_in(work, room_id)
    if pending is not None and await _expire(work, pending):
        return None
    return pending


async def _expire(work: UnitOfWork, offer: OfferRecord) -> bool:
    expired = await offer_rows.expire(work, offer.id)
    if expired:
        await superseding.close_card(work, offer, "expired", None)
    return expired


async def run_expiry(work: UnitOfWork, offer_id: UUID) -> None:
    """The 48 h are over; nothing happens when the offer has ended otherwise."""
    offer = await offer_rows.find(work, offer_id)
    if offer is not None:
        await listings.touch(work, offer.listing_id)
        await _expire(work, offer)


async def _put(
    work: UnitOfWork, situation: Situation, amount: int, *, replaced: OfferRecord | None
) -> Offer:
    me, room = work.actor.account_id, situation.room
    _check_amount(work, situation, amount)
    if me == room.buyer_id:
        await _check_count(work, room.id)
    if replaced is not None:
        if not await offer_rows.close(work, replaced.id, OfferState.COUNTERED):
            raise LostRace(f"offer {replaced.id} moved on")
        work.announce(superseding.changed(replaced, "countered", me))
    offer = OfferRecord(
        id=work.new_id(),
        chatroom_id=room.id,
        listing_id=room.listing_id,
        seller_id=room.seller_id,
        buyer_id=room.buyer_id,
        maker_id=me,
        amount=amount,
        state=_PENDING,
        expires_at=work.now + timedelta(hours=work.limits.offer_hours),
        created_at=work.now,
    )
    await offer_rows.add(work, offer)
    await _tell_made(work, offer, counter=replaced is not None)
    await timers.start_offer(work, offer)
    return await views.offer(work, offer, me)


async def _tell_made(work: UnitOfWork, offer: OfferRecord, *, counter: bool) -> None:
    text = texts.offered(offer.amount, counter=counter)
    await chat.post_system(
        work,
        offer.chatroom_id,
        event="offer_made",
        actor_id=offer.maker_id,
        text=text,
        data={"offer_id": str(offer.id), "amount": offer.amount, "counter": counter},
    )
    work.announce(superseding.changed(offer, "made", offer.maker_id, text))


def _check_amount(work: UnitOfWork, situation: Situation, amount: int) -> None:
    """50 to 100 % of the price; a buyer goes below the price only if it is negotiable.

    A seller may counter below a fixed price: it is theirs to lower.
    """
    price = situation.listing.price or 0
    lowest = -(-price * work.limits.offer_percent_min // 100)
    if amount > price:
        raise Invalid.field("amount", "offer_too_high", f"The price is {price:,}.")
    if amount < lowest:
        raise Invalid.field("amount", "offer_too_low", f"Offer at least {lowest:,}.")
    by_buyer = work.actor.account_id == situation.room.buyer_id
    if by_buyer and amount < price and not situation.listing.negotiable:
        raise Invalid.field("amount", "not_negotiable", f"The price is fixed at {price:,}.")


async def _check_count(work: UnitOfWork, room_id: UUID) -> None:
    """3 per listing, however they end but for superseded ones; 25 a day as buyer.

    The account is held first: it may be making other offers at this moment.
    """
    me, limits = work.actor.account_id, work.limits
    most = limits.offers_per_listing
    if (await offer_rows.spent_in(work, [room_id]))[room_id] >= most:
        raise Conflict("offer_limit", f"You have made {most} offers on this listing.")
    if not work.context.rates.enabled:
        return
    await accounts.hold(work, me)
    made = await offer_rows.made_since(work, me, work.now - _DAY)
    detail = f"At most {limits.offers_per_day} offers a day."
    refuse_beyond(made, limits.offers_per_day, _DAY, work.now, detail)
