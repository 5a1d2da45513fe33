"""The manner score: one open formula over reviews and no-shows (rule 14). Pure, recomputable.

``36.5 + 62.5 * (1 - exp(-P / 40)) - 36.5 * (1 - exp(-N / 15))``, with P and N the weighted good
and bad points of all published reviews and upheld no-shows:

* a rating of 5 is 2 good points, 4 is 1, 3 is none, 2 is 2 bad points, 1 is 4;
* an upheld no-show is 4 bad points, as a rating of 1, whether or not a review speaks of it too;
* a tag adds half a point to the good or one to the bad side;
* the n-th newest review's good points count 0.98 to the power of n, so good points lose weight
  only when newer reviews exist, and being idle never lowers the score;
* bad points count in full for 365 days and then fade to nothing over another 365.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from server.accounts.api import START_SCORE
from server.trades.records import ReviewRecord

BAD_TAGS = frozenset({"late", "slow_replies", "not_as_described", "rude", "no_show"})

_GOOD_OF_RATING = {5: 2.0, 4: 1.0}
_BAD_OF_RATING = {2: 2.0, 1: 4.0}
_BAD_OF_NO_SHOW = 4.0
_WEIGHT_PER_NEWER = 0.98
_YEAR = timedelta(days=365)
FADE_BEGINS, FADE_ENDS = _YEAR, 2 * _YEAR
"""The age of a review or a no-show between which its bad points fade."""


def manner_score(
    reviews: Sequence[ReviewRecord], now: datetime, no_shows: Sequence[datetime] = ()
) -> float:
    """The score of whom these published reviews (newest first) are about, 0 to 99, one decimal.

    ``no_shows`` are the times since which each upheld no-show counts.
    """
    good = sum(
        good_points(review) * _WEIGHT_PER_NEWER**newer for newer, review in enumerate(reviews)
    )
    bad = sum(
        bad_points(review) * _bad_weight(review.published_at or review.created_at, now)
        for review in reviews
    )
    bad += sum(_BAD_OF_NO_SHOW * _bad_weight(since, now) for since in no_shows)
    gained, lost = 62.5 * (1 - math.exp(-good / 40)), START_SCORE * (1 - math.exp(-bad / 15))
    return round(min(99.0, max(0.0, START_SCORE + gained - lost)), 1)


def good_points(review: ReviewRecord) -> float:
    """What the review adds to the good side."""
    tags = sum(0.5 for tag in review.tags if tag not in BAD_TAGS)
    return _GOOD_OF_RATING.get(review.rating, 0.0) + tags


def bad_points(review: ReviewRecord) -> float:
    """What the review adds to the bad side."""
    tags = sum(1.0 for tag in review.tags if tag in BAD_TAGS)
    return _BAD_OF_RATING.get(review.rating, 0.0) + tags


def _bad_weight(since: datetime, now: datetime) -> float:
    faded = (now - since - _YEAR) / _YEAR
    return min(1.0, max(0.0, 1 - faded))
