"""Cleaning of user text: the same on both sides, so a form and the server agree."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from annotated_types import GroupedMetadata
from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic_core import PydanticKnownError

from shared_models import bounds

_TERMINAL_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_].*?(?:\x1b\\|$)|\x1b.",
    re.DOTALL,
)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
"""What else ends a line: dropped, it would glue two words together."""
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_KEPT_CONTROLS = frozenset("\n\t")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cs", "Co"})
_DROPPED = frozenset("\u200b\u2060\ufeff\u180e")
_SEEN_FORMATS = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""Of category Cf, but signs that are drawn."""
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2065\u3164\uffa0")
"""Not of category Cf, and yet nothing is drawn for them."""
_BLANK = "\u2800"
_JOINERS = frozenset("\u200c\u200d")
_VIRAMA = 9
_MARKS_MOST = 30
"""So many marks may stand on one letter (Stream-Safe text): to bring them in order costs the square
of their number, which is for everybody to wait for.
"""
_RAW_TIMES = 8
"""A text as it is typed may be so many times as long as what is left when it is cleaned."""


def clean_text(text: str) -> str:
    r"""NFC text without terminal escapes, control characters and bidi overrides (rule 18).

    Line breaks of any kind are kept as ``\n`` and tabs as they are; the ends are stripped. A text
    in which nothing can be seen is empty. Cleaning what is clean changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _TERMINAL_ESCAPE.sub("", _LINE_END.sub("\n", text))
    kept = "".join(character for character in text if _is_kept(character))
    if not kept.isascii():
        # Composing may take marks apart too, so that there are more of them afterwards.
        composed = unicodedata.normalize("NFC", _without_piled_marks(kept))
        kept = _without_piled_marks(composed)
    return kept.strip() if any(map(_is_seen, kept)) else ""


def _is_kept(character: str) -> bool:
    if character in _KEPT_CONTROLS:
        return True
    if character in _BIDI_CONTROLS or character in _DROPPED:
        return False
    return unicodedata.category(character) not in _DROPPED_CATEGORIES


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _without_piled_marks(text: str) -> str:
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= _MARKS_MOST:
            kept.append(character)
    return "".join(kept)


def is_invisible(character: str) -> bool:
    """Whether nothing is ever drawn for it: joiners, soft hyphens, tags, fillers."""
    if character in _FILLERS or "\U000e0000" <= character <= "\U000e0fff":
        return True
    return unicodedata.category(character) == "Cf" and character not in _SEEN_FORMATS


def _is_seen(character: str) -> bool:
    """Whether it shows by itself."""
    if character.isspace() or character == _BLANK or is_invisible(character):
        return False
    return not _is_mark(character)


def clean_line(text: str) -> str:
    """Like :func:`clean_text`, on one line: every run of white space becomes one space.

    Invisible characters are dropped, so that what looks the same is the same; but for joiners
    where they shape what is drawn.
    """
    line = clean_text(text)
    if not line.isascii():
        line = clean_text(_without_invisible(line))
    return " ".join(line.split())


def _without_invisible(line: str) -> str:
    kept: list[str] = []
    base = joiner = ""
    for character in line:
        if character in _JOINERS and base and _shapes(base, kept[-1]):
            joiner = character
        elif not is_invisible(character):
            if not _is_mark(character):
                kept.extend(joiner if _is_seen(character) else "")
                base = character
            kept.append(character)
            joiner = ""
    return "".join(kept)


def _shapes(base: str, last: str) -> bool:
    """Whether a joiner does anything here: in emoji, after Arabic letters and after a virama."""
    is_emoji = unicodedata.category(base) in ("So", "Sk")
    is_arabic = unicodedata.bidirectional(base) == "AL"
    return is_emoji or is_arabic or unicodedata.combining(last) == _VIRAMA


@dataclass(frozen=True, slots=True)
class Block(GroupedMetadata):
    """A cleaned text of up to ``most`` code points. Far longer ones are refused uncleaned."""

    most: int
    least: int = 0

    def __iter__(self) -> Iterator[object]:
        yield BeforeValidator(self._cleaned)
        yield StringConstraints(min_length=self.least or None, max_length=self.most)

    def _cleaned(self, value: object) -> object:
        if not isinstance(value, str):
            return value
        if len(value) > self.most * _RAW_TIMES:
            lengths = {"max_length": self.most, "actual_length": len(value)}
            raise PydanticKnownError("too_long", {"field_type": "Value", **lengths})
        return self._clean(value)

    def _clean(self, value: str) -> str:
        return clean_text(value)


class Line(Block):
    """The same on one line."""

    def _clean(self, value: str) -> str:
        return clean_line(value)


def _encodable(value: str) -> str:
    return value.encode("utf-8", "ignore").decode()


Place = Annotated[str, Line(bounds.PLACE_MAX)]
SearchText = Annotated[str, Line(bounds.SEARCH_MAX), AfterValidator(_encodable)]
