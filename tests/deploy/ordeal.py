"""One run of a fleet: people talk and trade while it is broken, and then all is recounted."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from random import Random

import asyncpg

from tests.deploy.fleet import Fleet, deployed
from tests.deploy.hardships import BREATH_S, Hardship, all_of
from tests.deploy.traders import Trader, told_otherwise, traders
from tests.faults.accounts import Tally, settle
from tests.faults.people import Talker, talkers
from tests.faults.waiting import came
from tests.server.demo.recount import read_market
from tests.servers.lifetime import Lifetime

PAIRS = 3


@dataclass
class Outcome:
    """What was done and what was seen; ``broken`` is what contradicts the market's invariants."""

    proxy: str
    tally: Tally
    deals: int
    seen: list[tuple[str, float, int, int]] = field(default_factory=list)
    """Of each hardship: its name, seconds, messages acknowledged and steps of trades meanwhile."""
    broken: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing lost, doubled, reordered or half done."""
        return self.tally.is_clean and not self.broken


Choice = Callable[[Fleet, Random], list[Hardship]]


async def run(rounds: int, seed: int, lifetime: Lifetime, choice: Choice = all_of) -> Outcome:
    """Put a fleet through what ``choice`` names, so many times."""
    random, folder = Random(seed), Path(lifetime.directory, "people")
    async with AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(deployed(lifetime, random))
        url = fleet.proxy.url
        people = await stack.enter_async_context(talkers(url, folder, random))
        dealers = await stack.enter_async_context(traders(url, folder, PAIRS))
        for talker in people:
            await stack.enter_async_context(talker.live())
        over, seen = asyncio.Event(), []
        async with asyncio.TaskGroup() as work:
            for talker in people:
                work.create_task(talker.talk(over))
            for trader in dealers:
                work.create_task(trader.trade(over))
            for _ in range(rounds):
                seen += await _put_through(choice(fleet, random), people, dealers)
            over.set()
        tally = await settle(people)
        outcome = Outcome(fleet.proxy.name, tally, sum(trader.deals for trader in dealers), seen)
        devices = [one for trader in dealers for one in trader.devices]
        told = await asyncio.gather(*map(told_otherwise, devices))
        outcome.broken = [*chain(*told), *await _recount(fleet.database.url, outcome.deals)]
        return outcome


async def _put_through(
    hardships: list[Hardship], people: list[Talker], dealers: list[Trader]
) -> list[tuple[str, float, int, int]]:
    def done() -> tuple[int, int]:
        sent = sum(len(talker.writer.acknowledged) for talker in people)
        return sent, sum(trader.steps for trader in dealers)

    found, clock = [], asyncio.get_running_loop()
    for hardship in hardships:
        began, (sent, steps) = clock.time(), done()
        await hardship.befall()
        await came(asyncio.Event(), BREATH_S)
        more, further = done()
        found.append((hardship.name, clock.time() - began, more - sent, further - steps))
    return found


async def _recount(url: str, deals: int) -> list[str]:
    market = await read_market(url)
    broken = market.broken(datetime.now(UTC))
    completed = sum(trade.state == "completed" for trade in market.trades)
    if not completed == len(market.trades) == deals:
        broken.append(f"{deals} deals, {completed} of {len(market.trades)} trades completed")
    if len(market.reviews) != 2 * deals:
        broken.append(f"{deals} deals, {len(market.reviews)} reviews")
    connection = await asyncpg.connect(url)
    try:
        dead = await connection.fetch("SELECT kind, error FROM platform_job WHERE dead_at NOTNULL")
    finally:
        await connection.close()
    return [*broken, *(f"a dead job: {job['kind']}: {job['error']}" for job in dead)]


def report(outcome: Outcome) -> str:
    """Markdown: what was done, and what was seen."""
    tally = outcome.tally
    lines = [
        "| done | took | messages acknowledged meanwhile | steps of trades meanwhile |",
        "|---|---:|---:|---:|",
    ]
    for name, seconds, sent, steps in outcome.seen:
        lines.append(f"| {name} | {seconds:.1f} s | {sent} | {steps} |")
    lines += ["", _in_sum(outcome)]
    return "\n".join([*lines, *(f"- {problem}" for problem in (*tally.details, *outcome.broken))])


def _in_sum(outcome: Outcome) -> str:
    tally = outcome.tally
    return (
        f"Behind {outcome.proxy}: {tally.sent:,} messages sent, {tally.acknowledged:,} "
        f"acknowledged, {tally.delivered:,} delivered; {tally.lost} lost, {tally.doubled} doubled, "
        f"{tally.reordered} reordered. {outcome.deals} deals from the first photo to the last "
        f"review; {len(outcome.broken)} contradictions when all was recounted."
    )
