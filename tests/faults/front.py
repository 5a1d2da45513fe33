"""A TCP proxy in front of servers, with a road to each that can be broken in many ways."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from random import Random

from tests.faults.waiting import came

CHUNK_BYTES = 16 * 1024


class Road:
    """The way to one server, and what is wrong with it now."""

    def __init__(self) -> None:
        self.port: int | None = None
        self.is_open = True
        """Whether new connections are let through."""
        self.looked_at: Callable[[], Awaitable[None]] | None = None
        """Waits until a balancer, if there is one, has looked lately whether it is to be open."""
        self._links: set[Link] = set()
        self._bytes_per_s: float | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._at_full_speed = asyncio.Event()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Nobody new gets through."""
        self.is_open = False
        try:
            yield
        finally:
            self.is_open = True

    @contextmanager
    def slow(self, bytes_per_s: float) -> Iterator[None]:
        """Each connection carries no more than that in either direction."""
        self._bytes_per_s = bytes_per_s
        self._at_full_speed.clear()
        try:
            yield
        finally:
            self._bytes_per_s = None
            self._at_full_speed.set()

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Connections stay, and carry nothing."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def cut(self, random: Random, share: float) -> int:
        """Cut this share of the connections, without a goodbye; tell how many."""
        chosen = [link for link in tuple(self._links) if random.random() < share]
        for link in chosen:
            link.cut()
        return len(chosen)

    async def carry(self, link: "Link") -> None:
        """Carry bytes both ways until both sides have ended, or one breaks."""
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._one_way(link.client[0], link.server[1]))
                both.create_task(self._one_way(link.server[0], link.client[1]))
        except* OSError:
            pass  # one end is gone, so the other goes too
        finally:
            self._links.discard(link)
            link.cut()

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._flowing.wait()
            if self._bytes_per_s is not None:
                await came(self._at_full_speed, len(data) / self._bytes_per_s)
            writer.write(data)
            await writer.drain()
        if not writer.is_closing():  # uvloop minds
            writer.write_eof()


class Link:
    """One connection of a client, and the one to a server that belongs to it."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.client = client
        self.server = server

    def cut(self) -> None:
        """End both at once."""
        for _, writer in (self.client, self.server):
            writer.transport.abort()


class Front:
    """Where clients connect: each connection goes to a random server that takes it."""

    def __init__(self, roads: Sequence[Road], random: Random) -> None:
        self.url = ""
        self.refused = 0
        """How many connections went first to a server that was not there."""
        self._roads = roads
        self._random = random
        self._carrying: set[asyncio.Task[None]] = set()
        self._is_over = False

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take connections."""
        listener = await asyncio.start_server(self._taken, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            self._is_over = True
            listener.close()
            for task in self._carrying:  # also those who are not on a road yet, where one cuts
                task.cancel()
            await asyncio.gather(*self._carrying, return_exceptions=True)
            await listener.wait_closed()

    def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_over:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._take(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._lead(reader, writer)
        finally:
            writer.transport.abort()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for road in self._roads:
            if road.looked_at is not None:
                await road.looked_at()
        roads = [road for road in self._roads if road.is_open and road.port is not None]
        for road in self._random.sample(roads, len(roads)):
            try:
                server = await asyncio.open_connection("127.0.0.1", road.port)
            except OSError:
                self.refused += 1
                continue
            await road.carry(Link((reader, writer), server))
            return
