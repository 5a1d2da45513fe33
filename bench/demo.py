"""The demo market: from the command to a market one can use."""

import asyncio
import time
from contextlib import aclosing

from bench.figures import Figures
from client_tui.demo.market import DemoMarket, Filled, Listening
from client_tui.demo.market import Progress as Share

_SEED = 1


def measure_demo(scale: str, *, rounds: int) -> list[Figures]:
    """Wall times of filling a market of this scale and of opening it, each from its process on."""
    starting = Figures(f"demo, {scale}: its server begins to fill")
    filling = Figures(f"demo, {scale}: filling", note="what the progress bar shows")
    opening = Figures(f"demo, {scale}: open for business, from the beginning")
    for _ in range(rounds):
        first, filled, listening = asyncio.run(_moments(scale))
        starting.samples.append(first * 1000)
        filling.samples.append((filled - first) * 1000)
        opening.samples.append(listening * 1000)
    return [starting, filling, opening]


async def _moments(scale: str) -> tuple[float, float, float]:
    """Seconds until the first share of it, all of it, and the server."""
    started = time.perf_counter()
    first = filled = 0.0
    with DemoMarket(seed=_SEED, scale=scale) as market:
        async with aclosing(market.news()) as news:
            async for one in news:
                now = time.perf_counter() - started
                match one:
                    case Share() if not first:
                        first = now
                    case Filled():
                        filled = now
                    case Listening():
                        return first, filled, now
    raise RuntimeError("The demo market did not open.")
