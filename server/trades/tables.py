"""Offers, appointments, trades, their transitions, reviews and reports."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.platform.columns import Entity, Table, refers_to

OPEN_TRADE = text("state IN ('reserved', 'shipped', 'handed_over', 'disputed')")
_PENDING = text("state = 'pending'")
_CURRENT = text("state IN ('proposed', 'accepted')")
PENDING_NO_SHOW = text("no_show_until IS NOT NULL AND contested_at IS NULL AND counted_at IS NULL")
_REPORTED = text("no_show_by IS NOT NULL")
_OPEN_REPORT = text("state = 'open'")


class Offer(Entity, Table):
    """A price offer; at most one pending in a room (rule 11)."""

    __tablename__ = "trades_offer"
    __table_args__ = (
        Index(
            "uq_trades_offer_pending",
            "chatroom_id",
            unique=True,
            postgresql_where=_PENDING,
            sqlite_where=_PENDING,
        ),
        Index("ix_trades_offer_room", "chatroom_id", "created_at"),
        Index("ix_trades_offer_listing", "listing_id", "state"),
        Index("ix_trades_offer_maker", "maker_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    chatroom_id: Mapped[UUID] = refers_to("chat_room.id")
    listing_id: Mapped[UUID] = refers_to("listings_listing.id")
    seller_id: Mapped[UUID]
    buyer_id: Mapped[UUID]
    maker_id: Mapped[UUID]
    amount: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(12))
    expires_at: Mapped[datetime]


class Appointment(Entity, Table):
    """A time and place to meet; at most one proposed or accepted in a room (rule 12)."""

    __tablename__ = "trades_appointment"
    __table_args__ = (
        Index(
            "uq_trades_appointment_current",
            "chatroom_id",
            unique=True,
            postgresql_where=_CURRENT,
            sqlite_where=_CURRENT,
        ),
        Index("ix_trades_appointment_room", "chatroom_id", "created_at"),
        Index(
            "ix_trades_appointment_pending_no_show",
            "no_show_until",
            postgresql_where=PENDING_NO_SHOW,
            sqlite_where=PENDING_NO_SHOW,
        ),
        Index(
            "ix_trades_appointment_no_show_by",
            "no_show_by",
            postgresql_where=_REPORTED,
            sqlite_where=_REPORTED,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    chatroom_id: Mapped[UUID] = refers_to("chat_room.id")
    seller_id: Mapped[UUID]
    buyer_id: Mapped[UUID]
    proposer_id: Mapped[UUID]
    at: Mapped[datetime]
    place: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(200))
    no_show_by: Mapped[UUID | None]
    """Who is reported not to have come."""
    no_show_until: Mapped[datetime | None]
    """When the report begins to count; None of one made before it could be contested."""
    contested_at: Mapped[datetime | None]
    counted_at: Mapped[datetime | None]
    """When it was added to the account's no-shows."""


class Trade(Entity, Table):
    """A trade; at most one open on a listing (I1, H1). Terminal states never change."""

    __tablename__ = "trades_trade"
    __table_args__ = (
        Index(
            "uq_trades_trade_open",
            "listing_id",
            unique=True,
            postgresql_where=OPEN_TRADE,
            sqlite_where=OPEN_TRADE,
        ),
        Index("ix_trades_trade_seller", "seller_id", "created_at", "id"),
        Index("ix_trades_trade_buyer", "buyer_id", "created_at", "id"),
        Index("ix_trades_trade_room", "chatroom_id", "created_at"),
        Index(
            "ix_trades_trade_due",
            "due_at",
            postgresql_where=OPEN_TRADE,
            sqlite_where=OPEN_TRADE,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    listing_id: Mapped[UUID] = refers_to("listings_listing.id")
    chatroom_id: Mapped[UUID] = refers_to("chat_room.id")
    seller_id: Mapped[UUID] = refers_to("accounts_account.id")
    buyer_id: Mapped[UUID] = refers_to("accounts_account.id")
    agreed_price: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12))
    due_at: Mapped[datetime | None]
    seller_confirmed_at: Mapped[datetime | None]
    buyer_confirmed_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(40))
    cancel_consented_at: Mapped[datetime | None]
    carrier: Mapped[str | None] = mapped_column(String(40))
    tracking_number: Mapped[str | None] = mapped_column(String(40))
    problem_reason: Mapped[str | None] = mapped_column(String(40))
    problem_detail: Mapped[str | None] = mapped_column(Text)
    problem_by: Mapped[UUID | None]
    disputed_from: Mapped[str | None] = mapped_column(String(12))
    auto_completed: Mapped[bool] = mapped_column(default=False)
    completed_at: Mapped[datetime | None]
    review_until: Mapped[datetime | None]
    snapshot: Mapped[dict[str, Any]]


class Transition(Table):
    """One step of a trade: one row, one system message (I6)."""

    __tablename__ = "trades_transition"
    __table_args__ = (UniqueConstraint("trade_id", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    trade_id: Mapped[UUID] = refers_to("trades_trade.id")
    version: Mapped[int]
    event: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    actor_id: Mapped[UUID | None]
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class Review(Entity, Table):
    """One party's review of the other (rule 13)."""

    __tablename__ = "trades_review"
    __table_args__ = (
        UniqueConstraint("trade_id", "author_id"),
        Index("ix_trades_review_subject", "subject_id", "published_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    trade_id: Mapped[UUID] = refers_to("trades_trade.id")
    author_id: Mapped[UUID] = refers_to("accounts_account.id")
    subject_id: Mapped[UUID] = refers_to("accounts_account.id")
    rating: Mapped[int]
    tags: Mapped[list[Any]]
    comment: Mapped[str] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]


class Report(Entity, Table):
    """A report with a snapshot of its target; one open per reporter and target (rule 15)."""

    __tablename__ = "trades_report"
    __table_args__ = (
        Index(
            "uq_trades_report_open",
            "reporter_id",
            "target_kind",
            "target_id",
            unique=True,
            postgresql_where=_OPEN_REPORT,
            sqlite_where=_OPEN_REPORT,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reporter_id: Mapped[UUID] = refers_to("accounts_account.id")
    target_kind: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(Text)
    snapshot: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(12))
