"""Pages of listings: every filter and order of rule 8, by row values."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, case, literal, select

from server.listings.repository.columns import CARD, liked_by, not_of, shown
from server.listings.repository.search import matches, title_matches
from server.listings.tables import Listing, SearchDocument
from server.platform.analyser import TextQuery
from server.platform.database import live
from server.platform.pages import SortColumn, after_position
from server.platform.unit_of_work import UnitOfWork
from shared_models.listings import ListingFilter, ListingState, Sort

Key = tuple[Any, ...]

_PUBLIC_STATES = (ListingState.SELLING, ListingState.RESERVED, ListingState.SOLD)


async def page(
    work: UnitOfWork,
    wanted: ListingFilter,
    text: TextQuery | None,
    *,
    viewer_id: UUID,
    blocked: frozenset[UUID],
    position: Sequence[Any] | None,
    limit: int,
) -> tuple[Sequence[Row[Any]], list[Key]]:
    """Rows of card columns in the wanted order, and the sort key of each.

    The keys are chosen first, so that only the rows of the page are read in full.
    """
    order = _order(wanted.sort, text, sqlite=work.is_sqlite)
    labels = [f"key_{number}" for number in range(len(order))]
    keys = select(*(by.label(label) for by, label in zip(order, labels, strict=True)))
    if text is not None:
        keys = keys.join(SearchDocument, SearchDocument.listing_id == Listing.id)
        keys = keys.where(matches(text, sqlite=work.is_sqlite))
    keys = keys.where(*_conditions(wanted, viewer_id), *not_of(blocked))
    descending = wanted.sort is not Sort.PRICE_ASC
    chosen = after_position(keys, order, position, descending=descending).limit(limit).subquery()
    sorted_by = [chosen.c[label] for label in labels]
    rows = await work.rows(
        select(*CARD, liked_by(viewer_id).label("liked"), *sorted_by)
        .join(chosen, chosen.c[labels[-1]] == Listing.id)
        .order_by(*(by.desc() if descending else by.asc() for by in sorted_by))
    )
    return rows, [tuple(getattr(row, label) for label in labels) for row in rows]


def _order(sort: Sort, text: TextQuery | None, *, sqlite: bool) -> list[SortColumn]:
    if sort in (Sort.PRICE_ASC, Sort.PRICE_DESC):
        return [Listing.price, Listing.id]
    if sort is Sort.MOST_LIKED:
        return [Listing.like_count, Listing.id]
    newest: list[SortColumn] = [Listing.bumped_at, Listing.id]
    if sort is Sort.RELEVANCE and text is not None and text.required:
        in_title = title_matches(text, sqlite=sqlite)
        return [case((in_title, literal(1)), else_=literal(0)), *newest]
    return newest


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
