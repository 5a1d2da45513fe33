"""The text index. The two databases differ in how terms are matched, and only here."""

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    String,
    and_,
    bindparam,
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
from server.platform.analyser import TextQuery, fts5_match, index_terms, tsquery
from server.platform.columns import microseconds
from server.platform.pages import SortColumn
from server.platform.unit_of_work import UnitOfWork

_FTS5 = table("listings_search_index", column("rowid", Integer))
_SECOND_US = 1_000_000


async def add_document(work: UnitOfWork, title: str, description: str) -> int:
    """Make a listing that is published now be found by these words; the document's id."""
    first = microseconds(work.now)
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


@dataclass(frozen=True, slots=True)
class TextShape:
    """A text query as a source to select listings from and a condition on it, but for the words.

    The words come as :func:`text_parameters`.
    """

    sqlite: bool
    has_words: bool
    """Whether there are words to look for, not only some to leave out."""

    excluded: int

    @classmethod
    def of(cls, query: TextQuery, *, sqlite: bool) -> "TextShape":
        """The shape of a query."""
        has_words = bool(query.required)
        return cls(sqlite, has_words, 0 if has_words else len(query.excluded))

    @property
    def place(self) -> SortColumn:
        """The document's id: it rises with ``bumped_at``, and the index can be read along it."""
        return _FTS5.c.rowid if self._reads_index else Listing.search_id

    def source(self) -> FromClause:
        """Listings joined to what the condition needs."""
        if self._reads_index:
            # An expression, so that SQLite never asks the index about one listing after another.
            return _FTS5.join(Listing, Listing.search_id == _FTS5.c.rowid + 0)
        document = SearchDocument.__table__
        return Listing.__table__.join(document, Listing.search_id == SearchDocument.id)

    def condition(self, *, in_title: bool | None = None) -> ColumnElement[bool]:
        """That all required words occur and no excluded ones.

        ``in_title`` asks that the title alone has the required ones, or that it has not.
        """
        if not self.has_words:
            return and_(*(not_(self._has_all(number)) for number in range(self.excluded)))
        if self.sqlite:
            return _fts5_match({None: "words", True: "titled", False: "untitled"}[in_title])
        found = _tsvector_match("all_terms", "words")
        if in_title is None:
            return found
        titled = _tsvector_match("title_terms", "titled")
        return and_(found, titled if in_title else not_(titled))

    @property
    def _reads_index(self) -> bool:
        return self.sqlite and self.has_words

    def _has_all(self, number: int) -> ColumnElement[bool]:
        if not self.sqlite:
            return _tsvector_match("all_terms", f"excluded_{number}")
        found = select(_FTS5.c.rowid).where(_fts5_match(f"excluded_{number}"))
        return Listing.search_id.in_(found)


def text_parameters(query: TextQuery, *, sqlite: bool) -> dict[str, str]:
    """The words of a query, as the statement's parameters."""
    groups = {f"excluded_{number}": group for number, group in enumerate(query.excluded)}
    excluded = {name: TextQuery(group, excluded=()) for name, group in groups.items()}
    if not query.required:
        return {name: _in_all(group, sqlite=sqlite) for name, group in excluded.items()}
    words, titled = query, TextQuery(query.required, excluded=())
    if not sqlite:
        return {"words": tsquery(words), "titled": tsquery(titled)}
    anywhere, in_title = _in_all(words, sqlite=True), f"title_terms : ({fts5_match(titled)})"
    return {
        "words": anywhere,
        "titled": f"({anywhere}) AND ({in_title})",
        "untitled": f"({anywhere}) NOT ({in_title})",
    }


def _in_all(query: TextQuery, *, sqlite: bool) -> str:
    return f"all_terms : ({fts5_match(query)})" if sqlite else tsquery(query)


def _terms(title: str, description: str) -> dict[str, str]:
    return {
        "title_terms": index_terms(title),
        "all_terms": index_terms(f"{title}\n{description}"),
    }


def _fts5_match(words: str) -> ColumnElement[bool]:
    return column(_FTS5.name, String).bool_op("MATCH")(bindparam(words, type_=String()))


def _tsvector_match(terms: str, words: str) -> ColumnElement[bool]:
    document = column(f"listings_search_index_{terms}", TSVECTOR)
    return document.bool_op("@@")(cast(bindparam(words, type_=String()), TSQUERY))
