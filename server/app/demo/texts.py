"""The written texts of the demo market, in Korean and in English, read from `texts/`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

Language = Literal["ko", "en"]

_FOLDER = Path(__file__).parent / "texts"
_BETWEEN = " | "


@dataclass(frozen=True, slots=True)
class Phrase:
    """The same words in both languages."""

    ko: str
    en: str

    @classmethod
    def parse(cls, text: str) -> "Phrase":
        """Read "ko | en"; a text without a bar is the same in both."""
        ko, _, en = text.partition(_BETWEEN)
        return cls(ko, en or ko)

    def said(self, language: Language, slots: Mapping[str, str] | None = None) -> str:
        """The words in one language, their {slots} filled."""
        words = self.ko if language == "ko" else self.en
        return words.format_map(slots) if slots else words


@dataclass(frozen=True, slots=True)
class Turn:
    """What one of two people says: "b" buys or answers, "s" sells, "a" starts."""

    who: str
    phrase: Phrase


Exchange = tuple[Turn, ...]


@cache
def load(name: str) -> dict[str, Any]:
    """One file of texts, by its path below `texts/` without the suffix."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))


@cache
def phrases(name: str, *keys: str) -> tuple[Phrase, ...]:
    """A list of phrases in a file, by the keys that lead to it."""
    found: Any = load(name)
    for key in keys:
        found = found[key]
    return tuple(Phrase.parse(text) for text in found)


@cache
def exchanges(name: str, key: str) -> tuple[Exchange, ...]:
    """A list of exchanges in a file."""
    return read_exchanges(load(name)[key])


def read_exchanges(lists: list[list[str]], speakers: str = "") -> tuple[Exchange, ...]:
    """Exchanges from lists of turns; with `speakers`, they take turns and texts name nobody.

    A turn without words of its own (as "a: {laugh}") is the same in both languages.
    """
    if speakers:
        return tuple(
            tuple(
                Turn(speakers[index % len(speakers)], Phrase.parse(text))
                for index, text in enumerate(texts)
            )
            for texts in lists
        )
    return tuple(tuple(Turn(text[0], Phrase.parse(text[3:])) for text in texts) for texts in lists)


def pick(rng: Random, name: str, *keys: str) -> Phrase:
    """One phrase of a list, at random."""
    return rng.choice(phrases(name, *keys))
