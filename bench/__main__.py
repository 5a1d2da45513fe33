"""`python -m bench`: prints Markdown tables of what was measured."""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.acts import measure_acts
from bench.app import measure_app
from bench.big_room import measure_big_room
from bench.browsing import LISTINGS, measure_browsing
from bench.chat import DEEPEST, measure_chat
from bench.crowd import measure_crowd
from bench.demo import measure_demo
from bench.figures import HEADER, Figures, row
from bench.flow import measure_flow
from bench.hints import measure_hints
from bench.many import measure_many
from bench.market import Market, running_market
from bench.processes import measure_processes
from bench.profiles import measure_profile
from bench.quiet import measure_quiet
from bench.refused import measure_refused
from bench.server_start import measure_server_start

_OF_A_SERVER = ("flow", "many", "chat", "big_room", "browsing", "acts", "quiet", "crowd")
PARTS = (*_OF_A_SERVER, "processes", "refused", "profile", "hints", "app", "demo", "start")
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
SCALES = ("small", "large")
_TOLD_FROM = 0.015


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", default=[], help=f"of {', '.join(PARTS)}; all if none")
    parser.add_argument("--database", choices=DATABASES, action="append", help="both if not given")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    asked = parser.parse_args()
    unknown = set(asked.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    parts = asked.parts or PARTS
    _print_head(asked.quick)
    for database in asked.database or DATABASES:
        if set(_OF_A_SERVER) & set(parts):
            with running_market(database) as market:
                found = asyncio.run(_measure_server(market, parts, asked.quick))
            _print(DATABASES[database], found)
        if "profile" in parts:
            _print_profiles(database)
    _measure_others(parts, asked.quick)


def _measure_others(parts: Sequence[str], quick: bool) -> None:
    share = 10 if quick else 1
    if "processes" in parts:
        _print("Several processes", measure_processes(sends=500 // share))
    if "refused" in parts:
        _print("Handshakes for nothing", measure_refused(tries=500 // share))
    if "hints" in parts:
        _print("The bus", asyncio.run(measure_hints(hints=100_000 // share)))
    if "app" in parts:
        _print("The app", measure_app(paints=2 if quick else 10))
    if "start" in parts:
        _print("The server's start", measure_server_start(rounds=2 if quick else 10))
    if "demo" in parts:
        rounds = 1 if quick else 5
        found = [one for scale in SCALES for one in measure_demo(scale, rounds=rounds)]
        _print("The demo market", found)


async def _measure_server(market: Market, parts: Sequence[str], quick: bool) -> list[Figures]:
    share = 10 if quick else 1
    found: list[Figures] = []
    if "flow" in parts:
        found += await measure_flow(market, sends=10_000 // share)
    if "many" in parts:
        found += await measure_many(market, seconds=20 // min(share, 4), clients=2_000 // share)
    if "chat" in parts:
        found += await measure_chat(
            market,
            sends=1_000 // share,
            pages=300 // share,
            deepest=DEEPEST // share,
        )
    if "big_room" in parts:
        found += await measure_big_room(
            market, messages=DEEPEST // share, rounds=2 if quick else 5, rows=20_000 // share
        )
    if "browsing" in parts:
        found += await measure_browsing(market, pages=200 // share, listings=LISTINGS // share)
    if "acts" in parts:
        found += await measure_acts(market, count=50 // share)
    if "quiet" in parts:
        found += await measure_quiet(market, sockets=400 // share, seconds=60)
    if "crowd" in parts:
        found += await measure_crowd(market, rooms=5_000 // share, likers=10_000 // share)
    return found


def _print_head(quick: bool) -> None:
    """Of what and on what: a figure without that is none."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], check=False, capture_output=True, text=True
    ).stdout.strip()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(
        "# Figures\n",
        "What `python -m bench` printed; [performance](performance.md) says what it means, and",
        "[capacity](capacity.md) what a number of users needs by it.\n",
        f"Commit {commit or 'unknown'}, {datetime.now(UTC):%Y-%m-%d}; {machine}; load"
        f" {os.getloadavg()[1]:.1f} when it began{'; a tenth of everything' if quick else ''}.",
        sep="\n",
        flush=True,
    )


def _print_profiles(database: str) -> None:
    found = measure_profile(database)
    owners = dict.fromkeys(owner for spent in found.values() for owner, _ in spent)
    print(f"\n## Where the CPU goes, {DATABASES[database]}\n")
    print(f"| | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}", sep="\n")
    for owner in owners:
        shares = [dict(spent).get(owner, 0.0) for spent in found.values()]
        if max(shares) >= _TOLD_FROM:
            print(f"| {owner} | {' | '.join(f'{share:.0%}' for share in shares)} |")
    sys.stdout.flush()


def _print(title: str, found: list[Figures]) -> None:
    print(f"\n## {title}\n", *HEADER, *(row(figures) for figures in found), sep="\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
