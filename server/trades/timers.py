"""The jobs behind timers. Each is only a wake-up: what is to be done is decided when it runs."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.chat import api as chat
from server.platform import jobs
from server.platform.unit_of_work import UnitOfWork
from server.trades.events import ReminderDue
from server.trades.records import AppointmentRecord, OfferRecord, TradeRecord
from server.trades.repository import appointments as appointment_rows
from server.trades.repository import trades as trade_rows
from shared_models.trades import AppointmentState, TradeState

TRADE_TIMER = "trades.timer"
TRADE_REMINDER = "trades.reminder"
OFFER_TIMER = "trades.offer_timer"
APPOINTMENT_REMINDER = "trades.appointment_reminder"
REVIEW_TIMER = "trades.review_timer"
NO_SHOW_TIMER = "trades.no_show_timer"

_ASK_TO_CONFIRM_AFTER = (timedelta(hours=24), timedelta(hours=60))
_WARN_BEFORE = timedelta(hours=24)
_MEETING_REMINDERS = (timedelta(hours=24), timedelta(hours=1), timedelta(minutes=10))


async def start(work: UnitOfWork, trade: TradeRecord) -> None:
    """Start what the trade's present state waits for; a timer of the same name is moved."""
    payload = {"trade_id": str(trade.id)}
    if trade.due_at is not None:
        await _wake(work, TRADE_TIMER, payload, trade.due_at, f"{trade.id}")
    if trade.state == TradeState.RESERVED and trade.due_at is not None:
        warn_at = max(trade.due_at - _WARN_BEFORE, work.now)
        await _remind(work, trade, "expiry", warn_at)
    elif trade.state == TradeState.HANDED_OVER:
        for after in _ASK_TO_CONFIRM_AFTER:
            await _remind(work, trade, f"confirm_{_hours(after)}", work.now + after)
    elif trade.state == TradeState.COMPLETED and trade.review_until is not None:
        await _wake(work, REVIEW_TIMER, payload, trade.review_until, f"{trade.id}")


async def start_offer(work: UnitOfWork, offer: OfferRecord) -> None:
    """Let the offer expire at its time (rule 11)."""
    payload = {"offer_id": str(offer.id)}
    await _wake(work, OFFER_TIMER, payload, offer.expires_at, f"{offer.id}")


async def start_appointment(work: UnitOfWork, appointment: AppointmentRecord) -> None:
    """Remind both 24 h, 1 h and 10 min before; those that are past are left out (rule 12)."""
    for before in _MEETING_REMINDERS:
        at = appointment.at - before
        if at > work.now:
            minutes = int(before / timedelta(minutes=1))
            payload = {"appointment_id": str(appointment.id), "minutes": minutes}
            name = f"{appointment.id}:{minutes}"
            await _wake(work, APPOINTMENT_REMINDER, payload, at, name)


async def start_no_show(work: UnitOfWork, appointment: AppointmentRecord) -> None:
    """Let the report of a no-show count from its time on (rule 12)."""
    assert appointment.no_show_until is not None
    payload = {"appointment_id": str(appointment.id)}
    await _wake(work, NO_SHOW_TIMER, payload, appointment.no_show_until, f"{appointment.id}")


async def _remind(work: UnitOfWork, trade: TradeRecord, about: str, at: datetime) -> None:
    payload = {"trade_id": str(trade.id), "version": trade.version, "about": about}
    await _wake(work, TRADE_REMINDER, payload, at, f"{trade.id}:{about}")


async def _wake(
    work: UnitOfWork, kind: str, payload: dict[str, Any], at: datetime, name: str
) -> None:
    await jobs.enqueue(work, kind, payload, run_at=at, key=f"{kind}:{name}")


def _hours(span: timedelta) -> int:
    return int(span / timedelta(hours=1))


async def run_trade_reminder(work: UnitOfWork, trade_id: UUID, version: int, about: str) -> None:
    """Warn both of an expiring reservation, or ask who has not confirmed; unless it moved on."""
    trade = await trade_rows.find(work, trade_id)
    if trade is None or trade.version != version or trade.due_at is None:
        return
    if about == "expiry":
        if trade.due_at - _WARN_BEFORE > work.now:
            return
        people = [trade.seller_id, trade.buyer_id]
        text = "The reservation runs out soon. Confirm, or agree on another time."
    else:
        sides = (
            (trade.seller_id, trade.seller_confirmed_at),
            (trade.buyer_id, trade.buyer_confirmed_at),
        )
        people = [person for person, confirmed_at in sides if confirmed_at is None]
        text = "Please confirm the trade, or report a problem. It completes by itself soon."
    for account_id in people:
        work.announce(
            ReminderDue(
                account_id=account_id,
                event=f"trade_reminder_{about}",
                text=text,
                data={"trade_id": str(trade.id), "chatroom_id": str(trade.chatroom_id)},
                key=f"trade:{trade.id}:{version}:{about}:{int(trade.due_at.timestamp())}",
            )
        )


async def run_appointment_reminder(work: UnitOfWork, appointment_id: UUID, minutes: int) -> None:
    """Remind both parties, while the appointment still stands and is still to come.

    Nobody is reminded in a room that is closed, of somebody they no longer deal with, or while the
    thing is reserved for somebody else.
    """
    found = await appointment_rows.find(work, appointment_id)
    if found is None or found.state != AppointmentState.ACCEPTED or found.at <= work.now:
        return
    if not await _still_deal(work, found):
        return
    for account_id in (found.seller_id, found.buyer_id):
        work.announce(
            ReminderDue(
                account_id=account_id,
                event="appointment_reminder",
                text=f"You meet in {_span(minutes)}: {found.place}.",
                data={
                    "appointment_id": str(found.id),
                    "chatroom_id": str(found.chatroom_id),
                    "minutes": minutes,
                },
                key=f"appointment:{found.id}:{minutes}",
            )
        )


async def _still_deal(work: UnitOfWork, appointment: AppointmentRecord) -> bool:
    room_id, seller_id = appointment.chatroom_id, appointment.seller_id
    if await chat.peer_to_tell(work, room_id, seller_id) is None:
        return False
    room = await chat.room_for(work, room_id, seller_id)
    trade = await trade_rows.open_on(work, room.listing_id)
    return trade is None or trade.chatroom_id == room_id


def _span(minutes: int) -> str:
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"
