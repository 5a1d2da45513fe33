"""One text analyser for both databases, so that both find the same (ARCHITECTURE, rule 10).

Words for spaced scripts, two-character grams for Han, Hangul and Kana. Terms are stored as the hex
of their UTF-8, so that no database's own tokenizer has a say; a prefix of a word is a prefix of
its hex.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_GRAM_CLASS = (
    "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS = re.compile(rf"[{_GRAM_CLASS}]+|[^\W_{_GRAM_CLASS}]+")
_IS_GRAM = re.compile(rf"[{_GRAM_CLASS}]")
_LONGEST_TERM = 40


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _hex(term: str) -> str:
    return term.encode("utf-8", "ignore").hex()


def _grams(run: str) -> Iterator[str]:
    for start in range(len(run)):
        yield run[start : start + 2]


def index_terms(text: str, scopes: Sequence[str] = ("",)) -> str:
    """The distinct terms of a text, space-separated, in order of appearance.

    With scopes (ASCII letters and digits) each term is there once a scope, and is found only by a
    query of that scope: what others have written costs such a query nothing.
    """
    terms: dict[str, None] = {}
    for run in _RUNS.findall(_normal(text)):
        pieces = _grams(run) if _IS_GRAM.match(run) else [run[:_LONGEST_TERM]]
        terms.update(dict.fromkeys(map(_hex, pieces)))
    return " ".join(scope + term for scope in scopes for term in terms)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a query; a prefix one matches every stored term that starts with it."""

    value: str
    prefix: bool


@dataclass(frozen=True, slots=True)
class TextQuery:
    """All of ``required`` and, for each group of ``excluded``, not all of its terms."""

    required: tuple[Term, ...]
    excluded: tuple[tuple[Term, ...], ...]

    @property
    def empty(self) -> bool:
        """Whether it narrows nothing: no word to look for."""
        return not self.required


def parse_query(text: str, scope: str = "") -> TextQuery:
    """A search text: every word must occur, ``-word`` must not; the last word may be unfinished."""
    required: list[Term] = []
    excluded: list[tuple[Term, ...]] = []
    words = text.split()
    for position, word in enumerate(words):
        negative = word.startswith("-") and len(word) > 1
        unfinished = not negative and position == len(words) - 1
        terms = tuple(
            Term(scope + term.value, term.prefix)
            for term in _query_terms(word.lstrip("-"), unfinished=unfinished)
        )
        if not terms:
            continue
        if negative:
            excluded.append(terms)
        else:
            required.extend(terms)
    return TextQuery(tuple(dict.fromkeys(required)), tuple(excluded))


def _query_terms(word: str, *, unfinished: bool) -> Iterator[Term]:
    runs = _RUNS.findall(_normal(word))
    for position, run in enumerate(runs):
        if _IS_GRAM.match(run):
            if len(run) == 1:
                yield Term(_hex(run), prefix=True)
            for start in range(len(run) - 1):
                yield Term(_hex(run[start : start + 2]), prefix=False)
        else:
            last = unfinished and position == len(runs) - 1
            yield Term(_hex(run[:_LONGEST_TERM]), prefix=last)


def fts5_match(query: TextQuery) -> str:
    """The query for SQLite's FTS5."""
    return _compose(query, lambda term: f'"{term.value}"' + ("*" if term.prefix else ""), "NOT")


def tsquery(query: TextQuery) -> str:
    """The query for PostgreSQL's ``to_tsquery`` cast (``::tsquery``)."""
    return _compose(query, lambda term: f"'{term.value}'" + (":*" if term.prefix else ""), "& !")


def _compose(query: TextQuery, quote: Callable[[Term], str], without: str) -> str:
    both = " & " if without.startswith("&") else " AND "
    text = both.join(map(quote, query.required))
    for group in query.excluded:
        text = f"({text}) {without} ({both.join(map(quote, group))})"
    return text
