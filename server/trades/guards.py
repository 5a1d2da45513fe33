"""Who may act on a trade and when: the guards of the transitions in ``machine``. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from server.trades.records import TradeRecord
from shared_models.market import Limits
from shared_models.trades import TradeState


class Role(StrEnum):
    """Who may take a transition."""

    SELLER = "seller"
    BUYER = "buyer"
    SYSTEM = "system"
    MODERATOR = "moderator"


@dataclass(frozen=True, slots=True)
class Details:
    """What the caller gave with the action; ``note`` goes into the timeline."""

    reason: str | None = None
    note: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """An attempt at an action: by whom and when; ``blocked`` if one party blocks the other."""

    role: Role
    actor_id: UUID | None
    now: datetime
    limits: Limits
    details: Details = field(default_factory=Details)
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Denial:
    """Why an action is not possible: 403 when it never is for this person, else 409."""

    code: str
    detail: str
    forbidden: bool = False


class Denied(Exception):
    """The action is not possible now."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.code)
        self.denial = denial


def role_of(trade: TradeRecord, account_id: UUID) -> Role | None:
    """Which party the account is; None for a stranger."""
    if account_id == trade.seller_id:
        return Role.SELLER
    return Role.BUYER if account_id == trade.buyer_id else None


def confirmed_at(trade: TradeRecord, role: Role) -> datetime | None:
    """When this party confirmed."""
    return trade.seller_confirmed_at if role is Role.SELLER else trade.buyer_confirmed_at


Guard = Callable[[TradeRecord, Step], Denial | None]


def always(_trade: TradeRecord, _step: Step) -> Denial | None:
    """No guard."""
    return None


def by_meeting(trade: TradeRecord, _step: Step) -> Denial | None:
    """A parcel is confirmed after it was sent (2.7)."""
    if trade.method == "meet":
        return None
    return Denial("not_shipped", "It goes by post: the seller ships it first.")


def by_post(trade: TradeRecord, _step: Step) -> Denial | None:
    """Only what goes by post can be shipped (2.7)."""
    if trade.method == "post":
        return None
    return Denial("not_by_post", "This trade is handed over in person.")


def not_confirmed_by_me(trade: TradeRecord, step: Step) -> Denial | None:
    """The second confirmation is the other side's (T8)."""
    if confirmed_at(trade, step.role) is None:
        return None
    return Denial("already_confirmed", "You have confirmed already.")


def undo_in_time(trade: TradeRecord, step: Step) -> Denial | None:
    """By who confirmed, within 30 minutes (T10); a block would have canceled what it leads to."""
    confirmed = confirmed_at(trade, step.role)
    if confirmed is None:
        return Denial("not_your_confirmation", "The other side confirmed, not you.", forbidden=True)
    if step.blocked:
        return Denial("blocked", "You and this person do not deal with each other.", forbidden=True)
    if step.now <= confirmed + timedelta(minutes=step.limits.undo_minutes):
        return None
    return Denial("too_late", f"Undo works for {step.limits.undo_minutes} minutes.")


def _reported_from(trade: TradeRecord, step: Step, state: TradeState) -> Denial | None:
    if trade.problem_by != step.actor_id:
        return Denial("not_your_problem_report", "The other side reported it.", forbidden=True)
    if trade.disputed_from == state:
        return None
    return Denial("wrong_state", "The problem was reported from another state.")


def reported_after_handover(trade: TradeRecord, step: Step) -> Denial | None:
    """By who reported the problem of a meeting (T12)."""
    return _reported_from(trade, step, TradeState.HANDED_OVER)


def reported_after_shipping(trade: TradeRecord, step: Step) -> Denial | None:
    """By who reported the problem of a parcel (P4)."""
    return _reported_from(trade, step, TradeState.SHIPPED)


def buyer_consents(trade: TradeRecord, _step: Step) -> Denial | None:
    """What is under way is only called back with the buyer's consent (P5)."""
    if trade.cancel_consented_at is not None:
        return None
    return Denial("consent_needed", "It is under way: the buyer has to consent first.")


def no_consent_yet(trade: TradeRecord, _step: Step) -> Denial | None:
    """Consent is given once (P5)."""
    if trade.cancel_consented_at is None:
        return None
    return Denial("already_consented", "You have consented already.")


def due(trade: TradeRecord, step: Step) -> Denial | None:
    """The timer has run out (H5)."""
    if trade.due_at is not None and trade.due_at <= step.now:
        return None
    return Denial("not_due", "The timer has not run out.")
