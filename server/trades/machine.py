"""The one table of a trade's transitions: what MARKETPLACE 2.2 and 2.7 say, as data.

Nothing here does input or output. ``service`` asks :func:`choose` which transition an action is,
takes the new columns from :func:`changes` and carries out the rest of the row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from server.trades.guards import (
    Denial,
    Denied,
    Guard,
    Role,
    Step,
    always,
    buyer_consents,
    by_meeting,
    by_post,
    confirmed_at,
    due,
    no_consent_yet,
    not_confirmed_by_me,
    reported_after_handover,
    reported_after_shipping,
    undo_in_time,
)
from server.trades.records import TradeRecord
from shared_models.market import Limits
from shared_models.trades import OPEN_TRADE_STATES, TradeState

RESERVED, SHIPPED, HANDED_OVER = TradeState.RESERVED, TradeState.SHIPPED, TradeState.HANDED_OVER
DISPUTED, COMPLETED, CANCELED = TradeState.DISPUTED, TradeState.COMPLETED, TradeState.CANCELED

EITHER = frozenset({Role.SELLER, Role.BUYER})
SELLER = frozenset({Role.SELLER})
BUYER = frozenset({Role.BUYER})
SYSTEM = frozenset({Role.SYSTEM})
MODERATOR = frozenset({Role.MODERATOR})


class Goods(StrEnum):
    """What becomes of the listing."""

    STAYS = "stays"
    RELEASED = "released"
    RELEASED_HIDDEN = "released_hidden"
    SOLD = "sold"


class Timer(StrEnum):
    """Which timer runs from here on (``due_at``)."""

    KEEP = "keep"
    NONE = "none"
    RESERVATION = "reservation"
    CONFIRMATION = "confirmation"
    DELIVERY = "delivery"
    DISPUTE = "dispute"


class Mark(StrEnum):
    """What is noted on the trade itself."""

    CONFIRM = "confirm"
    UNCONFIRM = "unconfirm"
    CONSENT = "consent"
    SHIPMENT = "shipment"
    PROBLEM = "problem"
    NO_PROBLEM = "no_problem"
    AUTO = "auto"
    REASON = "reason"


@dataclass(frozen=True, slots=True)
class Transition:
    """A row of the table. ``number`` is the rules' own."""

    number: str
    action: str
    actors: frozenset[Role]
    source: TradeState
    guard: Guard
    target: TradeState
    event: str
    timer: Timer
    goods: Goods = Goods.STAYS
    marks: tuple[Mark, ...] = ()
    cancel_reason: str | None = None


