"""Token buckets, and so many within a while."""

from datetime import UTC, datetime, timedelta

import pytest

from server.platform.errors import TooMany
from server.platform.rates import Rate, RateLimiter, household, refuse_beyond

QUICK, LASTING = Rate("quick", burst=2, per_second=1), Rate("lasting", burst=10, per_second=0.1)
BOTH = (QUICK, LASTING)
NOW, HOUR = datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1)


def test_a_refusal_takes_a_token_of_no_bucket() -> None:
    now = 0.0
    rates = RateLimiter(lambda: now)
    assert [rates.wait_s(BOTH, "minji") for _ in range(5)] == [0, 0, 1, 1, 1]
    now = 2.0
    assert [rates.wait_s([LASTING], "minji") for _ in range(8)] == [0] * 8
    assert rates.wait_s(BOTH, "minji") == pytest.approx(8)
    assert [rates.wait_s([QUICK], "minji") for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("64:ff9b::203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_household_counts_as_one(address: str, counted: str) -> None:
    assert household(address) == counted


@pytest.mark.parametrize(
    ("minutes_ago", "most", "more", "wait_min"),
    [
        ([], 1, 1, None),
        ([10], 1, 1, 50),
        ([60], 1, 1, None),
        ([5, 20, 50], 4, 1, None),
        ([5, 20, 50], 3, 1, 10),
        ([5, 20, 50], 3, 2, 40),
        ([5, 20, 50], 2, 1, 40),
        ([5, 20, 50], 2, 3, 60),
        ([], 0, 1, 60),
    ],
)
def test_what_is_too_much_within_a_while_waits_until_it_fits(
    minutes_ago: list[int], most: int, more: int, wait_min: int | None
) -> None:
    moments = [NOW - timedelta(minutes=ago) for ago in minutes_ago]
    if wait_min is None:
        refuse_beyond(moments, most, HOUR, NOW, "Too many.", more=more)
        return
    with pytest.raises(TooMany) as refused:
        refuse_beyond(moments, most, HOUR, NOW, "Too many.", more=more)
    assert refused.value.retry_after_s == wait_min * 60
