"""Many sockets: what a delivery costs, and how soon all are back after a restart."""

import asyncio
import time
from collections.abc import Sequence
from itertools import chain
from random import random
from statistics import median

from websockets.exceptions import ConnectionClosed

from bench.figures import Figures, counted, measured
from bench.market import Market
from bench.sockets import Device, Peer, Sender, SentAway, Talk, talk
from client_tui.core.line import Ended

DEVICES = 8
"""As many as one account may have."""
RATE = 5.0
"""Messages a second to each account."""
_ROUNDS = 5
"""What is told is the median of so many."""


async def measure_many(market: Market, *, seconds: int, clients: int) -> list[Figures]:
    """Deliveries to 200 sockets, and a restart under so many clients."""
    talks = [await talk(market, f"many_{number}") for number in range(200 // DEVICES)]
    single = await deliveries(market, talks, 1, seconds)
    all_devices = await deliveries(market, talks, DEVICES, seconds)
    extra = [_cost_us(single, all_devices)]
    for _ in range(_ROUNDS - 1):
        turn = [await deliveries(market, talks, count, seconds) for count in (1, DEVICES)]
        extra.append(_cost_us(*turn))
    all_devices.note = (
        f"{median(extra):.0f} µs of server CPU a delivery more than to one device each, the median "
        f"of {_ROUNDS}"
    )
    return [single, all_devices, await _restart(market, talks, clients)]


def _cost_us(single: Figures, many: Figures) -> float:
    more = many.operations - single.operations
    return (many.server_cpu_s - single.server_cpu_s) * 1e6 / more


async def deliveries(market: Market, talks: Sequence[Talk], devices: int, seconds: int) -> Figures:
    """Every room's buyer sends for so many seconds, and so many devices of its seller hear it."""
    senders = [await Sender.online(market, one, 16) for one in talks]
    peers = [
        await Peer.online(market, one, sender)
        for one, sender in zip(talks, senders, strict=True)
        for _ in range(devices)
    ]
    count = int(RATE * seconds)
    name = f"a delivery to {len(peers)} sockets, {RATE:.0f} messages a second to each"
    with measured(name, market.watched) as figures:
        figures.operations = len(peers) * count
        async with asyncio.TaskGroup() as group:
            for peer in peers:
                group.create_task(peer.hear(count))
            for number, sender in enumerate(senders):
                group.create_task(_after(number / RATE / len(senders), sender, count))
    figures.samples = [wait for peer in peers for wait in peer.waits_ms]
    await asyncio.gather(*(one.close() for one in (*senders, *peers)))
    return figures


async def _after(wait_s: float, sender: Sender, count: int) -> None:
    """Not all at the same moment."""
    await asyncio.sleep(wait_s)
    await sender.send(count, 1 / RATE)


async def _insist(market: Market, token: str, before: Device) -> Device:
    """Resume as a client does: sent away, come back when told; else after a while of its own."""
    while True:
        try:
            return await Device.greeted(market, token, epoch=before.epoch, pos=before.pos)
        except SentAway as away:
            await asyncio.sleep(away.wait_s)
        except (Ended, ConnectionClosed, OSError, TimeoutError):
            await asyncio.sleep(random())


async def _restart(market: Market, talks: Sequence[Talk], clients: int) -> Figures:
    """Kill the server under them, start it again, and have everybody resume at once."""
    tokens = list(chain.from_iterable((one.buyer, one.seller) for one in talks))
    number = 0
    while len(tokens) * DEVICES < clients:
        more = await talk(market, f"back_{number}")
        tokens += [more.buyer, more.seller]
        number += 1
    seats = [token for token in tokens for _ in range(DEVICES)][:clients]
    figures = Figures(f"{clients:,} clients resumed after a restart")
    took = [await _come_back(market, seats, figures) for _ in range(_ROUNDS)]
    figures.note = f"all of them in {median(took):.1f} s, the median of {_ROUNDS}"
    return figures


async def _come_back(market: Market, seats: Sequence[str], figures: Figures) -> float:
    """How many seconds it takes until all are back."""
    devices = [await Device.greeted(market, token) for token in seats]
    market.restart()
    started = time.perf_counter()

    async def come_back(token: str, before: Device) -> Device:
        now = await _insist(market, token, before)
        figures.samples.append((time.perf_counter() - started) * 1000)
        assert (now.epoch, now.pos) == (before.epoch, before.pos)
        return now

    with counted(figures, market.watched):
        back = await asyncio.gather(*map(come_back, seats, devices))
    took = time.perf_counter() - started
    await asyncio.gather(*(one.close() for one in back))
    return took
