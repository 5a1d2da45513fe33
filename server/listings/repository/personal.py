"""What is one's own: likes, recently viewed listings and past searches."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, literal, select, update

from server.listings.repository.columns import CARD, liked_by, not_of, shown
from server.listings.tables import Like, Listing, Search, View
from server.platform.columns import live
from server.platform.pages import after_position
from server.platform.toggles import toggle
from server.platform.unit_of_work import UnitOfWork


async def set_like(work: UnitOfWork, listing_id: UUID, *, on: bool) -> bool:
    """Make the actor's like be there or not; whether that changed anything."""
    key = {"listing_id": listing_id, "account_id": work.actor.account_id}
    return await toggle(work, Like, key, on=on)


async def likes(work: UnitOfWork, listing_id: UUID, account_id: UUID) -> bool:
    """Whether the account likes the listing."""
    statement = select(Like.listing_id).where(
        Like.listing_id == listing_id, Like.account_id == account_id, live(Like)
    )
    return await work.first(statement) is not None


async def liker_ids(work: UnitOfWork, listing_id: UUID) -> list[UUID]:
    """Who likes the listing."""
    rows = await work.rows(select(Like.account_id).where(Like.listing_id == listing_id, live(Like)))
    return [row.account_id for row in rows]


async def liked_page(
    work: UnitOfWork, blocked: frozenset[UUID], position: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """The actor's likes that are still to be seen, newest first; sorted by ``at`` and ``id``."""
    statement = (
        select(*CARD, literal(True).label("liked"), Like.updated_at.label("at"))
        .join(Like, Like.listing_id == Listing.id)
        .where(Like.account_id == work.actor.account_id, live(Like), shown(), *not_of(blocked))
    )
    columns = (Like.updated_at, Like.listing_id)
    return await work.rows(
        after_position(statement, columns, position, descending=True).limit(limit)
    )


async def set_viewed(work: UnitOfWork, listing_id: UUID) -> None:
    """The actor reads the listing now."""
    known = await work.changed(
        update(View)
        .where(View.account_id == work.actor.account_id, View.listing_id == listing_id)
        .values(viewed_at=work.now, updated_at=work.now)
    )
    if not known:
        await work.execute(
            insert(View).values(
                account_id=work.actor.account_id,
                listing_id=listing_id,
                viewed_at=work.now,
                created_at=work.now,
                updated_at=work.now,
            )
        )


async def last_viewed(work: UnitOfWork) -> UUID | None:
    """The listing that the actor has read last."""
    found: UUID | None = await work.scalar(
        select(View.listing_id)
        .where(View.account_id == work.actor.account_id)
        .order_by(View.viewed_at.desc(), View.listing_id.desc())
        .limit(1)
    )
    return found


async def viewed_page(
    work: UnitOfWork, blocked: frozenset[UUID], position: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """What the actor has read and may still see, last first; sorted by ``at`` and ``id``."""
    me = work.actor.account_id
    statement = (
        select(*CARD, liked_by(me).label("liked"), View.viewed_at.label("at"))
        .join(View, View.listing_id == Listing.id)
        .where(View.account_id == me, shown(), *not_of(blocked))
    )
    columns = (View.viewed_at, View.listing_id)
    return await work.rows(
        after_position(statement, columns, position, descending=True).limit(limit)
    )


async def drop_old_views(work: UnitOfWork, before: datetime) -> int:
    """Forget what was last read before then; how many there were."""
    return await work.changed(delete(View).where(View.viewed_at < before))


async def search_page(
    work: UnitOfWork, position: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """The actor's past searches, last first."""
    statement = select(Search.id, Search.q, Search.searched_at).where(
        Search.account_id == work.actor.account_id, live(Search)
    )
    columns = (Search.searched_at, Search.id)
    return await work.rows(
        after_position(statement, columns, position, descending=True).limit(limit)
    )


async def latest_search(work: UnitOfWork) -> Row[Any] | None:
    """The actor's last search."""
    rows = await search_page(work, None, 1)
    return rows[0] if rows else None


async def insert_search(work: UnitOfWork, q: str) -> None:
    """A new search of the actor."""
    await work.execute(
        insert(Search).values(
            id=work.new_id(),
            account_id=work.actor.account_id,
            q=q,
            searched_at=work.now,
            created_at=work.now,
            updated_at=work.now,
        )
    )


async def set_search(work: UnitOfWork, search_id: UUID, q: str) -> None:
    """A search goes on: its text is this now."""
    await work.execute(
        update(Search)
        .where(Search.id == search_id)
        .values(q=q, searched_at=work.now, updated_at=work.now)
    )


async def remove_search(work: UnitOfWork, search_id: UUID) -> bool:
    """Forget one of the actor's searches; whether there was one."""
    return await drop_searches(work, [search_id]) == 1


async def remove_searches(work: UnitOfWork, q: str | None = None) -> int:
    """Forget all of the actor's searches, or those for ``q``; how many there were."""
    statement = delete(Search).where(Search.account_id == work.actor.account_id)
    return await work.changed(statement if q is None else statement.where(Search.q == q))


async def drop_searches(work: UnitOfWork, ids: Iterable[UUID]) -> int:
    """Forget these searches of the actor; how many there were."""
    return await work.changed(
        delete(Search).where(Search.account_id == work.actor.account_id, Search.id.in_(set(ids)))
    )
