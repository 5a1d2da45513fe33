"""Messages at full tilt: bare clients that keep both sequences and their window full."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from websockets.asyncio.client import ClientConnection

from bench.figures import Figures, measured
from bench.market import Market, Person, sell, sign_up
from client_tui.core.line import open_line

WINDOW = 16
"""Messages of one client under way at once: as many as the protocol lets be in flight."""


class Client:
    """A device that sends to one room, counts its answers, and checks what it hears."""

    def __init__(self, socket: ClientConnection, room_id: UUID, pos: int) -> None:
        self._socket = socket
        self._room_id = str(room_id)
        self._pos = pos
        self._seq = 0
        self._places = asyncio.Semaphore(WINDOW)
        self._sent_at: dict[str, float] = {}
        self.waits_ms: list[float] = []

    @classmethod
    async def online(cls, market: Market, person: Person, room_id: UUID) -> "Client":
        """Connect and say hello."""
        socket = await open_line(market.server.url, person.token)
        await socket.send('{"t":"hello"}')
        welcome = json.loads(await socket.recv())
        return cls(socket, room_id, welcome["pos"])

    async def send(self, count: int, pause_s: float = 0.0) -> None:
        """Send so many messages, and hear an ``ok`` and an event for each."""
        hearing = asyncio.create_task(self._hear(count))
        started = time.perf_counter()
        for number in range(count):
            if pause_s:
                await asyncio.sleep(max(0.0, started + number * pause_s - time.perf_counter()))
            await self._places.acquire()
            cid = str(uuid4())
            self._sent_at[cid] = time.perf_counter()
            frame = {
                "t": "send",
                "id": cid,
                "cid": cid,
                "chatroom_id": self._room_id,
                "text": f"message {number}",
            }
            await self._socket.send(json.dumps(frame))
        await hearing

    async def _hear(self, count: int) -> None:
        oks = events = 0
        while oks < count or events < count:
            frame = json.loads(await self._socket.recv())
            if frame["t"] == "ok":
                oks += 1
                self._places.release()
                waited = time.perf_counter() - self._sent_at.pop(frame["cid"])
                self.waits_ms.append(waited * 1000)
            elif frame["t"] == "event":
                events += frame["kind"] == "message.new"
                self._check(frame)
            else:
                assert frame["t"] == "ping", frame
                await self._socket.send(json.dumps({"t": "pong", "n": frame["n"]}))

    def _check(self, frame: dict[str, Any]) -> None:
        assert frame["pos"] == self._pos + 1, "R1"
        self._pos += 1
        if frame["kind"] == "message.new":
            seq = frame["data"]["seq"]
            assert self._seq in (0, seq - 1), "R2"
            self._seq = seq

    async def close(self) -> None:
        """Hang up."""
        await self._socket.close()


async def measure_flow(market: Market, *, sends: int) -> list[Figures]:
    """One client, and sixteen in sixteen rooms; each room's other side is not online."""
    return [
        await _flow(market, "one client sending", 1, sends),
        await _flow(market, "sixteen clients in sixteen rooms", 16, sends // 4),
    ]


async def _flow(market: Market, name: str, clients: int, sends: int) -> Figures:
    senders = [await _sender(market, f"flow_{clients}_{number}") for number in range(clients)]
    await _all_send(senders, 50)
    for sender in senders:
        sender.waits_ms.clear()
    with measured(name, market.watched) as figures:
        figures.operations = clients * sends
        started = time.perf_counter()
        await _all_send(senders, sends)
        took = time.perf_counter() - started
    figures.samples = [wait for sender in senders for wait in sender.waits_ms]
    figures.note = f"{clients * sends / took:,.0f} durable `ok` a second"
    await asyncio.gather(*(sender.close() for sender in senders))
    return figures


async def _all_send(senders: Sequence[Client], count: int) -> None:
    async with asyncio.TaskGroup() as group:
        for sender in senders:
            group.create_task(sender.send(count))


async def _sender(market: Market, name: str) -> Client:
    seller, buyer = await sign_up(market, f"{name}_s"), await sign_up(market, f"{name}_b")
    listing = await sell(market, seller, "A chair to talk about")
    room = await buyer.api.open_room(listing.id)
    client = await Client.online(market, buyer, room.id)
    await seller.api.aclose()
    await buyer.api.aclose()
    return client
