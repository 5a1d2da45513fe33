"""What may be done about an appointment, by whom and when (rule 12). Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from server.trades.events import AppointmentChanged
from server.trades.guards import Denial
from server.trades.records import PAST, AppointmentRecord
from shared_models.market import Limits
from shared_models.trades import AppointmentState

ACTIONS = ("accept", "cancel", "no_show", "contest")


def refusal(
    appointment: AppointmentRecord, action: str, account_id: UUID, now: datetime, limits: Limits
) -> Denial | None:
    """Why a party may not do this now; None when it may."""
    return _CHECKS[action](appointment, account_id, now, limits)


def allowed_actions(
    appointment: AppointmentRecord, account_id: UUID, now: datetime, limits: Limits
) -> list[str]:
    """What a party may do now."""
    return [
        action
        for action in ACTIONS
        if refusal(appointment, action, account_id, now, limits) is None
    ]


def already_done(appointment: AppointmentRecord, action: str, account_id: UUID) -> bool:
    """Whether the party asks again for what it has done and still holds."""
    if action == "accept":
        return is_agreed(appointment) and account_id != appointment.proposer_id
    if action == "cancel":
        return appointment.state == AppointmentState.CANCELED
    if action == "contest":
        return appointment.contested_at is not None and appointment.no_show_by == account_id
    return appointment.no_show_by == appointment.other(account_id)


def is_agreed(appointment: AppointmentRecord) -> bool:
    """Whether both wanted it when it ended, or want it now."""
    return appointment.state in (AppointmentState.ACCEPTED, PAST)


def shown_state(appointment: AppointmentRecord) -> AppointmentState:
    """Its state by the contract."""
    agreed = is_agreed(appointment)
    return AppointmentState.ACCEPTED if agreed else AppointmentState(appointment.state)


def ended(appointment: AppointmentRecord, state: AppointmentState, now: datetime) -> str:
    """What becomes of it when it is replaced or dropped.

    Whoever did not come could otherwise take the other side's report away by either.
    """
    came = appointment.state == AppointmentState.ACCEPTED and appointment.at <= now
    return PAST if came and appointment.no_show_by is None else state.value


def is_upheld(appointment: AppointmentRecord, now: datetime) -> bool:
    """Whether a no-show counts: its time came and nobody had contested it (2.2 note b).

    The row alone says so, whether or not it has been counted yet (H5).
    """
    until = appointment.no_show_until
    return until is not None and until <= now and appointment.contested_at is None


def report_to_show(
    reported: Iterable[AppointmentRecord], account_id: UUID
) -> AppointmentRecord | None:
    """Of a room's reported appointments the one that a party is shown: the newest.

    One that it can still contest goes before: no later report hides an earlier one from it.
    """

    def rank(one: AppointmentRecord) -> tuple[bool, datetime, UUID]:
        waits = one.contested_at is None and one.counted_at is None
        return waits and one.no_show_by == account_id, one.no_show_until or one.at, one.id

    return max(reported, key=rank, default=None)


def is_late_change(appointment: AppointmentRecord, now: datetime, limits: Limits) -> bool:
    """Whether replacing it now needs a reason: it is accepted and less than an hour ahead."""
    soon = timedelta(minutes=limits.appointment_late_change_minutes)
    accepted = appointment.state == AppointmentState.ACCEPTED
    return accepted and now < appointment.at <= now + soon


def _accept(
    appointment: AppointmentRecord, account_id: UUID, now: datetime, _limits: Limits
) -> Denial | None:
    if account_id == appointment.proposer_id:
        return Denial("wrong_role", "You proposed it; the other side accepts.", forbidden=True)
    if appointment.state != AppointmentState.PROPOSED:
        return _wrong_state(appointment)
    if appointment.at <= now:
        return Denial("appointment_past", "Its time is over. Propose another one.")
    return None


def _cancel(
    appointment: AppointmentRecord, _account_id: UUID, now: datetime, _limits: Limits
) -> Denial | None:
    if appointment.state not in (AppointmentState.PROPOSED, AppointmentState.ACCEPTED):
        return _wrong_state(appointment)
    if appointment.state == AppointmentState.ACCEPTED and appointment.at <= now:
        return Denial("appointment_past", "Its time is over.")
    return None


def _no_show(
    appointment: AppointmentRecord, account_id: UUID, now: datetime, limits: Limits
) -> Denial | None:
    if not is_agreed(appointment):
        return _wrong_state(appointment)
    if now < appointment.at + timedelta(minutes=limits.no_show_after_minutes):
        return Denial(
            "too_early", f"From {limits.no_show_after_minutes} minutes after the time on."
        )
    if appointment.no_show_by == account_id:
        return Denial("already_reported", "The other side has reported that you did not come.")
    if appointment.no_show_by is not None:
        return Denial("already_reported", "You have reported it.")
    return None


def _contest(
    appointment: AppointmentRecord, account_id: UUID, now: datetime, limits: Limits
) -> Denial | None:
    """By who is reported, for 72 h, whatever has become of the appointment since."""
    if appointment.no_show_by is None:
        return Denial("not_reported", "Nobody is reported to have missed it.")
    if appointment.no_show_by != account_id:
        return Denial("wrong_role", "You reported it; the other side contests.", forbidden=True)
    if appointment.contested_at is not None:
        return Denial("already_contested", "You have contested it.")
    until = appointment.no_show_until
    if until is None or until <= now or appointment.counted_at is not None:
        hours = limits.no_show_contest_hours
        return Denial("contest_closed", f"It could be contested for {hours} hours.")
    return None


def _wrong_state(appointment: AppointmentRecord) -> Denial:
    return Denial("wrong_state", f"The appointment is {appointment.state}.")


_CHECKS: dict[str, Callable[[AppointmentRecord, UUID, datetime, Limits], Denial | None]] = {
    "accept": _accept,
    "cancel": _cancel,
    "no_show": _no_show,
    "contest": _contest,
}


def changed(
    appointment: AppointmentRecord, event: str, actor_id: UUID | None, text: str | None = None
) -> AppointmentChanged:
    """What is announced of an appointment; ``text`` is what its notice says."""
    return AppointmentChanged(
        appointment_id=appointment.id,
        chatroom_id=appointment.chatroom_id,
        event=event,
        actor_id=actor_id,
        seller_id=appointment.seller_id,
        buyer_id=appointment.buyer_id,
        text=text,
    )
