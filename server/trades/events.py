"""What trades announce. ``text`` is the notice to the other side; None when nobody is told."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TradeChanged:
    """A trade looks different to its parties.

    ``event`` is the transition's name; ``actor_id`` is None for a timer or a moderator.
    ``only_for`` is the one party that sees a difference; a review is nobody else's yet (rule 13).
    """

    trade_id: UUID
    version: int
    listing_id: UUID
    chatroom_id: UUID
    event: str
    actor_id: UUID | None
    seller_id: UUID
    buyer_id: UUID
    text: str | None = None
    only_for: UUID | None = None

    @property
    def seen_by(self) -> tuple[UUID, ...]:
        """Who sees the difference."""
        return (self.only_for,) if self.only_for else (self.seller_id, self.buyer_id)


@dataclass(frozen=True, slots=True)
class OfferChanged:
    """An offer was made or got its final state."""

    offer_id: UUID
    listing_id: UUID
    chatroom_id: UUID
    event: str
    actor_id: UUID | None
    seller_id: UUID
    buyer_id: UUID
    text: str | None = None

    @property
    def seen_by(self) -> tuple[UUID, ...]:
        """Who sees the difference."""
        return self.seller_id, self.buyer_id


@dataclass(frozen=True, slots=True)
class AppointmentChanged:
    """An appointment was proposed or got another state."""

    appointment_id: UUID
    chatroom_id: UUID
    event: str
    actor_id: UUID | None
    seller_id: UUID
    buyer_id: UUID
    text: str | None = None

    @property
    def seen_by(self) -> tuple[UUID, ...]:
        """Who sees the difference."""
        return self.seller_id, self.buyer_id


@dataclass(frozen=True, slots=True)
class ReviewPublished:
    """A review can be seen by everybody (rule 13)."""

    review_id: UUID
    trade_id: UUID
    subject_id: UUID
    author_id: UUID


@dataclass(frozen=True, slots=True)
class ReviewAnswered:
    """The reviewed person has answered."""

    review_id: UUID
    trade_id: UUID
    subject_id: UUID
    author_id: UUID


@dataclass(frozen=True, slots=True)
class ReminderDue:
    """Somebody is to be reminded of a trade or an appointment; ``key`` is unique per reminder."""

    account_id: UUID
    event: str
    text: str
    data: dict[str, Any]
    key: str
