"""The readable lines of system messages and notices; clients may render the event themselves."""

from server.trades.guards import Role
from server.trades.machine import Transition
from server.trades.records import TradeRecord
from shared_models.market import CANCEL_REASONS, CARRIERS, PROBLEM_REASONS

_CARRIERS = {carrier.id: carrier.name for carrier in CARRIERS}
_REASONS = {reason.id: reason.name for reason in (*CANCEL_REASONS, *PROBLEM_REASONS)}
_CLOSING = {
    "blocked": "Canceled. The two of you no longer deal with each other.",
    "moderation": "Canceled by a moderator.",
}
_LINES = {
    "completed": "Confirmed: the trade is complete. Reviews are open.",
    "auto_completed": "Nobody objected in time: the trade is complete. Reviews are open.",
    "undone": "The confirmation was taken back. It is reserved again.",
    "problem_withdrawn": "The problem report was withdrawn. The trade goes on.",
    "cancel_consented": "The buyer consents to canceling. The seller may cancel now.",
    "expired": "The reservation has run out. The listing is on sale again.",
    "unresolved": "Nobody could resolve the problem: the trade is canceled.",
    "resolved_completed": "A moderator has resolved the problem: the trade is complete.",
    "resolved_canceled": "A moderator has resolved the problem: the trade is canceled.",
}


def reserved(price: int) -> str:
    """T3 and T4."""
    return f"Reserved for {price:,}."


def of_transition(edge: Transition, trade: TradeRecord, role: Role) -> str:
    """What a transition says in the room; ``trade`` is how it is afterwards."""
    if edge.event == "canceled":
        reason = trade.cancel_reason or ""
        return _CLOSING.get(reason) or f"Canceled by the {role}: {_REASONS[reason].lower()}."
    if edge.event == "handed_over":
        done = "handed it over" if role is Role.SELLER else "received it"
        return f"The {role} says: {done}. Please confirm; otherwise it completes by itself."
    if edge.event == "shipped":
        carrier = _CARRIERS[trade.carrier or ""]
        return f"Shipped with {carrier}, {trade.tracking_number}. Please confirm on arrival."
    if edge.event == "problem_reported":
        reason = _REASONS[trade.problem_reason or ""].lower()
        return f"The {role} reports a problem: {reason}. Nothing completes by itself now."
    return _LINES[edge.event]


def offered(amount: int, *, counter: bool) -> str:
    """T2."""
    return f"{'Counter-offer' if counter else 'Offer'}: {amount:,}."


OFFER_OVER = "The offer no longer stands."
OFFER_LINES = {
    "declined": "The offer was declined.",
    "withdrawn": "The offer was withdrawn.",
    "expired": "The offer has expired.",
    "superseded": "The offer no longer stands: the listing has changed.",
}
