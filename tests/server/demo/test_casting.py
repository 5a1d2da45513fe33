"""Who plays what in the demo market; no server needed."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from server.app.demo import neighbourhood
from server.app.demo.casting import DEMO, LARGE, SMALL, Casting, Item, Scale
from server.app.demo.content import people
from server.app.demo.stage import Offered
from server.app.demo.story import Story
from shared_models.market import CATEGORIES

END = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SMALL_TALK = Scale("large", 240, 4, 50, 730, 30, (0, 1, 2))
"""The large market without its long talk, which takes a while to make."""

SEEDS_WITH_GIFTS = range(3)


def cast(seed: int, scale: Scale) -> list[Item]:
    return Casting(Random(seed), people(), scale, END).items()


def retold(seed: int, end: datetime) -> tuple[list[object], float]:
    """What is cast, with its moments as they lie before the present, and the next draw after it."""
    rng = Random(seed)
    casting = Casting(rng, people(), SMALL, end)
    items = [
        (
            one.thing,
            one.seller,
            end - one.published,
            [(end - moment, liker) for moment, liker in one.likes],
            [(interest.buyer, end - interest.start) for interest in one.interests],
        )
        for one in casting.items()
    ]
    return [*items, *casting.drafts()], rng.random()


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
    assert sum(len(item.interests) for item in items) == 17
    assert {item.thing.category for item in items} == {category.id for category in CATEGORIES}


@pytest.mark.parametrize("seed", [*range(20), 298, 1464, 1831])
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


@pytest.mark.parametrize("days", [1, 20, 180])
def test_the_same_seed_casts_the_same_market_on_any_day(days: int) -> None:
    assert retold(5, END) == retold(5, END + timedelta(days=days, hours=5))


def test_only_what_costs_more_than_the_least_is_cut_in_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut: list[Offered] = []

    def note(errand: Any) -> Any:
        if errand.func is neighbourhood.price_cut:
            cut.append(errand.args[0])

    monkeypatch.setattr(neighbourhood, "once", note)
    for seed in SEEDS_WITH_GIFTS:
        items = cast(seed, SMALL_TALK)
        nobody: Any = None
        shelf = [Offered(item.thing, nobody, item.published) for item in items]
        stage: Any = SimpleNamespace(end=END)
        Story(stage, [nobody] * 30).run_errands(items, shelf, [])
    assert len(cut) == 3 * len(SEEDS_WITH_GIFTS)
    assert all(offered.thing.price > 1_000 for offered in cut)
