"""One minute of faults in every run; `make faults` does as many as one likes."""

import secrets

import pytest

from tests.faults.breaking import IN_A_FLEET, IN_EVERY_RUN, ON_SQLITE, told
from tests.faults.run import report, run
from tests.servers.lifetime import Lifetime


@pytest.mark.timeout(300)
async def test_nothing_is_lost_doubled_or_reordered_in_a_minute_of_faults(
    private_lifetime: Lifetime, postgres_url: str
) -> None:
    seed = secrets.randbits(32)
    outcomes = await run(1, seed, private_lifetime, database_url=postgres_url)
    told_of_run = f"seed {seed}\n{report(outcomes)}"
    print(told_of_run)
    assert all(outcome.tally.is_clean for outcome in outcomes), told_of_run
    assert all(outcome.tally.sent for outcome in outcomes), told_of_run
    fleet, alone = outcomes
    assert fleet.faults.keys() >= set(map(told, (*IN_EVERY_RUN, *IN_A_FLEET))), told_of_run
    assert alone.faults.keys() >= set(map(told, ON_SQLITE)), told_of_run
