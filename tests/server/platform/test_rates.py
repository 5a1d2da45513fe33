"""Token buckets."""

import pytest

from server.platform.rates import Rate, RateLimiter

QUICK, LASTING = Rate("quick", burst=2, per_second=1), Rate("lasting", burst=10, per_second=0.1)
BOTH = (QUICK, LASTING)


def test_a_refusal_takes_a_token_of_no_bucket() -> None:
    now = 0.0
    rates = RateLimiter(lambda: now)
    assert [rates.wait_s(BOTH, "minji") for _ in range(5)] == [0, 0, 1, 1, 1]
    now = 2.0
    assert [rates.wait_s([LASTING], "minji") for _ in range(8)] == [0] * 8
    assert rates.wait_s(BOTH, "minji") == pytest.approx(8)
    assert [rates.wait_s([QUICK], "minji") for _ in range(3)] == [0, 0, 1]
