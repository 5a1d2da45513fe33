"""The text index. The two databases differ in how terms are matched, and only here."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    String,
    and_,
    cast,
    column,
    delete,
    func,
    insert,
    not_,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from server.listings.tables import Listing, SearchDocument
from server.platform.analyser import Term, TextQuery, fts5_match, index_terms, tsquery
from server.platform.pages import SortColumn
from server.platform.unit_of_work import UnitOfWork

_FTS5 = table("listings_search_index", column("rowid", Integer))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_US = 1_000_000


async def add_document(work: UnitOfWork, title: str, description: str) -> int:
    """Make a listing that is published now be found by these words; the document's id."""
    first = (work.now - _EPOCH) // timedelta(microseconds=1)
    last = await work.scalar(
        select(func.max(SearchDocument.id)).where(
            SearchDocument.id >= first, SearchDocument.id < first + _SECOND_US
        )
    )
    id_ = first if last is None else last + 1
    terms = _terms(title, description)
    await work.execute(insert(SearchDocument).values(id=id_, **terms))
    return id_


async def change_document(work: UnitOfWork, id_: int, title: str, description: str) -> None:
    """Make the listing be found by these words instead."""
    terms = _terms(title, description)
    await work.execute(update(SearchDocument).where(SearchDocument.id == id_).values(**terms))


async def drop_document(work: UnitOfWork, id_: int) -> None:
    """Make the listing, which no longer refers to the document, be found no more."""
    await work.execute(delete(SearchDocument).where(SearchDocument.id == id_))


class TextMatch:
    """A text query as a source to select listings from, and a condition on it."""

    def __init__(self, query: TextQuery, *, sqlite: bool) -> None:
        self._query = query
        self._sqlite = sqlite
        self.has_words = bool(query.required)
        """Whether there are words to look for, not only some to leave out."""

    @property
    def place(self) -> SortColumn:
        """The document's id: it rises with ``bumped_at``, and the index can be read along it."""
        return _FTS5.c.rowid if self._reads_index else Listing.search_id

    def source(self) -> FromClause:
        """Listings joined to what the condition needs."""
        if self._reads_index:
            return _FTS5.join(Listing, Listing.search_id == _FTS5.c.rowid)
        document = SearchDocument.__table__
        return Listing.__table__.join(document, Listing.search_id == SearchDocument.id)

    def condition(self, *, in_title: bool | None = None) -> ColumnElement[bool]:
        """That all required words occur and no excluded ones.

        ``in_title`` asks that the title alone has the required ones, or that it has not.
        """
        if not self.has_words:
            return and_(*(not_(self._has_all(group)) for group in self._query.excluded))
        titled = TextQuery(self._query.required, excluded=())
        if self._sqlite:
            expression = f"all_terms : ({fts5_match(self._query)})"
            if in_title is not None:
                link = "AND" if in_title else "NOT"
                expression = f"({expression}) {link} (title_terms : ({fts5_match(titled)}))"
            return _matches(expression)
        found = _tsvector("all_terms", self._query)
        if in_title is None:
            return found
        found_in_title = _tsvector("title_terms", titled)
        return and_(found, found_in_title if in_title else not_(found_in_title))

    @property
    def _reads_index(self) -> bool:
        return self._sqlite and bool(self._query.required)

    def _has_all(self, group: tuple[Term, ...]) -> ColumnElement[bool]:
        query = TextQuery(required=group, excluded=())
        if not self._sqlite:
            return _tsvector("all_terms", query)
        found = _matches(f"all_terms : ({fts5_match(query)})")
        return Listing.search_id.in_(select(_FTS5.c.rowid).where(found))


def _terms(title: str, description: str) -> dict[str, str]:
    return {
        "title_terms": index_terms(title),
        "all_terms": index_terms(f"{title}\n{description}"),
    }


def _matches(expression: str) -> ColumnElement[bool]:
    return column(_FTS5.name, String).bool_op("MATCH")(expression)


def _tsvector(terms: str, query: TextQuery) -> ColumnElement[bool]:
    document = column(f"listings_search_index_{terms}", TSVECTOR)
    return document.bool_op("@@")(cast(tsquery(query), TSQUERY))
