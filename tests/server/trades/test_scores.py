"""The manner score's formula (rule 14)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from server.accounts.api import START_SCORE
from server.trades.records import ReviewRecord
from server.trades.scores import BAD_TAGS, manner_score
from shared_models.market import REVIEW_TAGS

NOW = datetime(2026, 5, 4, tzinfo=UTC)
TAGS = [tag.id for tag in REVIEW_TAGS]


def a_review(rating: int, tags: tuple[str, ...] = (), days_ago: float = 0) -> ReviewRecord:
    at = NOW - timedelta(days=days_ago)
    nobody = UUID(int=0)
    return ReviewRecord(
        id=nobody,
        trade_id=nobody,
        author_id=nobody,
        subject_id=nobody,
        rating=rating,
        tags=list(tags),
        comment="",
        answer=None,
        published_at=at,
        hidden_at=None,
        created_at=at,
    )


reviews = st.lists(
    st.builds(
        a_review,
        rating=st.integers(1, 5),
        tags=st.lists(st.sampled_from(TAGS), max_size=5, unique=True).map(tuple),
        days_ago=st.floats(0, 2000),
    ),
    max_size=60,
)


def test_everybody_starts_at_36_5() -> None:
    assert manner_score([], NOW) == START_SCORE == 36.5


@given(reviews)
def test_a_score_is_between_0_and_99_with_one_decimal(found: list[ReviewRecord]) -> None:
    score = manner_score(found, NOW)
    assert 0 <= score <= 99
    assert round(score, 1) == score


@given(reviews, st.floats(0, 3000))
def test_being_idle_never_lowers_a_score(found: list[ReviewRecord], days: float) -> None:
    assert manner_score(found, NOW + timedelta(days=days)) >= manner_score(found, NOW)


@given(reviews)
def test_a_praising_review_never_lowers_a_good_score(found: list[ReviewRecord]) -> None:
    good = [replace(review, rating=5, tags=[]) for review in found]
    assert manner_score([a_review(5), *good], NOW) >= manner_score(good, NOW)


@given(reviews)
def test_a_blaming_review_never_raises_a_score(found: list[ReviewRecord]) -> None:
    assert manner_score([a_review(1), *found], NOW) <= manner_score(found, NOW)


def test_newer_good_reviews_weigh_more() -> None:
    newest_best = [a_review(5), a_review(4)]
    assert manner_score(newest_best, NOW) >= manner_score(newest_best[::-1], NOW)


def test_bad_points_fade_after_a_year_and_are_gone_after_two() -> None:
    fresh = manner_score([a_review(1, days_ago=364)], NOW)
    fading = manner_score([a_review(1, days_ago=540)], NOW)
    gone = manner_score([a_review(1, days_ago=730)], NOW)
    assert fresh == manner_score([a_review(1)], NOW) < fading < gone == START_SCORE


def test_every_tag_is_good_or_bad() -> None:
    assert set(TAGS) > BAD_TAGS


@given(reviews, st.lists(st.floats(0, 2000), max_size=5))
def test_a_no_show_weighs_as_a_rating_of_1_and_fades_with_it(
    found: list[ReviewRecord], days_ago: list[float]
) -> None:
    since = [NOW - timedelta(days=days) for days in days_ago]
    blamed = [*found, *(a_review(1, days_ago=days) for days in days_ago)]
    assert manner_score(found, NOW, since) == manner_score(blamed, NOW)


def test_no_shows_alone_make_a_score() -> None:
    assert manner_score([], NOW, [NOW]) == 28.0
    assert manner_score([], NOW, [NOW] * 50) == 0
