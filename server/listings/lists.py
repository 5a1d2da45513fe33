"""Lists of listings: the market's pages, and one's own likes, views and searches (rule 8)."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from server.accounts import api as accounts
from server.listings import repository
from server.listings.rules import check_category
from server.listings.views import card
from server.platform.analyser import parse_query
from server.platform.errors import Conflict, Invalid, NotFound
from server.platform.pages import read_page
from server.platform.unit_of_work import UnitOfWork, transact
from shared_models.base import Page
from shared_models.listings import ListingCard, ListingFilter, PastSearch

SEARCHES_KEPT = 50
_STILL_TYPING = timedelta(seconds=30)

Load = Callable[[UnitOfWork, frozenset[UUID], Sequence[Any] | None, int], Awaitable[Sequence[Any]]]


async def search(
    opened: AbstractAsyncContextManager[UnitOfWork],
    wanted: ListingFilter,
    limit: int,
    cursor: str | None,
) -> Page[ListingCard]:
    """A page of what is for sale; the first page of a text search is noted in the history."""
    async with opened as work:
        found = await page(work, wanted, limit, cursor)
    if wanted.q and cursor is None:
        q = wanted.q
        with suppress(Conflict):  # somebody else's race is no reason to withhold the page
            await transact(work.context, work.actor, lambda work: remember_search(work, q))
    return found


async def page(
    work: UnitOfWork, wanted: ListingFilter, limit: int, cursor: str | None
) -> Page[ListingCard]:
    """A page of what is for sale. Nobody sees listings of somebody they are blocked with."""
    check_category(wanted.category)
    _check_price_range(wanted)
    me = work.actor.account_id
    query = parse_query(wanted.q or "")
    found, next_cursor = await read_page(
        partial(
            repository.page,
            work,
            wanted,
            query if query.required or query.excluded else None,
            me,
            await accounts.blocked_with(work, me),
        ),
        limit,
        cursor,
        secret=work.context.secret,
        scope=f"listings:{wanted.model_dump_json()}",
        key=lambda one: one.key,
    )
    items = [card(one.row, me) for one in found]
    return Page[ListingCard](items=items, next_cursor=next_cursor)


async def page_of_account(
    work: UnitOfWork, wanted: ListingFilter, limit: int, cursor: str | None
) -> Page[ListingCard]:
    """What an account offers and has sold; 404 when there never was such an account."""
    assert wanted.seller is not None
    await accounts.standing(work, wanted.seller)
    return await page(work, wanted, limit, cursor)


async def likes_page(work: UnitOfWork, limit: int, cursor: str | None) -> Page[ListingCard]:
    """What one likes and may still see, last liked first."""
    return await _own_page(work, "likes", repository.liked_page, limit, cursor)


async def viewed_page(work: UnitOfWork, limit: int, cursor: str | None) -> Page[ListingCard]:
    """What one has read and may still see, last read first."""
    return await _own_page(work, "recently-viewed", repository.viewed_page, limit, cursor)


async def searches_page(work: UnitOfWork, limit: int, cursor: str | None) -> Page[PastSearch]:
    """What one has searched for, last first."""
    rows, next_cursor = await read_page(
        partial(repository.search_page, work),
        limit,
        cursor,
        secret=work.context.secret,
        scope="searches",
        key=lambda row: (row.searched_at, row.id),
    )
    items = [PastSearch(id=row.id, q=row.q, searched_at=row.searched_at) for row in rows]
    return Page[PastSearch](items=items, next_cursor=next_cursor)


async def forget_search(work: UnitOfWork, search_id: UUID) -> None:
    """Take one search out of the history."""
    if not await repository.remove_search(work, search_id):
        raise NotFound("search")


async def forget_searches(work: UnitOfWork) -> None:
    """Empty the history."""
    await repository.remove_searches(work)


async def remember_search(work: UnitOfWork, q: str) -> None:
    """Note a search, once: what was typed on the way to it is forgotten, as are repeats.

    At most the last 50 are kept.
    """
    last = await repository.latest_search(work)
    if last is not None and work.now - last.searched_at <= _STILL_TYPING:
        if last.q.startswith(q):
            return
        if q.startswith(last.q):
            await repository.remove_searches(work, q)
            await repository.set_search(work, last.id, q)
            return
    await repository.remove_searches(work, q)
    await repository.insert_search(work, q)
    rows = await repository.search_page(work, None, SEARCHES_KEPT * 2)
    await repository.drop_searches(work, [row.id for row in rows[SEARCHES_KEPT:]])


def _check_price_range(wanted: ListingFilter) -> None:
    low, high = wanted.min_price, wanted.max_price
    if low is not None and high is not None and low > high:
        raise Invalid.field("min_price", "range_empty", "The lowest price is above the highest.")


async def _own_page(
    work: UnitOfWork, scope: str, load: Load, limit: int, cursor: str | None
) -> Page[ListingCard]:
    me = work.actor.account_id
    rows, next_cursor = await read_page(
        partial(load, work, await accounts.blocked_with(work, me)),
        limit,
        cursor,
        secret=work.context.secret,
        scope=scope,
        key=lambda row: (row.at, row.id),
    )
    items = [card(row, me) for row in rows]
    return Page[ListingCard](items=items, next_cursor=next_cursor)
