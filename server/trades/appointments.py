"""Appointments (rule 12, T5): when and where to meet. They never change the listing's state.

Whether somebody came is another matter: ``no_shows``.
"""

from datetime import timedelta
from uuid import UUID

from server.chat import api as chat
from server.platform.errors import Conflict, Forbidden, Invalid, NotFound
from server.platform.failures import LostRace
from server.platform.unit_of_work import UnitOfWork
from server.trades import machine, meetings, service, timers, views
from server.trades.records import AppointmentRecord
from server.trades.repository import appointments as rows
from server.trades.repository import trades as trade_rows
from server.trades.situation import Situation, already_reserved, check_dealing, look
from shared_models.trades import Appointment, AppointmentCreate, AppointmentState

_PROPOSED = AppointmentState.PROPOSED.value


async def propose(
    work: UnitOfWork, room_id: UUID, body: AppointmentCreate
) -> tuple[Appointment, bool]:
    """Either party proposes; a new proposal replaces the room's present one.

    422 for a time out of bounds, without ``reason`` within the hour before an accepted one, or
    ``message_blocked`` for words that no message may hold either (rule 18); 409
    ``already_reserved``, ``wrong_state``, ``by_post`` and ``not_selling``.
    """
    me = work.actor.account_id
    situation = await look(work, room_id)
    await _check_open(work, situation)
    current = await rows.current_in(work, room_id)
    if current is not None and _is_repeat(current, me, body):
        return views.appointment(work, current, me), False
    _check_time(work, body)
    await chat.check_texts(work, situation.room, place=body.place, reason=body.reason)
    if current is not None:
        await _replace(work, current, body)
    appointment = AppointmentRecord(
        id=work.new_id(),
        chatroom_id=room_id,
        seller_id=situation.room.seller_id,
        buyer_id=situation.room.buyer_id,
        proposer_id=me,
        at=body.at,
        place=body.place,
        state=_PROPOSED,
        no_show_by=None,
        no_show_until=None,
        contested_at=None,
        counted_at=None,
        created_at=work.now,
    )
    await rows.add(work, appointment, reason=body.reason)
    await _tell(work, appointment, "proposed", "Proposed to meet", reason=body.reason)
    await _move_reservation(work, situation, current)
    return views.appointment(work, appointment, me), True


def _is_repeat(current: AppointmentRecord, me: UUID, body: AppointmentCreate) -> bool:
    mine = (current.proposer_id, current.state) == (me, _PROPOSED)
    return mine and (current.at, current.place) == (body.at, body.place)


async def _check_open(work: UnitOfWork, situation: Situation) -> None:
    """While the listing is on sale, or reserved for this room's buyer to be handed over."""
    trade = situation.trade
    if trade is not None and trade.chatroom_id != situation.room.id:
        raise await already_reserved(work, trade)
    if trade is not None and trade.state != machine.RESERVED:
        raise Conflict("wrong_state", f"The trade is {trade.state}: there is nothing to arrange.")
    if trade is not None and trade.method == "post":
        raise Conflict("by_post", "It goes by post: there is nothing to meet for.")
    if trade is None and (situation.listing.state != "selling" or situation.listing.removed):
        raise Conflict("not_selling", "It is not on sale.")
    check_dealing(situation.room)


def _check_time(work: UnitOfWork, body: AppointmentCreate) -> None:
    soonest = timedelta(minutes=work.limits.appointment_min_minutes)
    latest = timedelta(days=work.limits.appointment_max_days)
    if body.at < work.now + soonest:
        minutes = work.limits.appointment_min_minutes
        raise Invalid.field("at", "too_soon", f"At least {minutes} minutes from now.")
    if body.at > work.now + latest:
        days = work.limits.appointment_max_days
        raise Invalid.field("at", "too_late", f"At most {days} days from now.")


async def _replace(work: UnitOfWork, current: AppointmentRecord, body: AppointmentCreate) -> None:
    if meetings.is_late_change(current, work.now, work.limits) and not body.reason:
        raise Invalid.field("reason", "reason_required", "It is less than an hour ahead: say why.")
    await _move(work, current, meetings.ended(current, AppointmentState.REPLACED, work.now))
    work.announce(meetings.changed(current, "replaced", work.actor.account_id))


