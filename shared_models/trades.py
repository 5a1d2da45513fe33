"""Offers, appointments, trades and reviews."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared_models import bounds
from shared_models.accounts import ProfileCard
from shared_models.base import Body, Id, Money, Time, Wire
from shared_models.listings import Price
from shared_models.media import Photo
from shared_models.text import Block, Line


class OfferState(StrEnum):
    """Rule 11."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    COUNTERED = "countered"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Offer(Wire):
    """A price offer, as one party of its room sees it."""

    id: Id
    chatroom_id: Id
    listing_id: Id
    maker_id: Id
    amount: Money
    state: OfferState
    expires_at: Time
    created_at: Time
    allowed_actions: list[str]


class OfferCreate(Body):
    """``POST /v1/chatrooms/{id}/offers`` and ``/v1/offers/{id}/counter``."""

    amount: Price


class OfferAccept(Body):
    """``POST /v1/offers/{id}/accept``; may be left out altogether.

    Without ``method`` it goes by the listing's: in person unless the listing is for post only.
    """

    method: Literal["meet", "post"] | None = None


class AppointmentState(StrEnum):
    """Rule 12."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REPLACED = "replaced"
    CANCELED = "canceled"
    DROPPED = "dropped"


class Appointment(Wire):
    """A time and place to meet, as one party of its room sees it."""

    id: Id
    chatroom_id: Id
    proposer_id: Id
    at: Time
    place: str
    state: AppointmentState
    no_show_by: Id | None = None
    """Who is reported not to have come."""
    no_show_until: Time | None = None
    """Until when that may be contested; from then on it counts, unless it was."""
    no_show_contested_at: Time | None = None
    no_show_upheld: bool = False
    """It counts: the time is over, and nobody has contested it."""
    created_at: Time
    allowed_actions: list[str]


class AppointmentCreate(Body):
    """``POST /v1/chatrooms/{id}/appointments``. ``reason`` when changing one within the hour."""

    at: Time
    place: Annotated[str, Line(bounds.PLACE_MAX, least=1)]
    reason: Annotated[str, Line(bounds.APPOINTMENT_REASON_MAX)] | None = None


class TradeState(StrEnum):
    """Section 2 of the market's rules."""

    RESERVED = "reserved"
    SHIPPED = "shipped"
    HANDED_OVER = "handed_over"
    DISPUTED = "disputed"
    COMPLETED = "completed"
    CANCELED = "canceled"


OPEN_TRADE_STATES = (
    TradeState.RESERVED,
    TradeState.SHIPPED,
    TradeState.HANDED_OVER,
    TradeState.DISPUTED,
)


class TimelineEntry(Wire):
    """One transition of a trade; ``actor_id`` is None for a timer or a moderator."""

    event: str
    state: TradeState
    actor_id: Id | None
    note: str | None = None
    at: Time


class ListingSnapshot(Wire):
    """The listing as it was when it was reserved (H7)."""

    listing_id: Id
    title: str
    description: str
    condition: str | None
    price: Money
    cover: Photo | None


class Review(Wire):
    """A review; the other party's is None until both exist or the window is over (rule 13)."""

    id: Id
    trade_id: Id
    author: ProfileCard
    subject_id: Id
    rating: int
    tags: list[str]
    comment: str
    answer: str | None
    published: bool
    created_at: Time


class Trade(Wire):
    """A trade, as one party sees it."""

    id: Id
    version: int
    listing_id: Id
    chatroom_id: Id
    seller: ProfileCard
    buyer: ProfileCard
    role: Literal["seller", "buyer"]
    agreed_price: Money
    method: Literal["meet", "post"]
    state: TradeState
    due_at: Time | None
    """When the next timer runs."""
    seller_confirmed_at: Time | None
    buyer_confirmed_at: Time | None
    cancel_reason: str | None
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    problem_reason: str | None
    problem_by: Id | None
    auto_completed: bool
    snapshot: ListingSnapshot
    timeline: list[TimelineEntry]
    my_review: Review | None
    other_review: Review | None
    review_until: Time | None
    """Until when the viewer may review; of a canceled trade, whom the other side did not meet."""
    created_at: Time
    updated_at: Time
    allowed_actions: list[str]


class TradeCreate(Body):
    """``POST /v1/trades``: the seller reserves (T3)."""

    chatroom_id: Id
    expected_price: Price
    method: Literal["meet", "post"] = "meet"


Version = Annotated[int, Field(strict=True, ge=1, le=2**31)]


class TradeAction(Body):
    """``confirm``, ``undo``, ``withdraw-problem`` and ``consent-cancel``."""

    expected_version: Version


class TradeCancel(TradeAction):
    """``cancel``; ``reason`` is one of the market's cancel reasons."""

    reason: Annotated[str, StringConstraints(max_length=40)]


TrackingNumber = Annotated[
    str,
    StringConstraints(
        pattern=rf"^[A-Za-z0-9]{{{bounds.TRACKING_NUMBER_MIN},{bounds.TRACKING_NUMBER_MAX}}}$"
    ),
]


class TradeShip(TradeAction):
    """``ship`` (P1)."""

    carrier: Annotated[str, StringConstraints(max_length=40)]
    tracking_number: TrackingNumber


class TradeProblem(TradeAction):
    """``problem`` (T11, P4)."""

    reason: Annotated[str, StringConstraints(max_length=40)]
    detail: Annotated[str, Block(bounds.PROBLEM_DETAIL_MAX, least=1)]


class ReviewCreate(Body):
    """``POST /v1/trades/{id}/review`` (rule 13).

    Of a canceled trade only rating 1, the tag ``no_show`` and no comment.
    """

    rating: Annotated[int, Field(strict=True, ge=1, le=5)]
    tags: Annotated[list[str], Field(max_length=bounds.REVIEW_TAGS_MAX)] = []
    comment: Annotated[str, Block(bounds.REVIEW_MAX)] = ""


class ReviewAnswer(Body):
    """``POST /v1/reviews/{id}/answer``, once."""

    text: Annotated[str, Block(bounds.REVIEW_ANSWER_MAX, least=1)]


class ReportCreate(Body):
    """``POST /v1/reports`` (rule 15)."""

    target_kind: Literal["account", "listing", "message", "post"]
    target_id: Id
    reason: Annotated[str, StringConstraints(max_length=40)]
    detail: Annotated[str, Block(bounds.REPORT_DETAIL_MAX)] = ""


class Report(Wire):
    """A report as its reporter sees it."""

    id: Id
    target_kind: str
    target_id: Id
    reason: str
    state: str
    created_at: Time
