"""The text index. The two databases differ in how terms are matched, and only here."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    cast,
    column,
    delete,
    insert,
    not_,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from server.listings.tables import SearchDocument
from server.platform.analyser import TextQuery, fts5_match, index_terms, tsquery
from server.platform.unit_of_work import UnitOfWork

_FTS5 = table("listings_search_index", column("rowid", Integer))


async def index(work: UnitOfWork, listing_id: UUID, title: str, description: str) -> None:
    """Make the listing be found by these words."""
    terms = {
        "title_terms": index_terms(title),
        "all_terms": index_terms(f"{title}\n{description}"),
    }
    known = await work.changed(
        update(SearchDocument).where(SearchDocument.listing_id == listing_id).values(**terms)
    )
    if not known:
        await work.execute(insert(SearchDocument).values(listing_id=listing_id, **terms))


async def unindex(work: UnitOfWork, listing_id: UUID) -> None:
    """Make the listing be found no more."""
    await work.execute(delete(SearchDocument).where(SearchDocument.listing_id == listing_id))


def matches(query: TextQuery, *, sqlite: bool) -> ColumnElement[bool]:
    """The condition that title and description have all required and no excluded words."""
    if query.required:
        return _match("all_terms", query, sqlite=sqlite)
    groups = (TextQuery(required=group, excluded=()) for group in query.excluded)
    return and_(*(not_(_match("all_terms", group, sqlite=sqlite)) for group in groups))


def title_matches(query: TextQuery, *, sqlite: bool) -> ColumnElement[bool]:
    """Whether the title alone has all required words."""
    return _match("title_terms", TextQuery(query.required, excluded=()), sqlite=sqlite)


def _match(terms: str, query: TextQuery, *, sqlite: bool) -> ColumnElement[bool]:
    if sqlite:
        found: Any = column(terms, String).op("MATCH", is_comparison=True)(fts5_match(query))
        return SearchDocument.id.in_(select(_FTS5.c.rowid).where(found))
    document = column(f"listings_search_index_{terms}", TSVECTOR)
    return document.bool_op("@@")(cast(tsquery(query), TSQUERY))
