"""`python -m tests.faults`: breaks servers, bus, connections and disks while people talk.

Exits with 1 when a message was lost, doubled or reordered, with the details and the seed.
"""

import argparse
import asyncio
import secrets
import sys

from tests.faults.run import report, run
from tests.servers.lifetime import Lifetime


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=1, help="of faults, in both towns together"
    )
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    asked = parser.parse_args()
    print(f"seed {asked.seed}, {asked.minutes:g} minutes of faults", flush=True)
    with Lifetime.begin() as lifetime:
        outcomes = asyncio.run(run(asked.minutes, asked.seed, lifetime))
    print(report(outcomes))
    if all(outcome.tally.is_clean for outcome in outcomes):
        return 0
    print(f"Something is wrong; again with --seed {asked.seed}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
