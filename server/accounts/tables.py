"""Accounts, their sessions, and who blocks or follows whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.platform.columns import Entity, Table, refers_to


class Account(Entity, Table):
    """A person. Counters are kept in the transactions that change them (I10)."""

    __tablename__ = "accounts_account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(String(20), unique=True)
    display_name: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(200))
    place: Mapped[str | None] = mapped_column(String(60))
    locale: Mapped[str | None] = mapped_column(String(10))
    avatar: Mapped[dict[str, Any] | None]
    """The avatar as it goes on the wire; a photo never changes once made."""
    consents: Mapped[dict[str, Any]]
    notification_switches: Mapped[dict[str, Any]]
    manner_score: Mapped[float] = mapped_column(Float)
    review_count: Mapped[int] = mapped_column(default=0)
    sales: Mapped[int] = mapped_column(default=0)
    purchases: Mapped[int] = mapped_column(default=0)
    no_shows: Mapped[int] = mapped_column(default=0)
    suspended_until: Mapped[datetime | None]


class Session(Entity, Table):
    """A signed-in device; only the HMAC of its token is kept. Deleted means signed out."""

    __tablename__ = "accounts_session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = refers_to("accounts_account.id", index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str | None] = mapped_column(String(60))
    last_seen_at: Mapped[datetime]
    wrote_at: Mapped[datetime | None]
    """When it last changed something over HTTP; noted only where there is a replica."""


class Block(Entity, Table):
    """``account_id`` does not want to deal with ``blocked_id`` (rule 15)."""

    __tablename__ = "accounts_block"
    __table_args__ = (Index("ix_accounts_block_reverse", "blocked_id", "account_id"),)

    account_id: Mapped[UUID] = refers_to("accounts_account.id", primary_key=True)
    blocked_id: Mapped[UUID] = refers_to("accounts_account.id", primary_key=True)


class Follow(Entity, Table):
    """``account_id`` follows ``followed_id`` (rule 20)."""

    __tablename__ = "accounts_follow"
    __table_args__ = (Index("ix_accounts_follow_reverse", "followed_id", "account_id"),)

    account_id: Mapped[UUID] = refers_to("accounts_account.id", primary_key=True)
    followed_id: Mapped[UUID] = refers_to("accounts_account.id", primary_key=True)


class Export(Entity, Table):
    """The archive of everything about an account, as it was last asked for (rule 20)."""

    __tablename__ = "accounts_export"
    __table_args__ = (UniqueConstraint("object_key"),)

    account_id: Mapped[UUID] = refers_to("accounts_account.id", primary_key=True)
    object_key: Mapped[str] = mapped_column(String(200))
    """Where it is in the object store; not to be guessed."""
    requested_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]


class Ticket(Entity, Table):
    """A one-use ticket for the realtime handshake; only its HMAC is kept."""

    __tablename__ = "accounts_ticket"
    __table_args__ = (UniqueConstraint("ticket_hash"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[UUID] = refers_to("accounts_account.id")
    session_id: Mapped[UUID] = refers_to("accounts_session.id")
    expires_at: Mapped[datetime] = mapped_column(index=True)
