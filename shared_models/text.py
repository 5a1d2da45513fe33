"""Cleaning of user text: the same on both sides, so a form and the server agree."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from shared_models import bounds

_TERMINAL_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_].*?(?:\x1b\\|$)|\x1b.",
    re.DOTALL,
)
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_KEPT_CONTROLS = frozenset("\n\t")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cs", "Co"})
_INVISIBLE = frozenset("\u200b\u2060\ufeff\u2028\u2029\u180e")


def clean_text(text: str) -> str:
    r"""NFC text without terminal escapes, control characters and bidi overrides (rule 18).

    Line breaks are kept as ``\n`` and tabs as they are; the ends are stripped. Cleaning what is
    clean changes nothing.
    """
    text = _TERMINAL_ESCAPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(character for character in text if _is_kept(character))
    return unicodedata.normalize("NFC", kept).strip()


def _is_kept(character: str) -> bool:
    if character in _KEPT_CONTROLS:
        return True
    if character in _BIDI_CONTROLS or character in _INVISIBLE:
        return False
    return unicodedata.category(character) not in _DROPPED_CATEGORIES


def clean_line(text: str) -> str:
    """Like :func:`clean_text`, on one line: every run of white space becomes one space."""
    return " ".join(clean_text(text).split())


def _clean_if_text(value: object) -> object:
    return clean_text(value) if isinstance(value, str) else value


def _line_if_text(value: object) -> object:
    return clean_line(value) if isinstance(value, str) else value


def _encodable(value: str) -> str:
    return value.encode("utf-8", "ignore").decode()


Cleaned = BeforeValidator(_clean_if_text)
CleanedLine = BeforeValidator(_line_if_text)

Line = Annotated[str, CleanedLine]
Block = Annotated[str, Cleaned]
Place = Annotated[str, CleanedLine, StringConstraints(max_length=bounds.PLACE_MAX)]
SearchText = Annotated[
    str, CleanedLine, StringConstraints(max_length=bounds.SEARCH_MAX), AfterValidator(_encodable)
]
