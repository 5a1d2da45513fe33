"""Messages at full tilt and at half of it: bare clients that keep both sequences."""

import asyncio
import time
from collections.abc import Sequence
from itertools import chain
from statistics import median

from bench.figures import Figures, measured, percentile
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
    await all_send(senders, 50)
    with measured(name, market.watched) as figures:
        figures.operations = ROUNDS * len(senders) * sends
        rate = await sent_a_second(senders, sends)
    figures.samples = [wait for sender in senders for wait in sender.waits_ms[50:]]
    figures.note = f"{rate:,.0f} durable `ok` a second, the median of {ROUNDS}"
    await asyncio.gather(*(sender.close() for sender in senders))
    return figures


async def sent_a_second(senders: Sequence[Sender], sends: int) -> float:
    """How many messages a second are acknowledged: the median of the rounds."""
    rates = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await all_send(senders, sends)
        rates.append(len(senders) * sends / (time.perf_counter() - started))
    return median(rates)


async def _steady(
    market: Market, name: str, talks: Sequence[Talk], rate: float, sends: int
) -> list[Figures]:
    """At ``rate`` messages a second in all, with the other sides online."""
    senders = [await Sender.online(market, one, WINDOW) for one in talks]
    peers = [
        await Peer.online(market, one, sender) for one, sender in zip(talks, senders, strict=True)
    ]
    note = f"at {rate:,.0f} messages a second"
    with measured(f"send to ok, {name} at half load", market.watched) as sent:
        sent.operations = len(senders) * ROUNDS * (sends // ROUNDS)
        rounds = [
            await _round(senders, peers, sends // ROUNDS, len(senders) / rate)
            for _ in range(ROUNDS)
        ]
    heard = Figures(f"send to peer, {name} at half load")
    for figures, waits_ms in zip((sent, heard), zip(*rounds, strict=True), strict=True):
        figures.samples = [*chain.from_iterable(waits_ms)]
        p99 = median(percentile(one, 99) for one in waits_ms)
        figures.note = f"{note}; p99 {p99:.1f} ms, the median of {ROUNDS}"
    await asyncio.gather(*(one.close() for one in (*senders, *peers)))
    return [sent, heard]


async def _round(
    senders: Sequence[Sender], peers: Sequence[Peer], count: int, pause_s: float
) -> tuple[list[float], list[float]]:
    """How long each message took to its `ok` and to its peer, in ms."""
    for waits_ms in (one.waits_ms for many in (senders, peers) for one in many):
        waits_ms.clear()
    hearing = [asyncio.create_task(peer.hear(count)) for peer in peers]
    await all_send(senders, count, pause_s)
    await asyncio.gather(*hearing)
    return (
        [wait for sender in senders for wait in sender.waits_ms],
        [wait for peer in peers for wait in peer.waits_ms],
    )


async def all_send(senders: Sequence[Sender], count: int, pause_s: float = 0.0) -> None:
    """Each sends so many; returns when all has been acknowledged."""
    async with asyncio.TaskGroup() as group:
        for sender in senders:
            group.create_task(sender.send(count, pause_s))