async def accept(work: UnitOfWork, appointment_id: UUID) -> Appointment:
    """The other side accepts: the reservation now lasts until 72 h after the time (T13).

    409 ``already_reserved``, ``wrong_state``, ``by_post`` and ``not_selling``, as for a proposal.
    """
    found, situation = await own(work, appointment_id)
    if not already_done(work, found, "accept"):
        await _check_open(work, situation)
        found = await _move(work, found, AppointmentState.ACCEPTED)
        await _tell(work, found, "accepted", "Agreed to meet")
        await _move_reservation(work, situation, found)
        await timers.start_appointment(work, found)
    return views.appointment(work, found, work.actor.account_id)


async def cancel(work: UnitOfWork, appointment_id: UUID) -> Appointment:
    """Either party takes it off."""
    found, situation = await own(work, appointment_id)
    if not already_done(work, found, "cancel"):
        before, found = found, await _move(work, found, AppointmentState.CANCELED)
        await _tell(work, found, "canceled", "No longer meeting")
        await _move_reservation(work, situation, before)
    return views.appointment(work, found, work.actor.account_id)


async def own(work: UnitOfWork, appointment_id: UUID) -> tuple[AppointmentRecord, Situation]:
    """The actor's appointment in its locked room; 404 for a stranger's."""
    found = await rows.find_own(work, appointment_id, work.actor.account_id)
    if found is None:
        raise NotFound("appointment")
    situation = await look(work, found.chatroom_id)
    return await reread(work, appointment_id), situation


def already_done(work: UnitOfWork, found: AppointmentRecord, action: str) -> bool:
    """Whether it is a repeat; refuses what is not allowed."""
    me = work.actor.account_id
    if meetings.already_done(found, action, me):
        return True
    denial = meetings.refusal(found, action, me, work.now, work.limits)
    if denial is None:
        return False
    if denial.forbidden:
        raise Forbidden(denial.code, denial.detail)
    raise Conflict(denial.code, denial.detail, current=views.appointment(work, found, me))


async def reread(work: UnitOfWork, appointment_id: UUID) -> AppointmentRecord:
    """An appointment that exists, as it is now."""
    found = await rows.find(work, appointment_id)
    assert found is not None
    return found


async def _move(work: UnitOfWork, appointment: AppointmentRecord, state: str) -> AppointmentRecord:
    if not await rows.move(work, appointment, state):
        raise LostRace(f"appointment {appointment.id} moved on")
    return await reread(work, appointment.id)


async def _move_reservation(
    work: UnitOfWork, situation: Situation, changed: AppointmentRecord | None
) -> None:
    """An accepted appointment that comes or goes moves its own reservation's timer (T5).

    It moves no other: not that of a trade in another room, nor the one a later state waits for.
    """
    trade = situation.trade
    if changed is None or changed.state != AppointmentState.ACCEPTED:
        return
    if trade is None or trade.chatroom_id != situation.room.id or trade.state != machine.RESERVED:
        return
    meeting_at = await service.accepted_meeting(work, situation.room.id)
    due_at = machine.reservation_due(work.now, work.limits, meeting_at)
    if not await trade_rows.set_due(work, trade, due_at):
        raise LostRace(f"trade {trade.id} moved on")
    moved = await trade_rows.find(work, trade.id)
    assert moved is not None
    await timers.start(work, moved)
    work.announce(service.changed(moved, "due_changed", work.actor.account_id))


async def _tell(
    work: UnitOfWork,
    appointment: AppointmentRecord,
    event: str,
    line: str,
    *,
    reason: str | None = None,
) -> None:
    await tell(work, appointment, event, work.actor.account_id, line, reason=reason)


async def tell(
    work: UnitOfWork,
    appointment: AppointmentRecord,
    event: str,
    actor_id: UUID | None,
    line: str,
    *,
    reason: str | None = None,
) -> None:
    """A line in the room, and a notice to who did not cause it; None is a timer."""
    text = f"{line}: {appointment.at:%Y-%m-%d %H:%M} UTC, {appointment.place}."
    data = {
        "appointment_id": str(appointment.id),
        "at": appointment.at.isoformat(),
        "place": appointment.place,
        "reason": reason,
    }
    await chat.post_system(
        work,
        appointment.chatroom_id,
        event=f"appointment_{event}",
        actor_id=actor_id,
        text=text,
        data=data,
    )
    work.announce(meetings.changed(appointment, event, actor_id, text))
