"""Pages of listings: every filter and order of rule 8, by row values.

A statement is built once for each shape of a question (which filters, which order) and kept:
building it costs more than running it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    Subquery,
    Uuid,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from server.listings.repository.columns import CARD, liked_by, shown
from server.listings.repository.search import TextShape, text_parameters
from server.listings.tables import Listing
from server.platform.analyser import TextQuery
from server.platform.columns import live
from server.platform.pages import SortColumn, after_position
from server.platform.unit_of_work import UnitOfWork
from shared_models.listings import ListingFilter, ListingState, Sort

_IN_TITLE, _ELSEWHERE = 1, 0
_VIEWER = bindparam("viewer", type_=Uuid())
_LIMIT = bindparam("limit", type_=Integer())
_ID = Listing.id.label("listing_id")
_PLACED_PRICE = func.coalesce(Listing.price, -1)
"""A draft may have no price yet; it comes before those that are given away."""

_FILTERS: dict[str, ColumnElement[bool]] = {
    "category": Listing.category == bindparam("category"),
    "condition": Listing.condition.in_(bindparam("condition", expanding=True)),
    "min_price": Listing.price >= bindparam("min_price"),
    "max_price": Listing.price <= bindparam("max_price"),
    "method": Listing.method.in_(bindparam("method", expanding=True)),
    "negotiable": Listing.negotiable == bindparam("negotiable"),
    "place": Listing.place == bindparam("place"),
    "seller": Listing.seller_id == bindparam("seller"),
    "since": Listing.bumped_at >= bindparam("since"),
    "blocked": Listing.seller_id.not_in(bindparam("blocked", expanding=True)),
}


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes two questions the same statement."""

    filters: tuple[str, ...]
    states: Literal["one", "public", "drafts"]
    hidden_too: bool
    sort: Sort
    text: TextShape | None
    rank: int | None
    """Of the position, where the order is by relevance."""

    further: bool
    """Whether there is a position to start after."""


class Placed(NamedTuple):
    """A row of card columns, and its place in the wanted order."""

    row: Row[Any]
    key: tuple[Any, ...]


async def page(
    work: UnitOfWork,
    wanted: ListingFilter,
    text: TextQuery | None,
    viewer_id: UUID,
    blocked: frozenset[UUID],
    position: Sequence[Any] | None,
    limit: int,
) -> list[Placed]:
    """Listings in the wanted order."""
    filters = _filters(wanted, blocked)
    text_shape = None if text is None else TextShape.of(text, sqlite=work.is_sqlite)
    ranked = wanted.sort is Sort.RELEVANCE and text_shape is not None and text_shape.has_words
    rank, after = None, position or ()
    if ranked:
        rank, *after = position or (_IN_TITLE,)
    shape = _Shape(
        filters=tuple(filters),
        states=_states(wanted),
        hidden_too=wanted.seller == viewer_id,
        sort=wanted.sort,
        text=text_shape,
        rank=rank,
        further=bool(after),
    )
    parameters = filters | {"viewer": viewer_id, "state": wanted.state, "limit": limit}
    parameters |= {f"after_{number}": value for number, value in enumerate(after)}
    if text is not None:
        parameters |= text_parameters(text, sqlite=work.is_sqlite)
    statement, keys = _statement(shape)
    rows = await work.rows(statement, parameters)
    return [Placed(row, tuple(getattr(row, key) for key in keys)) for row in rows]


def _states(wanted: ListingFilter) -> Literal["one", "public", "drafts"]:
    if wanted.state == "any":
        return "public"
    return "drafts" if wanted.state is ListingState.DRAFT else "one"


