"""One run of faults: two towns, one after the other, and what is left of what was said in them."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from tests.faults.accounts import COLUMNS, Tally, settle
from tests.faults.breaking import Breaker
from tests.faults.people import Talker, talkers
from tests.faults.town import Town, alone, fleet
from tests.faults.waiting import came
from tests.servers.lifetime import Lifetime

FLEETS_SHARE = 2 / 3
HANDS = 2

OpenTown = Callable[[Lifetime, Random], AbstractAsyncContextManager[Town]]


@dataclass
class Outcome:
    """What a town has been through."""

    town: str
    tally: Tally
    faults: Counter[str]
    told_to_try_again: int
    """How often a server with a full disk refused a message for the moment."""


async def run(
    minutes: float, seed: int, lifetime: Lifetime, *, database_url: str | None = None
) -> list[Outcome]:
    """Break both towns, for this long together; the first on this PostgreSQL or on its own."""
    random = Random(seed)
    several = partial(fleet, database_url=database_url)
    async with AsyncExitStack() as stack:

        async def opened(open_town: OpenTown) -> Populated:
            town_random = Random(random.random())
            town = await stack.enter_async_context(open_town(lifetime, town_random))
            folder = Path(lifetime.directory, "people", town.name)
            people = await stack.enter_async_context(talkers(town.front.url, folder, town_random))
            await town.start_the_rest()
            return Populated(town, people, town_random)

        both = await asyncio.gather(opened(several), opened(alone))
        shares = (FLEETS_SHARE, 1 - FLEETS_SHARE)
        return [
            await live(one, minutes * 60 * share) for one, share in zip(both, shares, strict=True)
        ]


@dataclass
class Populated:
    """A town with people in it, who are not live yet."""

    town: Town
    people: list[Talker]
    random: Random


async def live(place: Populated, seconds: float) -> Outcome:
    """Let people talk in a town while it is broken, and draw up its accounts."""
    over, people = asyncio.Event(), place.people
    breaker = Breaker(place.town, people, place.random, over)
    async with AsyncExitStack() as lines:
        for talker in people:
            await lines.enter_async_context(talker.live())
        async with asyncio.TaskGroup() as work:
            for talker in people:
                work.create_task(talker.talk(over))
            work.create_task(breaker.run(HANDS))
            await came(asyncio.Event(), seconds)
            over.set()
        tally = await settle(people, breaker.probe.writer)
        tally.details += breaker.probe.troubles
        return Outcome(place.town.name, tally, breaker.done, breaker.probe.refusals)


def report(outcomes: list[Outcome]) -> str:
    """Markdown: a table of messages, what was done how often, and what is wrong."""
    total = Tally()
    for outcome in outcomes:
        total += outcome.tally
    rows = [*((outcome.town, outcome.tally) for outcome in outcomes), ("together", total)]
    heads = [*COLUMNS, "99 % came within", "slowest once all was whole"]
    lines = [f"| | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for name, tally in rows:
        figures = [f"{getattr(tally, column):,}" for column in COLUMNS]
        figures += [f"{tally.most_delays_s:.1f} s", f"{tally.slowest_in_calm_s:.1f} s"]
        lines.append(f"| {name} | {' | '.join(figures)} |")
    for outcome in outcomes:
        done = ", ".join(f"{name} {count}" for name, count in sorted(outcome.faults.items()))
        refused = f"{outcome.tally.refused} messages refused by a client's full disk"
        again = f"{outcome.told_to_try_again} for the moment by a server's"
        lines += ["", f"{outcome.town}: {done}; {refused}, {again}."]
    return "\n".join([*lines, *(f"- {detail}" for detail in total.details)])
