"""Puts people and things into the plots: who sells what, to whom, from when on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

from server.app.demo import plots
from server.app.demo.cast import Role, roles
from server.app.demo.content import Person, Thing, thing_drawn_as, things
from server.app.demo.talk import long_talk
from shared_models.market import Method

DEMO = 0
"""The number of the person who signs in to the demo."""

_CANDIDATES = 60
_DEMO_PLAIN = 3
_MORE = 20
FRIEND = "kyung_bikes"
"""With whom the demo person has the long talk."""

_PUBLISHED_BEFORE_H = (4, 110)
_BYSTANDER_BEFORE_H = (3, 10)
_OLDEST_DAYS = 40
_DRAFTS = 2


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the market is.

    `talk_days` is how long two of its people have been writing, `faces` how many have a picture of
    themselves, `likes` what the number of likes of a listing is drawn from.
    """

    name: str
    listings: int
    pictures_max: int
    talk_messages: int
    talk_days: int
    faces: int
    likes: tuple[int, ...]


LARGE = Scale("large", 240, 4, 20_000, 730, 30, (0, 0, 0, 1, 1, 3))
SMALL = Scale("small", 32, 1, 1_000, 120, 3, (0, 0, 1))
SCALES = {scale.name: scale for scale in (LARGE, SMALL)}


@dataclass(frozen=True, slots=True)
class Interest:
    """One buyer's story about a listing."""

    buyer: int
    start: datetime
    plot: plots.ScenePlot


@dataclass(frozen=True, slots=True)
class Item:
    """A listing to be: what, by whom, from when on, who likes it when, and its stories."""

    thing: Thing
    seller: int
    published: datetime
    likes: tuple[tuple[datetime, int], ...]
    interests: tuple[Interest, ...]


class Casting:
    """Deals the things out to the plots. The same for the same seed, scale and present."""

    def __init__(
        self, rng: Random, everybody: Sequence[Person], scale: Scale, end: datetime
    ) -> None:
        self._rng = rng
        self._everybody = everybody
        self._scale = scale
        self._end = end
        self._others = range(1, len(everybody))
        self._pool: list[tuple[Thing, int]] = []
        others = [rng.choice(self._others) for _ in range(scale.listings)]
        self._draw([DEMO] * _CANDIDATES + others)

    def items(self) -> list[Item]:
        """Every listing: those with a story, the others, and last the one of two friends."""
        small = self._scale is SMALL
        played = [self._played(role) for role in roles(self._rng, self._end, small=small)]
        mine = [self._take(DEMO, lambda _: True) for _ in range(_DEMO_PLAIN)]
        spare = [one for one in self._pool if one[1] != DEMO]
        plain = [*mine, *spare[: self._scale.listings - len(played) - len(mine) - 1]]
        return [*played, *(self._plain(*one) for one in plain), self._friends()]

    def drafts(self) -> list[Thing]:
        """What the demo person has begun to write; to be asked for after the items."""
        return [self._take(DEMO, lambda _: True)[0] for _ in range(_DRAFTS)]

    def _trimmed(self, thing: Thing) -> Thing:
        return replace(thing, pictures=min(thing.pictures, self._scale.pictures_max))

    def _draw(self, sellers: Sequence[int]) -> None:
        """One more thing of each of them."""
        drawn = things(self._rng, [self._everybody[one] for one in sellers])
        self._pool += [
            (self._trimmed(thing), seller) for thing, seller in zip(drawn, sellers, strict=True)
        ]

    def _take(self, seller: int | None, needs: Callable[[Thing], bool]) -> tuple[Thing, int]:
        """Take the first thing that suits; of anybody but the demo person for None.

        A rare need, such as a gift, may be met by none of the things; more are drawn until it is.
        """
        looked_at = 0
        while True:
            for index, (thing, owner) in enumerate(self._pool[looked_at:], looked_at):
                suits = owner == seller if seller is not None else owner != DEMO
                if suits and needs(thing):
                    return self._pool.pop(index)
            looked_at = len(self._pool)
            more = [seller] if seller is not None else list(self._others)
            self._draw(more * _MORE)

    def _played(self, role: Role) -> Item:
        thing, seller = self._take(DEMO if role.kind == "s" else None, role.needs)
        buyer = DEMO if role.kind == "b" else self._somebody_but(seller)
        interests = [Interest(buyer, role.start, role.plot)]
        if role.bystander:
            other = self._somebody_but(seller, buyer)
            start = role.start - timedelta(hours=self._rng.uniform(*_BYSTANDER_BEFORE_H))
            plot = self._rng.choice((plots.bystander, plots.outbid))
            interests.append(Interest(other, start, plot))
        first = min(interest.start for interest in interests)
        published = first - timedelta(hours=self._rng.uniform(*_PUBLISHED_BEFORE_H))
        return Item(thing, seller, published, self._likes(published, seller), tuple(interests))

    def _plain(self, thing: Thing, seller: int) -> Item:
        age = timedelta(days=_OLDEST_DAYS * self._rng.betavariate(1, 2.2), minutes=30)
        published = self._end - age
        return Item(thing, seller, published, self._likes(published, seller), ())

    def _friends(self) -> Item:
        handles = [person.handle for person in self._everybody]
        seller = handles.index(FRIEND)
        thing = thing_drawn_as(self._rng, "bicycle", self._everybody[seller])
        thing = replace(self._trimmed(thing), method=Method.MEET)
        start = self._end - timedelta(days=self._scale.talk_days + 9)
        # How often this draws depends on the date, so it draws from a source of its own: whatever
        # follows is the same on any day.
        own = Random(self._rng.getrandbits(64))
        notes = long_talk(own, self._scale.talk_messages, self._end, self._scale.talk_days)
        story = Interest(DEMO, start, partial(plots.friendship, notes=notes))
        return Item(thing, seller, start - timedelta(days=2), (), (story,))

    def _likes(self, published: datetime, seller: int) -> tuple[tuple[datetime, int], ...]:
        rng, count = self._rng, self._rng.choice(self._scale.likes)
        likers = rng.sample([one for one in self._others if one != seller], count)
        span = self._end - published - timedelta(minutes=2)
        moments = sorted(published + span * rng.uniform(0.02, 1) for _ in likers)
        return tuple(zip(moments, likers, strict=True))

    def _somebody_but(self, *excluded: int) -> int:
        return self._rng.choice([one for one in self._others if one not in excluded])
