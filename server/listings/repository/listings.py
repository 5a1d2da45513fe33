"""The rows of listings: found, changed, and moved by conditional updates (H1)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, func, insert, literal, select, update

from server.listings.repository.columns import CARD, liked_by
from server.listings.tables import Like, Listing
from server.platform.columns import live
from server.platform.unit_of_work import UnitOfWork

_ALL = (
    *CARD,
    Listing.photos,
    Listing.version,
    Listing.description,
    Listing.category,
    Listing.lowest_announced_price,
    Listing.price_announced_at,
    Listing.published_at,
    Listing.search_id,
    Listing.sold_elsewhere_at,
    Listing.created_at,
    Listing.updated_at,
)
_IDS: Any = bindparam("ids", expanding=True)
_FIND = select(*_ALL).where(Listing.id == bindparam("id"))
_FIND_ALL = select(*_ALL).where(Listing.id.in_(_IDS))
_LIKER = and_(
    Like.listing_id == Listing.id,
    Like.account_id.in_(bindparam("viewers", expanding=True)),
    live(Like),
)
_CARDS_AND_LIKERS = (
    select(*CARD, literal(False).label("liked"), Like.account_id.label("liker_id"))
    .outerjoin(Like, _LIKER)
    .where(Listing.id.in_(_IDS))
)


async def lock(work: UnitOfWork, listing_id: UUID) -> bool:
    """Hold the row until the commit; whether there is one, deleted or not."""
    statement = select(Listing.id).where(Listing.id == listing_id)
    return await work.first(statement.with_for_update(key_share=True)) is not None


async def find(work: UnitOfWork, listing_id: UUID) -> Row[Any] | None:
    """A listing in full, deleted or not; who may see it is the caller's question."""
    return await work.first(_FIND, {"id": listing_id})


async def find_all(work: UnitOfWork, ids: Iterable[UUID]) -> Sequence[Row[Any]]:
    """The same for many."""
    return await work.rows(_FIND_ALL, {"ids": list(set(ids))})


async def cards(work: UnitOfWork, ids: Iterable[UUID], viewer_id: UUID) -> Sequence[Row[Any]]:
    """The card columns of these listings, deleted or not."""
    liked = liked_by(viewer_id).label("liked")
    return await work.rows(select(*CARD, liked).where(Listing.id.in_(set(ids))))


async def cards_and_likers(
    work: UnitOfWork, ids: Iterable[UUID], viewer_ids: Iterable[UUID]
) -> Sequence[Row[Any]]:
    """The card columns of these listings, once for each of the viewers who likes them, and once
    without a ``liker_id`` where nobody of them does.
    """
    wanted = {"ids": list(set(ids)), "viewers": list(set(viewer_ids))}
    return await work.rows(_CARDS_AND_LIKERS, wanted)


async def insert_listing(work: UnitOfWork, values: dict[str, Any]) -> None:
    """A new listing."""
    await work.execute(
        insert(Listing).values(version=1, created_at=work.now, updated_at=work.now, **values)
    )


async def change(work: UnitOfWork, listing_id: UUID, version: int, values: dict[str, Any]) -> bool:
    """Set columns and bump the version, if it still was ``version``."""
    hit = await work.changed(
        update(Listing)
        .where(Listing.id == listing_id, Listing.version == version)
        .values(version=version + 1, updated_at=work.now, **values)
    )
    return hit == 1


async def reserve(work: UnitOfWork, listing_id: UUID, expected_price: int) -> bool:
    """The compare-and-set of H1."""
    return await _move(
        work,
        listing_id,
        {"state": "reserved"},
        Listing.state == "selling",
        Listing.price == expected_price,
        Listing.removed_at.is_(None),
        live(Listing),
    )


async def release(work: UnitOfWork, listing_id: UUID, *, hide: bool) -> bool:
    """From reserved back to selling."""
    values: dict[str, Any] = {"state": "selling"}
    if hide:
        values["hidden_at"] = work.now
    return await _move(work, listing_id, values, Listing.state == "reserved")


async def mark_sold(work: UnitOfWork, listing_id: UUID) -> bool:
    """From reserved to sold."""
    return await _move(work, listing_id, {"state": "sold"}, Listing.state == "reserved")


async def add_chat(work: UnitOfWork, listing_id: UUID) -> None:
    """One more chatroom."""
    await _add(work, listing_id, {"chat_count": Listing.chat_count + 1})


async def add_likes(work: UnitOfWork, listing_id: UUID, step: int) -> None:
    """One more or one less like."""
    await _add(work, listing_id, {"like_count": Listing.like_count + step})


async def drafts_count(work: UnitOfWork, seller_id: UUID) -> int:
    """How many drafts a seller keeps."""
    return await _count(work, seller_id, Listing.state == "draft")


async def live_count(work: UnitOfWork, seller_id: UUID) -> int:
    """How many listings of a seller are selling or reserved."""
    return await _count(work, seller_id, Listing.state.in_(("selling", "reserved")))


async def publish_times(
    work: UnitOfWork, seller_id: UUID, since: datetime, most: int
) -> list[datetime]:
    """When the seller's newest listings since then were published, deleted ones too."""
    rows = await work.rows(
        select(Listing.published_at)
        .where(Listing.seller_id == seller_id, Listing.published_at > since)
        .order_by(Listing.published_at.desc())
        .limit(most)
    )
    return [row.published_at for row in rows]


async def ids_of_seller(work: UnitOfWork, seller_id: UUID) -> list[UUID]:
    """The seller's listings that are not deleted."""
    rows = await work.rows(
        select(Listing.id).where(Listing.seller_id == seller_id, live(Listing)).order_by(Listing.id)
    )
    return [row.id for row in rows]


async def idle_drafts(work: UnitOfWork, before: datetime, most: int) -> list[UUID]:
    """Drafts that nobody has touched since, in the order in which they are locked."""
    rows = await work.rows(
        select(Listing.id)
        .where(Listing.state == "draft", Listing.updated_at < before, live(Listing))
        .order_by(Listing.id)
        .limit(most)
    )
    return [row.id for row in rows]


async def _move(
    work: UnitOfWork, listing_id: UUID, values: dict[str, Any], *conditions: Any
) -> bool:
    hit = await work.changed(
        update(Listing)
        .where(Listing.id == listing_id, *conditions)
        .values(version=Listing.version + 1, updated_at=work.now, **values)
    )
    return hit == 1


async def _add(work: UnitOfWork, listing_id: UUID, values: dict[str, Any]) -> None:
    await work.execute(update(Listing).where(Listing.id == listing_id).values(**values))


async def _count(work: UnitOfWork, seller_id: UUID, condition: Any) -> int:
    count: int = await work.scalar(
        select(func.count()).where(Listing.seller_id == seller_id, condition, live(Listing))
    )
    return count
