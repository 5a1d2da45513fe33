"""What the header of a chatroom shows of its trade (rule 6): the chat asks through its port."""

from uuid import UUID

from server.chat.api import RoomExtra, RoomFacts
from server.listings import api as listings
from server.platform.unit_of_work import UnitOfWork
from server.trades import views
from server.trades.machine import RESERVED
from server.trades.records import AppointmentRecord, OfferRecord, TradeRecord
from server.trades.repository import appointments as appointment_rows
from server.trades.repository import offers as offer_rows
from server.trades.repository import trades as trade_rows
from shared_models.trades import Appointment


async def load(work: UnitOfWork, room: RoomFacts, viewer_id: UUID) -> RoomExtra:
    """The room's newest trade, its pending offer and its appointment, as one party sees them."""
    trade = await trade_rows.newest_in(work, room.id)
    offer = await offer_rows.pending_in(work, room.id)
    if offer is not None and offer.expires_at <= work.now:
        offer = None
    appointment = await appointment_rows.shown_in(work, room.id)
    actions = await _actions(work, room, viewer_id, trade, offer)
    return RoomExtra(
        trade=await views.trade(work, trade, viewer_id) if trade else None,
        offer=views.offer(work, offer, viewer_id) if offer else None,
        appointment=_meeting(work, appointment, viewer_id, actions) if appointment else None,
        actions=actions,
    )


def _meeting(
    work: UnitOfWork, record: AppointmentRecord, viewer_id: UUID, room_actions: list[str]
) -> Appointment:
    """The appointment; it is accepted only while the two may still arrange to meet."""
    found = views.appointment(work, record, viewer_id)
    if "appointment" in room_actions:
        return found
    actions = [action for action in found.allowed_actions if action != "accept"]
    return found.model_copy(update={"allowed_actions": actions})


async def _actions(
    work: UnitOfWork,
    room: RoomFacts,
    viewer_id: UUID,
    trade: TradeRecord | None,
    offer: OfferRecord | None,
) -> list[str]:
    if room.state != "open" or room.blocked:
        return []
    listing = await listings.facts(work, room.listing_id)
    on_sale = listing is not None and listing.state == "selling" and not listing.removed
    actions = []
    if on_sale and viewer_id == room.seller_id:
        actions.append("reserve")
    if on_sale and viewer_id == room.buyer_id and (offer is None or offer.maker_id != viewer_id):
        actions.append("offer")
    if on_sale or (trade is not None and trade.state == RESERVED):
        actions.append("appointment")
    return actions
