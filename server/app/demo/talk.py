"""What people of the demo market write to each other, the same for the same seed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from server.app.demo.content import Thing
from server.app.demo.texts import (
    Exchange,
    Language,
    Phrase,
    exchanges,
    load,
    phrases,
    pick,
    read_exchanges,
)

_ENGLISH_SHARE = 0.7
_MESSAGES_A_DAY = (12, 44)
_SEOUL = timedelta(hours=9)
_WAKING_HOURS = (-1, 12)


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a talk about a listing."""

    by_buyer: bool
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """One message of the long friendly talk."""

    by_buyer: bool
    text: str
    at: datetime


def won(amount: int, language: Language) -> str:
    """An amount as people write it in a message."""
    return f"{amount:,}원" if language == "ko" else f"{amount:,} won"


def conversation(
    rng: Random, thing: Thing, language: Language, stages: Sequence[str], offer: int
) -> list[Line]:
    """A talk that goes through stages: keys of `dialogues`, or "questions" about the thing."""
    slots = {
        "thing": thing.model.said(language),
        "place": Phrase.parse(rng.choice(load("people")["meeting_places"])).said(language),
        "price": won(thing.price, language),
        "offer": won(offer, language),
        "day": rng.choice(_DAYS).said(language),
        "hour": rng.choice(_HOURS).said(language),
    }
    lines: list[Line] = []
    for stage in stages:
        choices = thing.questions if stage == "questions" else exchanges("dialogues", stage)
        lines += [
            Line(turn.who == "b", turn.phrase.said(language, slots)) for turn in rng.choice(choices)
        ]
    return lines


def live_line(rng: Random, language: Language) -> str:
    """What somebody may write at any moment of a talk about a listing."""
    return pick(rng, "dialogues", "live").said(language)


def long_talk(rng: Random, count: int, end: datetime, days: int) -> list[Note]:
    """`count` messages between two friends, in the order of time, over the `days` before `end`."""
    start = end.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    sessions = _sessions(rng, count, days)
    notes: list[Note] = []
    topics = _Topics(rng)
    for day, size in sessions:
        moment = start + timedelta(days=day, hours=rng.uniform(*_WAKING_HOURS))
        for by_buyer, text in islice(topics.session(moment), size):
            moment += timedelta(seconds=rng.choice(_PAUSES) * rng.uniform(0.5, 1.5))
            notes.append(Note(by_buyer, text, moment))
    notes.sort(key=lambda note: note.at)
    return notes


def _sessions(rng: Random, count: int, days: int) -> list[tuple[int, int]]:
    """On which days they write, and how much: `count` messages in all."""
    usual = sum(_MESSAGES_A_DAY) / 2
    chosen = sorted(rng.sample(range(days), min(days, max(1, round(count / usual)))))
    sizes = [rng.randint(*_MESSAGES_A_DAY) for _ in chosen]
    spare = count - sum(sizes)
    for index in range(abs(spare)):
        sizes[index % len(sizes)] += 1 if spare > 0 else -1
    return list(zip(chosen, sizes, strict=True))


class _Topics:
    """Deals exchanges so that none comes again before all have come."""

    def __init__(self, rng: Random) -> None:
        texts = load("smalltalk")
        self._rng = rng
        self._common = exchanges("smalltalk", "exchanges")
        self._seasons = {
            month: read_exchanges(season["exchanges"])
            for season in texts["seasons"]
            for month in season["months"]
        }
        self._slots = {name: phrases("smalltalk", "slots", name) for name in texts["slots"]}
        self._deck: list[Exchange] = []

    def session(self, moment: datetime) -> Iterator[tuple[bool, str]]:
        """One day's talk without end: a greeting, then topics; now and then a goodbye."""
        weekdays = self._slots["weekday"]
        self._slots["today"] = (weekdays[(moment + _SEOUL).weekday()],)
        yield from self._spoken(self._rng.choice(exchanges("smalltalk", "openers")))
        while True:
            for _ in range(self._rng.randint(3, 6)):
                yield from self._spoken(self._next(moment.month))
            yield from self._spoken(self._rng.choice(exchanges("smalltalk", "closers")))

    def _next(self, month: int) -> Exchange:
        if not self._deck:
            self._deck = [*self._common, *self._seasons[month]]
            self._rng.shuffle(self._deck)
        return self._deck.pop()

    def _spoken(self, exchange: Exchange) -> Iterator[tuple[bool, str]]:
        language: Language = "en" if self._rng.random() < _ENGLISH_SHARE else "ko"
        starter = self._rng.random() < 0.5
        slots = {
            name: self._rng.choice(choices).said(language) for name, choices in self._slots.items()
        }
        for turn in exchange:
            text = turn.phrase.said(language, slots)
            yield (turn.who == "a") == starter, text


def _parsed(texts: Iterable[str]) -> tuple[Phrase, ...]:
    return tuple(Phrase.parse(text) for text in texts)


_DAYS = _parsed(("토요일 | Saturday", "일요일 | Sunday", "내일 | tomorrow", "금요일 | Friday"))
_HOURS = _parsed(("7시 | seven", "6시 반 | half past six", "8시 | eight", "11시 | eleven"))
_PAUSES = (8, 15, 25, 40, 60, 90, 150, 400)
