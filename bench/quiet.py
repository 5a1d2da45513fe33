"""What a socket costs on which nothing happens, and a handshake that is given up."""

import asyncio

from bench.figures import Figures, measured
from bench.many import DEVICES
from bench.market import Market, sign_up
from bench.sockets import Device, Talk, talk
from client_tui.core.line import open_line


async def measure_quiet(market: Market, *, sockets: int, seconds: int) -> list[Figures]:
    """Pings, pongs and looks at the heads for so long; then upgrades that nobody follows up."""
    person = await sign_up(market, "quiet")
    talks = [await talk(market, f"quiet_{n}") for n in range(sockets // DEVICES)]
    devices = [await Device.greeted(market, one.buyer) for one in talks for _ in range(DEVICES)]
    listening = [asyncio.create_task(device.frame()) for device in devices]
    with measured(f"{len(devices)} idle sockets, each a minute", market.watched) as idle:
        await asyncio.sleep(seconds)
    idle.operations = len(devices) * seconds // 60
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    await asyncio.gather(*(device.close() for device in devices))
    found = [
        idle,
        await _given_up(market, person.token, sockets),
        await _told(market, talks, {"t": "read", "seq": 2}, "a read mark"),
        await _told(market, talks, {"t": "typing", "on": True}, "a sign of typing"),
    ]
    await person.api.aclose()
    return found


async def _given_up(market: Market, token: str, count: int) -> Figures:
    """The socket is opened and closed; the server may begin with it, and finds nobody there."""
    with measured("a handshake given up", market.watched) as figures:
        figures.operations = count
        for _ in range(count):
            await (await open_line(market.server.url, token)).close()
    return figures


async def _told(market: Market, talks: list[Talk], frame: dict[str, object], name: str) -> Figures:
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
