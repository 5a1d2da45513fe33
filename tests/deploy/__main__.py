"""`python -m tests.deploy`: breaks every part of a fleet, one after another, under load.

Exits with 1 when something was lost, doubled or half done, with the details and the seed.
"""

import argparse
import asyncio
import secrets
import sys

from tests.deploy.ordeal import report, run
from tests.servers.lifetime import Lifetime


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="of every hardship")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    asked = parser.parse_args()
    print(f"seed {asked.seed}, {asked.rounds} rounds of every hardship", flush=True)
    with Lifetime.begin() as lifetime:
        outcome = asyncio.run(run(asked.rounds, asked.seed, lifetime))
    print(report(outcome))
    if outcome.is_clean:
        return 0
    print(f"Something is wrong; again with --seed {asked.seed}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
