"""The demo market's people, things and talk."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from server.app.demo.content import Person, Thing, people, things
from server.app.demo.drawings import DRAWINGS
from server.app.demo.pictures import COLOURS
from server.app.demo.talk import conversation, live_line, long_talk
from server.app.demo.texts import Phrase, load
from server.chat.guard import find
from server.listings.prohibited import prohibited_in
from shared_models.market import CATEGORIES, REVIEW_TAGS, Condition, Limits, Method
from shared_models.text import clean_line, clean_text

LIMITS = Limits()
END = datetime(2026, 11, 1, 9, tzinfo=UTC)
STAGES = tuple(name for name, value in load("dialogues").items() if isinstance(value[0], list))


def sellers(seed: int, count: int = 240) -> list[Person]:
    rng = Random(seed)
    everybody = people()
    return [rng.choice(everybody) for _ in range(count)]


def catalogue(seed: int = 1, count: int = 240) -> list[Thing]:
    return things(Random(seed), sellers(seed, count))


def test_thirty_people_have_valid_and_different_handles_and_names() -> None:
    everybody = people()
    assert len(everybody) == 30
    assert len({person.handle for person in everybody}) == 30
    assert len({person.name for person in everybody}) == 30
    for person in everybody:
        assert LIMITS.handle_min <= len(person.handle) <= LIMITS.handle_max
        assert set(person.handle) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
        assert 1 <= len(person.name) <= LIMITS.display_name_max
        assert 1 <= len(person.place) <= LIMITS.place_max
    assert {person.language for person in everybody} == {"ko", "en"}


def test_the_same_seed_gives_the_same_things_and_another_seed_gives_others() -> None:
    assert catalogue(3) == catalogue(3)
    assert catalogue(3) != catalogue(4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_things_fill_every_category_evenly_and_no_title_comes_twice(seed: int) -> None:
    offered = catalogue(seed)
    by_category = Counter(thing.category for thing in offered)
    assert by_category == {category.id: 15 for category in CATEGORIES}
    assert len({thing.title for thing in offered}) == 240


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_things_keep_the_markets_limits(seed: int) -> None:
    for thing in catalogue(seed):
        assert LIMITS.title_min <= len(thing.title) <= LIMITS.title_max
        assert LIMITS.description_publish_min <= len(thing.description) <= LIMITS.description_max
        assert clean_line(thing.title) == thing.title
        assert clean_text(thing.description) == thing.description
        assert "{" not in thing.title + thing.description
        assert 0 <= thing.price <= LIMITS.price_max
        assert thing.drawing in DRAWINGS
        assert thing.colour in COLOURS
        assert thing.questions


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_prohibited_is_offered(seed: int) -> None:
    for thing in catalogue(seed):
        assert prohibited_in(thing.title) is None
        assert prohibited_in(thing.description) is None


def test_a_market_has_every_condition_and_method_giveaways_and_both_languages() -> None:
    offered = catalogue()
    assert {thing.condition for thing in offered} == set(Condition)
    assert {thing.method for thing in offered} == set(Method)
    assert {thing.pictures for thing in offered} == {1, 2, 3, 4}
    assert {thing.language for thing in offered} == {"ko", "en"}
    giveaways = [thing for thing in offered if thing.price == 0]
    assert 5 <= len(giveaways) <= 60
    assert not any(thing.negotiable for thing in giveaways)
    assert any(thing.negotiable for thing in offered)


def test_every_drawing_is_offered_and_every_catalogue_item_can_be_drawn() -> None:
    items = [item for category in CATEGORIES for item in load(f"catalogue/{category.id}")["items"]]
    assert {item["drawing"] for item in items} == set(DRAWINGS)


def test_conversations_fill_every_slot_and_pass_the_scam_guard_in_both_languages() -> None:
    rng = Random(5)
    for thing in catalogue():
        for line in conversation(rng, thing, thing.language, (*STAGES, "questions"), 12_000):
            assert 1 <= len(line.text) <= LIMITS.message_max
            assert "{" not in line.text
            assert find(line.text) is None, line.text
        assert find(live_line(rng, thing.language)) is None


def test_a_conversation_has_both_voices_and_is_the_same_for_the_same_seed() -> None:
    thing = catalogue()[0]
    lines = conversation(Random(1), thing, "en", ("greetings", "questions"), 1_000)
    assert {line.by_buyer for line in lines} == {True, False}
    assert lines == conversation(Random(1), thing, "en", ("greetings", "questions"), 1_000)


def test_the_long_talk_has_the_wanted_length_in_the_order_of_time_and_no_scam() -> None:
    notes = long_talk(Random(9), 20_000, END, 730)
    assert len(notes) == 20_000
    assert all(a.at <= b.at for a, b in pairwise(notes))
    assert END - timedelta(days=731) <= notes[0].at
    assert notes[-1].at <= END
    assert notes[-1].at - notes[0].at > timedelta(days=700)
    for text in {note.text for note in notes}:
        assert find(text) is None, text
        assert clean_text(text) == text
        assert "{" not in text


def test_the_long_talk_varies() -> None:
    notes = long_talk(Random(9), 20_000, END, 730)
    for start in range(0, 19_900, 100):
        assert len({note.text for note in notes[start : start + 100]}) >= 70
    assert 0.4 < sum(note.by_buyer for note in notes) / len(notes) < 0.6


def test_a_short_long_talk_also_has_exactly_the_wanted_length() -> None:
    assert len(long_talk(Random(9), 2_000, END, 120)) == 2_000
    assert len(long_talk(Random(9), 7, END, 5)) == 7


def test_reviews_use_the_markets_tags_and_limits() -> None:
    tags = {tag.id for tag in REVIEW_TAGS}
    for review in load("reviews")["reviews"]:
        assert 1 <= review["rating"] <= 5
        assert set(review["tags"]) <= tags
        assert len(review["tags"]) <= LIMITS.review_tags_max
        for comment in review["comments"]:
            phrase = Phrase.parse(comment)
            assert phrase.ko != phrase.en
            assert max(len(phrase.ko), len(phrase.en)) <= LIMITS.review_max
