"""Listings, likes, views and the search documents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.platform.columns import Entity, Table, refers_to

_SHOWN = text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL")


def _page_index(name: str, *columns: str) -> Index:
    return Index(name, *columns, postgresql_where=_SHOWN, sqlite_where=_SHOWN)


class Listing(Entity, Table):
    """A thing for sale. ``state`` is moved by conditional updates only (H1)."""

    __tablename__ = "listings_listing"
    __table_args__ = (
        _page_index("ix_listings_newest", "state", "bumped_at", "id"),
        _page_index("ix_listings_any_newest", "bumped_at", "id"),
        _page_index("ix_listings_category_newest", "category", "state", "bumped_at", "id"),
        _page_index("ix_listings_price", "state", "price", "id"),
        _page_index("ix_listings_liked", "state", "like_count", "id"),
        _page_index("ix_listings_place_newest", "place", "state", "bumped_at", "id"),
        Index("ix_listings_seller", "seller_id", "bumped_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seller_id: Mapped[UUID] = refers_to("accounts_account.id")
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(60))
    description: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(String(40))
    condition: Mapped[str | None] = mapped_column(String(20))
    price: Mapped[int | None] = mapped_column(BigInteger)
    negotiable: Mapped[bool]
    method: Mapped[str] = mapped_column(String(10))
    place: Mapped[str | None] = mapped_column(String(60))
    photos: Mapped[list[Any]]
    """The photos as they go on the wire, cover first; a copy of what ``media`` holds."""
    like_count: Mapped[int] = mapped_column(default=0)
    chat_count: Mapped[int] = mapped_column(default=0)
    lowest_announced_price: Mapped[int | None] = mapped_column(BigInteger)
    price_announced_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    bumped_at: Mapped[datetime]
    bump_count: Mapped[int] = mapped_column(default=0)
    hidden_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    sold_elsewhere_at: Mapped[datetime | None]
    search_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("listings_search_document.id"), unique=True
    )
    """Its search document; only what is published and not deleted has one."""


class Like(Entity, Table):
    """An account likes a listing; deleted means it no longer does (rule 9)."""

    __tablename__ = "listings_like"
    __table_args__ = (Index("ix_listings_like_page", "account_id", "updated_at", "listing_id"),)

    listing_id: Mapped[UUID] = refers_to("listings_listing.id", primary_key=True)
    account_id: Mapped[UUID] = refers_to("accounts_account.id", primary_key=True)


class View(Entity, Table):
    """An account has read a listing; ``viewed_at`` is the last time."""

    __tablename__ = "listings_view"
    __table_args__ = (Index("ix_listings_view_page", "account_id", "viewed_at", "listing_id"),)

    account_id: Mapped[UUID] = refers_to("accounts_account.id", primary_key=True)
    listing_id: Mapped[UUID] = refers_to("listings_listing.id", primary_key=True)
    viewed_at: Mapped[datetime]


class Search(Entity, Table):
    """A search an account has made, for its history."""

    __tablename__ = "listings_search"
    __table_args__ = (Index("ix_listings_search_page", "account_id", "searched_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = refers_to("accounts_account.id")
    q: Mapped[str] = mapped_column(String(100))
    searched_at: Mapped[datetime]


class SearchDocument(Table):
    """The terms of a listing. The migration adds an FTS5 table on SQLite that follows this one by
    triggers, and generated ``tsvector`` columns with GIN indexes on PostgreSQL.

    Ids rise with ``bumped_at`` (they are its microseconds, or the next free number), so that the
    newest matches of a frequent word are found without looking at all of them.
    """

    __tablename__ = "listings_search_document"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    title_terms: Mapped[str] = mapped_column(Text)
    all_terms: Mapped[str] = mapped_column(Text)
