"""The columns that a card needs, and who sees what."""

from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, and_, exists

from server.listings.tables import Like, Listing
from server.platform.columns import live

CARD = (
    Listing.id,
    Listing.seller_id,
    Listing.title,
    Listing.price,
    Listing.state,
    Listing.place,
    Listing.condition,
    Listing.method,
    Listing.negotiable,
    Listing.photos[0].label("cover"),
    Listing.like_count,
    Listing.chat_count,
    Listing.bumped_at,
    Listing.hidden_at,
    Listing.removed_at,
    Listing.deleted_at,
)


def liked_by(viewer_id: UUID | BindParameter[UUID]) -> ColumnElement[bool]:
    """Whether the viewer likes the row's listing."""
    return exists().where(Like.listing_id == Listing.id, Like.account_id == viewer_id, live(Like))


def shown() -> ColumnElement[bool]:
    """The condition of every public list: not hidden, removed or deleted (rule 8)."""
    return and_(live(Listing), Listing.hidden_at.is_(None), Listing.removed_at.is_(None))


def not_of(sellers: frozenset[UUID]) -> list[Any]:
    """The condition that leaves these sellers out; none when there are none."""
    return [Listing.seller_id.not_in(sellers)] if sellers else []
