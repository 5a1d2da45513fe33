"""Who did not come (rule 12): one side says so, and it counts unless the other contests in 72 h.

It is a report, not a state (2.2 note b): whatever becomes of the appointment or the trade, the
report stays, to be contested and counted. Also when the two complete a trade later: they have met
then, not at the time that was agreed on; who did come has 72 h to say so.
"""

from datetime import timedelta
from uuid import UUID

from server.accounts import api as accounts
from server.chat import api as chat
from server.listings import api as listings
from server.platform.failures import LostRace
from server.platform.unit_of_work import UnitOfWork
from server.trades import appointments, manner, review_window, service, timers, views
from server.trades.records import AppointmentRecord, TradeRecord
from server.trades.repository import appointments as rows
from server.trades.repository import trades as trade_rows
from shared_models.trades import Appointment


async def report(work: UnitOfWork, appointment_id: UUID) -> Appointment:
    """From 15 minutes after the time on, either party may say that the other did not come.

    Also when the appointment was replaced or dropped after its time, until the two have completed
    a trade in this room.
    """
    me = work.actor.account_id
    found, _ = await appointments.own(work, appointment_id)
    if not appointments.already_done(work, found, "no_show"):
        contestable = timedelta(hours=work.limits.no_show_contest_hours)
        if not await rows.report_no_show(work, found.id, found.other(me), contestable):
            raise LostRace(f"appointment {found.id} moved on")
        found = await appointments.reread(work, found.id)
        hours = work.limits.no_show_contest_hours
        line = f"Reported, to be contested within {hours} h: the {_absent(found)} did not come"
        await appointments.tell(work, found, "no_show", me, line)
        await timers.start_no_show(work, found)
    return views.appointment(work, found, me)


async def contest(work: UnitOfWork, appointment_id: UUID) -> Appointment:
    """Who is reported says otherwise within 72 h: the report never counts.

    403 ``wrong_role`` for who reported; 409 ``not_reported`` and ``contest_closed``.
    """
    me = work.actor.account_id
    found, _ = await appointments.own(work, appointment_id)
    if not appointments.already_done(work, found, "contest"):
        if not await rows.contest_no_show(work, found.id, me):
            raise LostRace(f"appointment {found.id} moved on")
        found = await appointments.reread(work, found.id)
        line = f"Contested, so it does not count that the {_absent(found)} did not come"
        await appointments.tell(work, found, "no_show_contested", me, line)
    return views.appointment(work, found, me)


async def run_counting(work: UnitOfWork, appointment_id: UUID) -> None:
    """The 72 h are over: count the report, once; nothing happens before, or when contested (H5)."""
    found = await rows.find(work, appointment_id)
    if found is None:
        return
    room = await chat.room_for(work, found.chatroom_id, found.seller_id)
    await listings.touch(work, room.listing_id)
    if await rows.count_no_show(work, found.id):
        await _follow_up(work, await appointments.reread(work, found.id))


async def settle(work: UnitOfWork, trade: TradeRecord) -> None:
    """Count what is due in the trade's room first, so that nobody contests what is built on it."""
    for found in await rows.reported_in(work, [trade.chatroom_id]):
        await run_counting(work, found.id)


async def _follow_up(work: UnitOfWork, counted: AppointmentRecord) -> None:
    absent_id = counted.no_show_by
    assert absent_id is not None
    await accounts.count_no_show(work, absent_id)
    await manner.rescore(work, absent_id)
    line = f"Not contested, so it counts that the {_absent(counted)} did not come"
    await appointments.tell(work, counted, "no_show_upheld", None, line)
    for trade in await trade_rows.canceled_in(work, counted.chatroom_id):
        if review_window.was_missed(trade, counted):
            other_id = trade.other(absent_id)
            work.announce(service.changed(trade, "no_show_upheld", None, only_for=other_id))


def _absent(appointment: AppointmentRecord) -> str:
    return "seller" if appointment.no_show_by == appointment.seller_id else "buyer"
