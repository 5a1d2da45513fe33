"""One minute of faults in every run; `make faults` does as many as one likes."""

import secrets

import pytest

from tests.faults.run import report, run
from tests.servers.lifetime import Lifetime


@pytest.mark.timeout(300)
async def test_nothing_is_lost_doubled_or_reordered_in_a_minute_of_faults(
    private_lifetime: Lifetime, postgres_url: str
) -> None:
    seed = secrets.randbits(32)
    outcomes = await run(1, seed, private_lifetime, database_url=postgres_url)
    told = f"seed {seed}\n{report(outcomes)}"
    print(told)
    assert all(outcome.tally.is_clean for outcome in outcomes), told
    assert all(outcome.tally.sent and outcome.faults for outcome in outcomes), told
