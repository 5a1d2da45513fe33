"""Everything that listings keep about an account, for its archive."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from server.listings.tables import Like, Listing, Search, View
from server.platform.columns import live
from server.platform.unit_of_work import UnitOfWork

_OWN = (
    *(Listing.id, Listing.version, Listing.state, Listing.title, Listing.description),
    *(Listing.category, Listing.condition, Listing.price, Listing.negotiable, Listing.method),
    *(Listing.place, Listing.photos, Listing.like_count, Listing.chat_count, Listing.bump_count),
    *(Listing.published_at, Listing.bumped_at, Listing.hidden_at, Listing.removed_at),
    *(Listing.sold_elsewhere_at, Listing.created_at, Listing.updated_at, Listing.deleted_at),
)


async def all_of_seller(work: UnitOfWork, seller_id: UUID) -> Sequence[Row[Any]]:
    """Every listing of the account, also drafts and deleted ones."""
    return await work.rows(
        select(*_OWN).where(Listing.seller_id == seller_id).order_by(Listing.created_at, Listing.id)
    )


async def all_likes(work: UnitOfWork, account_id: UUID) -> Sequence[Row[Any]]:
    """What the account likes, by title, and since when."""
    return await work.rows(
        select(Like.listing_id, Listing.title, Like.updated_at.label("since"))
        .join(Listing, Listing.id == Like.listing_id)
        .where(Like.account_id == account_id, live(Like))
        .order_by(Like.updated_at, Like.listing_id)
    )


async def all_views(work: UnitOfWork, account_id: UUID) -> Sequence[Row[Any]]:
    """What the account has looked at, by title, and when last."""
    return await work.rows(
        select(View.listing_id, Listing.title, View.viewed_at)
        .join(Listing, Listing.id == View.listing_id)
        .where(View.account_id == account_id)
        .order_by(View.viewed_at, View.listing_id)
    )


async def all_searches(work: UnitOfWork, account_id: UUID) -> Sequence[Row[Any]]:
    """What the account has searched for."""
    return await work.rows(
        select(Search.id, Search.q, Search.searched_at)
        .where(Search.account_id == account_id)
        .order_by(Search.searched_at, Search.id)
    )
