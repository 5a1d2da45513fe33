"""What the header of a chatroom shows of its trade (rule 6): the chat asks through its port."""

from collections.abc import Sequence
from uuid import UUID

from server.chat.api import RoomExtra, RoomFacts
from server.listings import api as listings
from server.listings.api import ListingFacts
from server.platform.unit_of_work import UnitOfWork
from server.trades import meetings, views
from server.trades.machine import RESERVED
from server.trades.records import AppointmentRecord, OfferRecord, TradeRecord
from server.trades.repository import appointments as appointment_rows
from server.trades.repository import offers as offer_rows
from server.trades.repository import trades as trade_rows
from shared_models.trades import Appointment, Offer


async def load(work: UnitOfWork, seen: Sequence[tuple[RoomFacts, UUID]]) -> list[RoomExtra]:
    """The newest trade, the pending offer, the appointment and the missed one of each room, as a
    party of it sees them; nine queries for any number of rooms.
    """
    room_ids = {room.id for room, _ in seen}
    trades = await trade_rows.newest_in(work, room_ids)
    offers = await offer_rows.pending_by_room(work, room_ids)
    spent = await offer_rows.spent_in(work, room_ids)
    appointments, missed = await appointment_rows.shown_by_room(work, room_ids)
    goods = await listings.facts_by_id(work, {room.listing_id for room, _ in seen if _lives(room)})
    dealing = [(room, viewer_id) for room, viewer_id in seen if room.id in trades]
    shown = await views.trades_seen(work, [(trades[room.id], viewer) for room, viewer in dealing])
    trade_of = dict(zip(dealing, shown, strict=True))
    extras = []
    for room, viewer_id in seen:
        offer, appointment = offers.get(room.id), appointments.get(room.id)
        listing = goods.get(room.listing_id)
        actions = _actions(room, viewer_id, listing, trades.get(room.id))
        if not _may_offer(work, viewer_id, offer, spent[room.id]):
            actions = [action for action in actions if action != "offer"]
        extras.append(
            RoomExtra(
                trade=trade_of.get((room, viewer_id)),
                offer=_offer(work, offer, viewer_id, spent[room.id]),
                appointment=_meeting(work, appointment, viewer_id, actions),
                no_show=_report(work, missed.get(room.id, []), viewer_id),
                actions=actions,
            )
        )
    return extras


def _may_offer(work: UnitOfWork, viewer_id: UUID, offer: OfferRecord | None, spent: int) -> bool:
    """One pending offer of one's own at a time, and so many a listing (rule 11)."""
    waits = offer is not None and offer.maker_id == viewer_id
    return not waits and spent < work.limits.offers_per_listing


def _offer(
    work: UnitOfWork, record: OfferRecord | None, viewer_id: UUID, spent: int
) -> Offer | None:
    return None if record is None else views.offer_view(work, record, viewer_id, spent=spent)


def _report(
    work: UnitOfWork, reported: Sequence[AppointmentRecord], viewer_id: UUID
) -> Appointment | None:
    record = meetings.report_to_show(reported, viewer_id)
    return None if record is None else views.appointment(work, record, viewer_id)


def _meeting(
    work: UnitOfWork, record: AppointmentRecord | None, viewer_id: UUID, room_actions: list[str]
) -> Appointment | None:
    """The appointment; it is accepted only while the two may still arrange to meet."""
    if record is None:
        return None
    found = views.appointment(work, record, viewer_id)
    if "appointment" in room_actions:
        return found
    actions = [action for action in found.allowed_actions if action != "accept"]
    return found.model_copy(update={"allowed_actions": actions})


def _lives(room: RoomFacts) -> bool:
    return room.state == "open" and not room.blocked


def _actions(
    room: RoomFacts,
    viewer_id: UUID,
    listing: ListingFacts | None,
    trade: TradeRecord | None,
) -> list[str]:
    if not _lives(room):
        return []
    on_sale = listing is not None and listing.state == "selling" and not listing.removed
    actions = []
    if on_sale and viewer_id == room.seller_id:
        actions.append("reserve")
    if on_sale and viewer_id == room.buyer_id:
        actions.append("offer")
    if on_sale or (trade is not None and (trade.state, trade.method) == (RESERVED, "meet")):
        actions.append("appointment")
    return actions
