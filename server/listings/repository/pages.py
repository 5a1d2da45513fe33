"""Pages of listings: every filter and order of rule 8, by row values."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Subquery, literal, select, union_all

from server.listings.repository.columns import CARD, liked_by, not_of, shown
from server.listings.repository.search import TextMatch
from server.listings.tables import Listing
from server.platform.analyser import TextQuery
from server.platform.database import live
from server.platform.pages import SortColumn, after_position
from server.platform.unit_of_work import UnitOfWork
from shared_models.listings import ListingFilter, ListingState, Sort

Statement = Select[*tuple[Any, ...]]
Position = Sequence[Any] | None

_PUBLIC_STATES = (ListingState.SELLING, ListingState.RESERVED, ListingState.SOLD)
_IN_TITLE, _ELSEWHERE = 1, 0


async def page(
    work: UnitOfWork,
    wanted: ListingFilter,
    text: TextQuery | None,
    *,
    viewer_id: UUID,
    blocked: frozenset[UUID],
    position: Position,
    limit: int,
) -> tuple[Sequence[Row[Any]], list[tuple[Any, ...]]]:
    """Rows of card columns in the wanted order, and the sort key of each.

    The keys are chosen first, so that only the rows of the page are read in full.
    """
    conditions = [*_conditions(wanted, viewer_id), *not_of(blocked)]
    match = None if text is None else TextMatch(text, sqlite=work.is_sqlite)
    if match is not None and match.has_words and wanted.sort is Sort.RELEVANCE:
        chosen = _most_relevant(match, conditions, position, limit)
    else:
        chosen = _in_order(wanted.sort, match, conditions, position, limit)
    keys = [column for column in chosen.c if column.name.startswith("key")]
    descending = wanted.sort is not Sort.PRICE_ASC
    rows = await work.rows(
        select(*CARD, liked_by(viewer_id).label("liked"), *keys)
        .join(chosen, chosen.c.listing_id == Listing.id)
        .order_by(*(key.desc() if descending else key.asc() for key in keys))
    )
    return rows, [tuple(getattr(row, key.name) for key in keys) for row in rows]


def _in_order(
    sort: Sort,
    match: TextMatch | None,
    conditions: list[ColumnElement[bool]],
    position: Position,
    limit: int,
) -> Subquery:
    order = _order(sort, match)
    statement = _keys(order, match).where(*conditions)
    if match is not None:
        statement = statement.where(match.condition())
    descending = sort is not Sort.PRICE_ASC
    return after_position(statement, order, position, descending=descending).limit(limit).subquery()


def _most_relevant(
    match: TextMatch, conditions: list[ColumnElement[bool]], position: Position, limit: int
) -> Subquery:
    """First those with all words in the title, then the others; newest first in both.

    Each half is read along the index and stops by itself; an expression to sort by would need
    all matches.
    """
    rank, place = position or (_IN_TITLE, None)
    halves = []
    for half in range(rank, _ELSEWHERE - 1, -1):
        found = match.condition(in_title=half == _IN_TITLE)
        keys = select(literal(half).label("key_rank"), *_labelled([match.place]), _ID)
        statement = keys.select_from(match.source()).where(found, *conditions)
        after = None if place is None or half != rank else [place]
        statement = after_position(statement, [match.place], after, descending=True)
        halves.append(select(statement.limit(limit).subquery()))
    both = union_all(*halves).subquery()
    ordered = select(both).order_by(both.c.key_rank.desc(), both.c.key_0.desc())
    return ordered.limit(limit).subquery()


_ID = Listing.id.label("listing_id")


def _keys(order: Sequence[SortColumn], match: TextMatch | None) -> Statement:
    keys: Statement = select(*_labelled(order), _ID)
    return keys if match is None else keys.select_from(match.source())


def _labelled(order: Sequence[SortColumn]) -> list[Any]:
    return [by.label(f"key_{number}") for number, by in enumerate(order)]


def _order(sort: Sort, match: TextMatch | None) -> list[SortColumn]:
    if sort in (Sort.PRICE_ASC, Sort.PRICE_DESC):
        return [Listing.price, Listing.id]
    if sort is Sort.MOST_LIKED:
        return [Listing.like_count, Listing.id]
    if match is not None and match.has_words:
        return [match.place]
    return [Listing.bumped_at, Listing.id]


def _conditions(wanted: ListingFilter, viewer_id: UUID) -> list[ColumnElement[bool]]:
    exact = {
        Listing.category: wanted.category,
        Listing.place: wanted.place,
        Listing.negotiable: wanted.negotiable,
        Listing.seller_id: wanted.seller,
    }
    found = [column == value for column, value in exact.items() if value is not None]
    found += [_in_state(wanted, viewer_id)]
    if wanted.condition:
        found.append(Listing.condition.in_(wanted.condition))
    if wanted.method is not None:
        found.append(Listing.method.in_((wanted.method, "both")))
    if wanted.min_price is not None:
        found.append(Listing.price >= wanted.min_price)
    if wanted.max_price is not None:
        found.append(Listing.price <= wanted.max_price)
    if wanted.giveaway is not None:
        found.append(Listing.price == 0 if wanted.giveaway else Listing.price > 0)
    if wanted.since is not None:
        found.append(Listing.bumped_at >= wanted.since)
    return found


def _in_state(wanted: ListingFilter, viewer_id: UUID) -> ColumnElement[bool]:
    """Everybody's public listings; one's own also while hidden, and one's own drafts."""
    mine = Listing.seller_id == viewer_id
    if wanted.state == ListingState.DRAFT:
        return mine & live(Listing) & (Listing.state == ListingState.DRAFT)
    seen = live(Listing) if wanted.seller == viewer_id else shown()
    if wanted.state == "any":
        return seen & Listing.state.in_(_PUBLIC_STATES)
    return seen & (Listing.state == wanted.state)
