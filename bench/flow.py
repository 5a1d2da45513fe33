"""Messages at full tilt and at half of it: bare clients that keep both sequences."""

import asyncio
import time
from collections.abc import Sequence
from statistics import median

from bench.figures import Figures, measured
from bench.market import Market
from bench.sockets import Peer, Sender, Talk, talk

WINDOW = 16
"""Messages of one client under way at once: as many as the protocol lets be in flight."""
ROUNDS = 5
"""What is told of a flow is the median of so many."""


async def measure_flow(market: Market, *, sends: int) -> list[Figures]:
    """One client, and sixteen in sixteen rooms, as fast as it goes and at half of the aim."""
    is_sqlite = market.postgres is None
    one_aim, many_aim = (1_500, 5_000) if is_sqlite else (1_200, 2_700)
    one = [await talk(market, "flow_1")]
    many = [await talk(market, f"flow_16_{number}") for number in range(16)]
    return [
        await full_tilt(market, "one client sending", one, sends),
        await full_tilt(market, "sixteen clients in sixteen rooms", many, sends // 4),
        *await _steady(market, "one client", one, one_aim / 2, sends // 4),
        *await _steady(market, "sixteen clients", many, many_aim / 2, sends // 16),
    ]


async def full_tilt(market: Market, name: str, talks: Sequence[Talk], sends: int) -> Figures:
    """The other sides are not online."""
    senders = [await Sender.online(market, one, WINDOW) for one in talks]
    await _all_send(senders, 50)
    rates = []
    with measured(name, market.watched) as figures:
        figures.operations = ROUNDS * len(senders) * sends
        for _ in range(ROUNDS):
            started = time.perf_counter()
            await _all_send(senders, sends)
            rates.append(len(senders) * sends / (time.perf_counter() - started))
    figures.samples = [wait for sender in senders for wait in sender.waits_ms[50:]]
    figures.note = f"{median(rates):,.0f} durable `ok` a second, the median of {ROUNDS}"
    await asyncio.gather(*(sender.close() for sender in senders))
    return figures


async def _steady(
    market: Market, name: str, talks: Sequence[Talk], rate: float, sends: int
) -> list[Figures]:
    """At ``rate`` messages a second in all, with the other sides online."""
    senders = [await Sender.online(market, one, WINDOW) for one in talks]
    peers = [
        await Peer.online(market, one, sender) for one, sender in zip(talks, senders, strict=True)
    ]
    hearing = [asyncio.create_task(peer.hear(sends)) for peer in peers]
    note = f"at {rate:,.0f} messages a second"
    with measured(f"send to ok, {name} at half load", market.watched) as figures:
        figures.operations, figures.note = len(senders) * sends, note
        await _all_send(senders, sends, pause_s=len(senders) / rate)
        await asyncio.gather(*hearing)
    figures.samples = [wait for sender in senders for wait in sender.waits_ms]
    heard = [wait for peer in peers for wait in peer.waits_ms]
    await asyncio.gather(*(one.close() for one in (*senders, *peers)))
    return [figures, Figures(f"send to peer, {name} at half load", heard, note=note)]


async def _all_send(senders: Sequence[Sender], count: int, pause_s: float = 0.0) -> None:
    async with asyncio.TaskGroup() as group:
        for sender in senders:
            group.create_task(sender.send(count, pause_s))