# The rows up to T14 are 2.2 (meeting), the P rows are 2.7 (by post).
# fmt: off
TRANSITIONS: tuple[Transition, ...] = (
    Transition("T6", "cancel", EITHER, RESERVED, always, CANCELED, "canceled",
               Timer.NONE, Goods.RELEASED, (Mark.REASON,)),
    Transition("T7", "confirm", EITHER, RESERVED, by_meeting, HANDED_OVER, "handed_over",
               Timer.CONFIRMATION, marks=(Mark.CONFIRM,)),
    Transition("T8", "confirm", EITHER, HANDED_OVER, not_confirmed_by_me, COMPLETED, "completed",
               Timer.NONE, Goods.SOLD, (Mark.CONFIRM,)),
    Transition("T9", "timer", SYSTEM, HANDED_OVER, due, COMPLETED, "auto_completed",
               Timer.NONE, Goods.SOLD, (Mark.AUTO,)),
    Transition("T10", "undo", EITHER, HANDED_OVER, undo_in_time, RESERVED, "undone",
               Timer.RESERVATION, marks=(Mark.UNCONFIRM,)),
    Transition("T11", "problem", EITHER, HANDED_OVER, always, DISPUTED, "problem_reported",
               Timer.DISPUTE, marks=(Mark.PROBLEM,)),
    Transition("T12", "withdraw_problem", EITHER, DISPUTED, reported_after_handover, HANDED_OVER,
               "problem_withdrawn", Timer.CONFIRMATION, marks=(Mark.NO_PROBLEM,)),
    Transition("T12", "resolve_completed", MODERATOR, DISPUTED, always, COMPLETED,
               "resolved_completed", Timer.NONE, Goods.SOLD),
    Transition("T12", "resolve_canceled", MODERATOR, DISPUTED, always, CANCELED,
               "resolved_canceled", Timer.NONE, Goods.RELEASED_HIDDEN, cancel_reason="resolved"),
    Transition("T12b", "timer", SYSTEM, DISPUTED, due, CANCELED, "unresolved",
               Timer.NONE, Goods.RELEASED_HIDDEN, cancel_reason="unresolved"),
    Transition("T13", "timer", SYSTEM, RESERVED, due, CANCELED, "expired",
               Timer.NONE, Goods.RELEASED, cancel_reason="expired"),
    Transition("T14", "block", EITHER, RESERVED, always, CANCELED, "canceled",
               Timer.NONE, Goods.RELEASED, cancel_reason="blocked"),
    Transition("T14", "remove", MODERATOR, RESERVED, always, CANCELED, "canceled",
               Timer.NONE, Goods.RELEASED, cancel_reason="moderation"),
    Transition("P1", "ship", SELLER, RESERVED, by_post, SHIPPED, "shipped",
               Timer.DELIVERY, marks=(Mark.SHIPMENT,)),
    Transition("P2", "confirm", BUYER, SHIPPED, always, COMPLETED, "completed",
               Timer.NONE, Goods.SOLD, (Mark.CONFIRM,)),
    Transition("P3", "timer", SYSTEM, SHIPPED, due, COMPLETED, "auto_completed",
               Timer.NONE, Goods.SOLD, (Mark.AUTO,)),
    Transition("P4", "problem", BUYER, SHIPPED, always, DISPUTED, "problem_reported",
               Timer.DISPUTE, marks=(Mark.PROBLEM,)),
    Transition("P4", "withdraw_problem", BUYER, DISPUTED, reported_after_shipping, SHIPPED,
               "problem_withdrawn", Timer.DELIVERY, marks=(Mark.NO_PROBLEM,)),
    Transition("P5", "consent_cancel", BUYER, SHIPPED, no_consent_yet, SHIPPED, "cancel_consented",
               Timer.KEEP, marks=(Mark.CONSENT,)),
    Transition("P5", "cancel", SELLER, SHIPPED, buyer_consents, CANCELED, "canceled",
               Timer.NONE, Goods.RELEASED, (Mark.REASON,)),
)
# fmt: on

PARTY_ACTIONS = (
    "confirm",
    "ship",
    "undo",
    "cancel",
    "consent_cancel",
    "problem",
    "withdraw_problem",
)
"""What a party may ask for, in the order a screen offers it."""

_PROBLEM = ("problem_reason", "problem_detail", "problem_by", "disputed_from")
_EVENT_OF = {edge.action: edge.event for edge in TRANSITIONS}
_TIMERS: dict[Timer, Callable[[Limits], timedelta]] = {
    Timer.CONFIRMATION: lambda limits: timedelta(hours=limits.confirm_hours),
    Timer.DELIVERY: lambda limits: timedelta(days=limits.shipped_days),
    Timer.DISPUTE: lambda limits: timedelta(days=limits.dispute_days),
}


def is_open(state: str) -> bool:
    """Whether a trade in this state holds its listing."""
    return state in OPEN_TRADE_STATES


def choose(trade: TradeRecord, action: str, step: Step) -> Transition:
    """The transition that ``action`` is for this person now, or :class:`Denied` with the reason."""
    known = [edge for edge in TRANSITIONS if edge.action == action]
    here = [edge for edge in known if edge.source == trade.state]
    mine = [edge for edge in here if step.role in edge.actors]
    if not mine:
        raise Denied(_why_none(trade, step, known, here))
    denials = []
    for edge in mine:
        denial = edge.guard(trade, step)
        if denial is None:
            return edge
        denials.append(denial)
    raise Denied(denials[0])


