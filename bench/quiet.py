"""What a socket costs on which nothing happens, or little."""

import asyncio

import psutil

from bench.figures import Figures, measured
from bench.many import DEVICES
from bench.market import Market
from bench.sockets import Device, Talk, talk


async def measure_quiet(market: Market, *, sockets: int, seconds: int) -> list[Figures]:
    """Pings, pongs and looks at the heads for so long; then read marks and signs of typing."""
    market.restart()  # what many have left behind takes new sockets for nothing
    talks = [await talk(market, f"quiet_{n}") for n in range(sockets // DEVICES)]
    process = psutil.Process(market.server.pid)
    seats = [one.buyer for _ in range(DEVICES) for one in talks]
    devices = [await Device.greeted(market, token) for token in seats[: len(talks)]]
    before = process.memory_info().rss  # the first of all make what is made once
    devices += [await Device.greeted(market, token) for token in seats[len(talks) :]]
    grown = process.memory_info().rss - before
    memory = Figures(f"memory of {len(devices)} idle sockets")
    memory.note = (
        f"{grown / (len(devices) - len(talks)) / 1024:.1f} KiB a socket more; with the first "
        f"{len(talks)} the process has {before / 2**20:.0f} MiB"
    )
    listening = [asyncio.create_task(device.frame()) for device in devices]
    with measured(f"{len(devices)} idle sockets, each a minute", market.watched) as idle:
        await asyncio.sleep(seconds)
    idle.operations = len(devices) * seconds // 60
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    await asyncio.gather(*(device.close() for device in devices))
    return [
        memory,
        idle,
        await _from_buyer_to_seller(market, talks, {"t": "read", "seq": 2}, "a read mark"),
        await _from_buyer_to_seller(market, talks, {"t": "typing", "on": True}, "a sign of typing"),
    ]


async def _from_buyer_to_seller(
    market: Market, talks: list[Talk], frame: dict[str, object], name: str
) -> Figures:
    """The buyer of each room says this, and its seller is told."""
    buyers = [await Device.greeted(market, one.buyer) for one in talks]
    sellers = [await Device.greeted(market, one.seller) for one in talks]
    with measured(name, market.watched) as figures:
        figures.operations = len(talks)
        for one, buyer, seller in zip(talks, buyers, sellers, strict=True):
            await buyer.say({**frame, "chatroom_id": str(one.room_id)})
            await seller.frame()
    await asyncio.gather(*(device.close() for device in (*buyers, *sellers)))
    return figures
