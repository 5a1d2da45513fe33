"""Bare sockets to measure with: who sends, who hears, and the room between the two."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID, uuid4

from websockets.asyncio.client import ClientConnection

from bench.market import Market, sell, sign_up
from client_tui.core.line import open_line
from shared_models.chat import SendMessage


@dataclass(frozen=True, slots=True)
class Talk:
    """A room, and the tokens of its two."""

    room_id: UUID
    buyer: str
    seller: str


async def talk(market: Market, name: str) -> Talk:
    """A room of two new people in which both have said something."""
    seller, buyer = await sign_up(market, f"{name}_s"), await sign_up(market, f"{name}_b")
    listing = await sell(market, seller, "A chair to talk about")
    room = await buyer.api.open_room(listing.id)
    for person in (buyer, seller):
        await person.api.send_message(room.id, SendMessage(cid=uuid4(), text="Hello!"))
        await person.api.aclose()
    return Talk(room.id, buyer.token, seller.token)


class SentAway(Exception):
    """The server is busy, and has said when to come back."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"come back in {wait_s:.1f} s")
        self.wait_s = wait_s


class Device:
    """A live socket that keeps both sequences and answers pings."""

    def __init__(self, socket: ClientConnection, pos: int, epoch: str) -> None:
        self._socket = socket
        self.pos = pos
        self.epoch = epoch
        self._seqs: dict[str, int] = {}

    @classmethod
    async def greeted(cls, market: Market, token: str, **place: Any) -> Self:
        """Connect and say hello; raises :class:`SentAway`."""
        socket = await open_line(market.server.url, token)
        await socket.send(json.dumps({"t": "hello", **place}))
        welcome = json.loads(await socket.recv())
        if welcome["t"] == "bye":
            raise SentAway(welcome["reconnect_in_ms"] / 1000)
        return cls(socket, welcome["pos"], welcome["epoch"])

    async def frame(self) -> dict[str, Any]:
        """The next one that is no ping, with its place checked."""
        while True:
            frame: dict[str, Any] = json.loads(await self._socket.recv())
            if frame["t"] == "ping":
                await self._socket.send(json.dumps({"t": "pong", "n": frame["n"]}))
                continue
            for event in [frame] if frame["t"] == "event" else frame.get("events", ()):
                self._check(event)
            return frame

    def _check(self, event: dict[str, Any]) -> None:
        assert event["pos"] == self.pos + 1, "R1"
        self.pos += 1
        if event["kind"] == "message.new":
            room_id, seq = event["data"]["chatroom_id"], event["data"]["seq"]
            assert self._seqs.get(room_id) in (None, seq - 1), "R2"
            self._seqs[room_id] = seq

    async def say(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        await self._socket.send(json.dumps(frame))

    async def close(self) -> None:
        """Hang up."""
        await self._socket.close()


class Sender(Device):
    """Sends to one room and counts its answers."""

    room_id: UUID
    places: asyncio.Semaphore

    def __init__(self, socket: ClientConnection, pos: int, epoch: str) -> None:
        super().__init__(socket, pos, epoch)
        self.sent_at: dict[str, float] = {}
        self.waits_ms: list[float] = []
        self._resting: asyncio.Task[Any] | None = None

    @classmethod
    async def online(cls, market: Market, talk: Talk, window: int) -> "Sender":
        """The buyer, with room for so many messages under way."""
        sender = await cls.greeted(market, talk.buyer)
        sender.room_id, sender.places = talk.room_id, asyncio.Semaphore(window)
        return sender

    async def send(self, count: int, pause_s: float = 0.0) -> None:
        """Send so many, hear an ``ok`` and an event for each, and go on answering pings."""
        self._wake()
        hearing = asyncio.create_task(self._hear(count))
        started = time.perf_counter()
        for number in range(count):
            if pause_s:
                await asyncio.sleep(max(0.0, started + number * pause_s - time.perf_counter()))
            await self.places.acquire()
            cid = str(uuid4())
            self.sent_at[cid] = time.perf_counter()
            body = {"cid": cid, "chatroom_id": str(self.room_id), "text": f"message {number}"}
            await self.say({"t": "send", "id": cid, **body})
        await hearing
        self._resting = asyncio.create_task(self.frame())

    async def close(self) -> None:
        """Hang up."""
        self._wake()
        await super().close()

    def _wake(self) -> None:
        if self._resting is not None:
            self._resting.cancel()

    async def _hear(self, count: int) -> None:
        oks = events = 0
        while oks < count or events < count:
            frame = await self.frame()
            if frame["t"] == "ok":
                oks += 1
                self.places.release()
                waited = time.perf_counter() - self.sent_at[frame["cid"]]
                self.waits_ms.append(waited * 1000)
            else:
                assert frame["t"] == "event", frame
                events += frame["kind"] == "message.new"


class Peer(Device):
    """The other side: how long each message took to reach it."""

    sender: Sender

    def __init__(self, socket: ClientConnection, pos: int, epoch: str) -> None:
        super().__init__(socket, pos, epoch)
        self.waits_ms: list[float] = []

    @classmethod
    async def online(cls, market: Market, talk: Talk, sender: Sender) -> "Peer":
        """The seller."""
        peer = await cls.greeted(market, talk.seller)
        peer.sender = sender
        return peer

    async def hear(self, count: int) -> None:
        """So many messages."""
        while len(self.waits_ms) < count:
            frame = await self.frame()
            if frame.get("kind") == "message.new":
                sent_at = self.sender.sent_at[frame["data"]["cid"]]
                self.waits_ms.append((time.perf_counter() - sent_at) * 1000)