def _why_none(
    trade: TradeRecord, step: Step, known: list[Transition], here: list[Transition]
) -> Denial:
    if here or not any(step.role in edge.actors for edge in known):
        return Denial("wrong_role", f"This is not for the {step.role} to do.", forbidden=True)
    if not is_open(trade.state):
        return Denial("terminal", f"The trade is {trade.state}; that is final.")
    return Denial("wrong_state", f"That is not possible while the trade is {trade.state}.")


def already_done(trade: TradeRecord, action: str, step: Step) -> bool:
    """Whether the caller's own finished action is asked for again while it still holds (2.5)."""
    if action == "confirm":
        confirmed = confirmed_at(trade, step.role) is not None
        return confirmed and trade.state in (HANDED_OVER, COMPLETED)
    if action == "ship":
        same = (trade.carrier, trade.tracking_number) == (
            step.details.carrier,
            step.details.tracking_number,
        )
        return step.role is Role.SELLER and trade.state == SHIPPED and same
    if action == "consent_cancel":
        consented = trade.cancel_consented_at is not None
        return step.role is Role.BUYER and trade.state == SHIPPED and consented
    mine = trade.last_actor_id is not None and trade.last_actor_id == step.actor_id
    return mine and trade.last_event == _EVENT_OF[action]


def allowed_actions(trade: TradeRecord, step: Step, *, review_until: datetime | None) -> list[str]:
    """What this party may do now; the only source of buttons (2.6).

    ``review_until`` is None for who may not review, or has (T16).
    """
    actions = [action for action in PARTY_ACTIONS if _possible(trade, action, step)]
    if review_until is not None and step.now < review_until:
        actions.append("review")
    return actions


def _possible(trade: TradeRecord, action: str, step: Step) -> bool:
    try:
        choose(trade, action, step)
    except Denied:
        return False
    return True


def due_after(
    timer: Timer, trade: TradeRecord, now: datetime, limits: Limits, meeting_at: datetime | None
) -> datetime | None:
    """When the timer runs out; ``meeting_at`` is the time of the accepted appointment."""
    if timer is Timer.KEEP:
        return trade.due_at
    if timer is Timer.NONE:
        return None
    if timer is Timer.RESERVATION:
        return reservation_due(now, limits, meeting_at)
    return now + _TIMERS[timer](limits)


def reservation_due(now: datetime, limits: Limits, meeting_at: datetime | None) -> datetime:
    """7 days without an appointment, or 72 h after it (T13); never already past."""
    if meeting_at is not None:
        after_meeting = meeting_at + timedelta(hours=limits.appointment_grace_hours)
        if after_meeting > now:
            return after_meeting
    return now + timedelta(days=limits.reserve_days)


def changes(
    trade: TradeRecord, edge: Transition, step: Step, due_at: datetime | None
) -> dict[str, Any]:
    """The columns that the transition sets, but for the version."""
    columns: dict[str, Any] = {"state": edge.target.value, "due_at": due_at}
    if edge.cancel_reason is not None:
        columns["cancel_reason"] = edge.cancel_reason
    if edge.target is COMPLETED:
        columns["completed_at"] = step.now
        columns["review_until"] = step.now + timedelta(days=step.limits.review_days)
    for mark in edge.marks:
        columns |= _marked(trade, mark, step)
    return columns


def _marked(trade: TradeRecord, mark: Mark, step: Step) -> dict[str, Any]:
    details = step.details
    columns: dict[Mark, dict[str, Any]] = {
        Mark.CONFIRM: {f"{step.role}_confirmed_at": step.now},
        Mark.UNCONFIRM: {f"{step.role}_confirmed_at": None},
        Mark.CONSENT: {"cancel_consented_at": step.now},
        Mark.SHIPMENT: {"carrier": details.carrier, "tracking_number": details.tracking_number},
        Mark.PROBLEM: {
            "problem_reason": details.reason,
            "problem_detail": details.note,
            "problem_by": step.actor_id,
            "disputed_from": trade.state,
        },
        Mark.NO_PROBLEM: dict.fromkeys(_PROBLEM),
        Mark.AUTO: {"auto_completed": True},
        Mark.REASON: {"cancel_reason": details.reason},
    }
    return columns[mark]