def _filters(wanted: ListingFilter, blocked: frozenset[UUID]) -> dict[str, Any]:
    """The values of the filters that are set; a giveaway is a price of 0."""
    low, high = wanted.min_price, wanted.max_price
    if wanted.giveaway is not None:
        low, high = (low, 0) if wanted.giveaway else (max(low or 1, 1), high)
    values = {
        "category": wanted.category,
        "condition": wanted.condition or None,
        "min_price": low,
        "max_price": high,
        "method": None if wanted.method is None else (wanted.method, "both"),
        "negotiable": wanted.negotiable,
        "place": wanted.place,
        "seller": wanted.seller,
        "since": wanted.since,
        "blocked": tuple(blocked) or None,
    }
    return {name: value for name, value in values.items() if value is not None}


@lru_cache(maxsize=1024)
def _statement(shape: _Shape) -> tuple[Select[*tuple[Any, ...]], tuple[str, ...]]:
    """The statement, and the names of its sort keys.

    The keys are chosen first, so that only the rows of the page are read in full.
    """
    chosen = _in_order(shape) if shape.rank is None else _by_relevance(shape)
    keys = [column for column in chosen.c if column is not chosen.c.listing_id]
    descending = shape.sort is not Sort.PRICE_ASC
    statement = (
        select(*CARD, liked_by(_VIEWER).label("liked"), *keys)
        .join(chosen, chosen.c.listing_id == Listing.id)
        .order_by(*(key.desc() if descending else key.asc() for key in keys))
    )
    return statement, tuple(key.name for key in keys)


def _in_order(shape: _Shape) -> Subquery:
    order = _order(shape)
    keys: Select[*tuple[Any, ...]] = select(*_labelled(order), _ID).where(*_conditions(shape))
    if shape.text is not None:
        keys = keys.select_from(shape.text.source()).where(shape.text.condition())
    descending = shape.sort is not Sort.PRICE_ASC
    after = _after(order) if shape.further else None
    return after_position(keys, order, after, descending=descending).limit(_LIMIT).subquery()


def _by_relevance(shape: _Shape) -> Subquery:
    """First those with all words in the title, then the others; newest first in both.

    Each half is read along the index and stops by itself; an expression to sort by would need
    all matches.
    """
    assert shape.text is not None
    assert shape.rank is not None
    order = [shape.text.place]
    halves = []
    for rank in range(shape.rank, _ELSEWHERE - 1, -1):
        found = shape.text.condition(in_title=rank == _IN_TITLE)
        keys = select(literal(rank).label("key_rank"), *_labelled(order), _ID)
        keys = keys.select_from(shape.text.source()).where(found, *_conditions(shape))
        after = _after(order) if shape.further and rank == shape.rank else None
        half = after_position(keys, order, after, descending=True).limit(_LIMIT)
        halves.append(select(half.subquery()))
    both = union_all(*halves).subquery()
    newest = select(both).order_by(both.c.key_rank.desc(), both.c.key_0.desc())
    return newest.limit(_LIMIT).subquery()


def _after(order: Sequence[SortColumn]) -> list[Any]:
    return [bindparam(f"after_{number}", type_=by.type) for number, by in enumerate(order)]


def _labelled(order: Sequence[SortColumn]) -> list[Any]:
    return [by.label(f"key_{number}") for number, by in enumerate(order)]


def _order(shape: _Shape) -> list[SortColumn]:
    if shape.sort in (Sort.PRICE_ASC, Sort.PRICE_DESC):
        return [_PLACED_PRICE if shape.states == "drafts" else Listing.price, Listing.id]
    if shape.sort is Sort.MOST_LIKED:
        return [Listing.like_count, Listing.id]
    if shape.text is not None and shape.text.has_words:
        return [shape.text.place]
    return [Listing.bumped_at, Listing.id]


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    """The filters, on everybody's public listings; one's own also while hidden."""
    states = {
        "one": Listing.state == bindparam("state"),
        "public": Listing.state != ListingState.DRAFT,
        "drafts": (Listing.state == ListingState.DRAFT) & (Listing.seller_id == _VIEWER),
    }
    own = shape.hidden_too or shape.states == "drafts"
    seen = live(Listing) if own else shown()
    return [seen, states[shape.states], *(_FILTERS[name] for name in shape.filters)]
