"""Chatrooms, their members and their messages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.platform.columns import Entity, Table, refers_to


class Room(Entity, Table):
    """A chatroom per listing and buyer (rule 6). ``last_seq`` is moved by row-locked UPDATEs."""

    __tablename__ = "chat_room"
    __table_args__ = (UniqueConstraint("listing_id", "buyer_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    listing_id: Mapped[UUID] = refers_to("listings_listing.id")
    seller_id: Mapped[UUID] = refers_to("accounts_account.id", index=True)
    buyer_id: Mapped[UUID] = refers_to("accounts_account.id", index=True)
    state: Mapped[str] = mapped_column(String(10))
    blocked: Mapped[bool]
    """Whether one of the two blocks the other; moves with the block (rule 15)."""
    last_seq: Mapped[int] = mapped_column(BigInteger)
    """Also names the last message."""
    indexed_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    """Messages up to this one are in the search index; those after it will be."""
    asked_at: Mapped[datetime | None]
    """When the buyer first wrote."""
    answered_at: Mapped[datetime | None]
    """When the seller first wrote after that (rule 20)."""
    active_at: Mapped[datetime]


class Member(Entity, Table):
    """One side of a room: how far it has read, and what it has not (I10)."""

    __tablename__ = "chat_member"
    __table_args__ = (Index("ix_chat_member_page", "account_id", "active_at", "room_id"),)

    room_id: Mapped[UUID] = refers_to("chat_room.id", primary_key=True)
    account_id: Mapped[UUID] = refers_to("accounts_account.id", primary_key=True)
    read_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    receipt_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    """How far the other side was told that this one has read (rule 7)."""
    unread: Mapped[int] = mapped_column(default=0)
    muted: Mapped[bool] = mapped_column(default=False)
    left_at: Mapped[datetime | None]
    cleared_before_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    """Messages before this one are hidden from who left (rule 15)."""
    active_at: Mapped[datetime]
    """The room's, copied: the key of the member's room list."""


class Message(Entity, Table):
    """A message; ``seq`` is 1..n without a hole (I8). Deleted is a tombstone that keeps its text
    for moderators.
    """

    __tablename__ = "chat_message"
    __table_args__ = (
        UniqueConstraint("id"),
        UniqueConstraint("sender_id", "cid"),
    )

    room_id: Mapped[UUID] = refers_to("chat_room.id", primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[UUID]
    cid: Mapped[UUID | None]
    sender_id: Mapped[UUID | None]
    actor_id: Mapped[UUID | None]
    """Who sent or caused it; None for a timer. Unread counts leave out one's own."""
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    photos: Mapped[list[Any]]
    """The photos as they go on the wire; a copy of what ``media`` holds."""
    system: Mapped[dict[str, Any] | None]
    warning: Mapped[str | None] = mapped_column(String(40))
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of what was sent under the ``cid``, to tell a resend from a conflict."""


class SearchDocument(Table):
    """A message that search finds by its words. The migration adds an FTS5 table on SQLite, whose
    rows have the same ids, and a ``tsvector`` column with a GIN index on PostgreSQL.

    Ids rise with the messages' ``created_at`` (they are its microseconds with room for 1,024
    messages each, or the next free number), so that the newest matches of a frequent word are
    found without looking at all of them.
    """

    __tablename__ = "chat_search_document"
    __table_args__ = (
        UniqueConstraint("room_id", "seq"),
        ForeignKeyConstraint(["room_id", "seq"], ["chat_message.room_id", "chat_message.seq"]),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    room_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
