"""Some hardships in every run; `make fleet` does all of them, as often as one likes."""

import secrets

import pytest

from tests.deploy.hardships import some_of
from tests.deploy.ordeal import report, run
from tests.servers.lifetime import Lifetime


@pytest.mark.timeout(300)
async def test_nothing_is_lost_doubled_or_half_done_while_parts_are_broken(
    private_lifetime: Lifetime,
) -> None:
    seed = secrets.randbits(32)
    outcome = await run(1, seed, private_lifetime, some_of)
    told = f"seed {seed}\n{report(outcome)}"
    print(told)
    assert outcome.is_clean, told
    assert outcome.tally.sent, told
    assert outcome.deals, told
