"""Who plays what in the demo market; no server needed."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from server.app.demo.casting import DEMO, LARGE, SMALL, Casting, Item, Scale
from server.app.demo.content import people
from shared_models.market import CATEGORIES

END = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SMALL_TALK = Scale("large", 240, 4, 50, 730, 30, (0, 1, 2))
"""The large market without its long talk, which takes a while to make."""


def cast(seed: int, scale: Scale) -> list[Item]:
    return Casting(Random(seed), people(), scale, END).items()


def test_the_large_market_has_240_listings_in_every_category_and_60_rooms() -> None:
    items = cast(1, SMALL_TALK)
    assert len(items) == LARGE.listings == 240
    assert sum(len(item.interests) for item in items) == 60
    assert {item.thing.category for item in items} == {category.id for category in CATEGORIES}
    assert {item.thing.pictures for item in items} == {1, 2, 3, 4}
    assert LARGE.talk_messages == 20_000


def test_the_small_market_has_fewer_listings_and_rooms_but_every_category() -> None:
    items = cast(1, SMALL)
    assert len(items) == SMALL.listings
    assert sum(len(item.interests) for item in items) == 20
    assert {item.thing.category for item in items} == {category.id for category in CATEGORIES}


@pytest.mark.parametrize("seed", range(20))
def test_every_seed_can_be_cast(seed: int) -> None:
    for item in cast(seed, SMALL_TALK):
        buyers = [interest.buyer for interest in item.interests]
        assert item.seller not in buyers
        assert len(set(buyers)) == len(buyers)
        assert all(item.published < interest.start < END for interest in item.interests)
        assert all(item.published < moment < END for moment, _ in item.likes)
        assert item.seller not in [liker for _, liker in item.likes]


def test_the_demo_person_sells_and_buys_and_has_drafts() -> None:
    casting = Casting(Random(1), people(), SMALL_TALK, END)
    items = casting.items()
    sells = [item for item in items if item.seller == DEMO]
    buys = [one for item in items for one in item.interests if one.buyer == DEMO]
    assert len(sells) >= 14
    assert len(buys) >= 10
    assert len(casting.drafts()) == 2


def test_only_the_friends_listing_is_older_than_seven_weeks() -> None:
    items = cast(1, SMALL_TALK)
    old = [item for item in items if item.published < END - timedelta(days=49)]
    assert old == [items[-1]]


def test_the_same_seed_casts_the_same_market() -> None:
    def told(seed: int) -> list[tuple[object, ...]]:
        return [(one.thing, one.seller, one.published, one.likes) for one in cast(seed, SMALL)]

    assert told(5) == told(5)
    assert Counter(map(str, told(5))) != Counter(map(str, told(6)))
