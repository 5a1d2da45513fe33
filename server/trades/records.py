"""The rows of this domain as plain records, the way its rules see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

PAST = "past"
"""Kept of an appointment only, which the contract calls ``accepted``: its time came, and it is no
longer the room's present one.
"""


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """A trade, with the step that brought it where it is."""

    id: UUID
    version: int
    listing_id: UUID
    chatroom_id: UUID
    seller_id: UUID
    buyer_id: UUID
    agreed_price: int
    method: str
    state: str
    due_at: datetime | None
    seller_confirmed_at: datetime | None
    buyer_confirmed_at: datetime | None
    cancel_reason: str | None
    cancel_consented_at: datetime | None
    carrier: str | None
    tracking_number: str | None
    problem_reason: str | None
    problem_by: UUID | None
    disputed_from: str | None
    auto_completed: bool
    completed_at: datetime | None
    review_until: datetime | None
    snapshot: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    last_event: str
    last_actor_id: UUID | None

    def other(self, account_id: UUID) -> UUID:
        """The other party."""
        return self.buyer_id if account_id == self.seller_id else self.seller_id


@dataclass(frozen=True, slots=True)
class TransitionRecord:
    """One step of a trade."""

    trade_id: UUID
    version: int
    event: str
    state: str
    actor_id: UUID | None
    note: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OfferRecord:
    """A price offer."""

    id: UUID
    chatroom_id: UUID
    listing_id: UUID
    seller_id: UUID
    buyer_id: UUID
    maker_id: UUID
    amount: int
    state: str
    expires_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AppointmentRecord:
    """A time and place to meet."""

    id: UUID
    chatroom_id: UUID
    seller_id: UUID
    buyer_id: UUID
    proposer_id: UUID
    at: datetime
    place: str
    state: str
    no_show_by: UUID | None
    no_show_until: datetime | None
    contested_at: datetime | None
    counted_at: datetime | None
    created_at: datetime

    def other(self, account_id: UUID) -> UUID:
        """The other party."""
        return self.buyer_id if account_id == self.seller_id else self.seller_id


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """One party's review of the other."""

    id: UUID
    trade_id: UUID
    author_id: UUID
    subject_id: UUID
    rating: int
    tags: list[str]
    comment: str
    answer: str | None
    published_at: datetime | None
    hidden_at: datetime | None
    created_at: datetime
