"""Pages of history as fast as they can be asked for, by clients that do nothing else."""

import asyncio
import json
import time
from dataclasses import dataclass
from statistics import median
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

from bench.figures import Figures, counted, timed
from bench.market import Market, Person

CLIENTS = 8
ROUNDS = 5
_PAGE = 20


@dataclass(frozen=True, slots=True)
class Reader:
    """One kept connection to a room's pages, without a client library of its own."""

    head: str
    tail: str
    incoming: asyncio.StreamReader
    outgoing: asyncio.StreamWriter

    @classmethod
    async def connect(cls, market: Market, person: Person, room_id: UUID) -> Self:
        """Connect as this person."""
        place = urlsplit(market.server.url)
        assert place.hostname is not None
        incoming, outgoing = await asyncio.open_connection(place.hostname, place.port)
        head = f"GET /v1/chatrooms/{room_id}/messages?limit={_PAGE}&before="
        tail = f" HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {person.token}\r\n\r\n"
        return cls(head, tail, incoming, outgoing)

    async def page(self, before: int) -> None:
        """Read the page that ends before this message, and check that it is that."""
        self.outgoing.write(f"{self.head}{before}{self.tail}".encode())
        headers = (await self.incoming.readuntil(b"\r\n\r\n")).lower()
        length = headers.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]
        items = json.loads(await self.incoming.readexactly(int(length)))["items"]
        assert [item["seq"] for item in items] == list(range(before - _PAGE, before))

    async def close(self) -> None:
        """Hang up."""
        self.outgoing.close()
        await self.outgoing.wait_closed()


async def measure_pages(
    market: Market, person: Person, room_id: UUID, *, newest: int, deepest: int, count: int
) -> list[Figures]:
    """One client at the newest page and at the deepest, in turns; then eight at once."""
    readers = [await Reader.connect(market, person, room_id) for _ in range(CLIENTS)]
    ends = newest + 1, newest + 1 - deepest
    one = [Figures(f"a page at depth {depth:,}, one bare client") for depth in (0, deepest)]
    for _ in range(50):
        for before in ends:
            await readers[0].page(before)
    for _ in range(count):
        for before, figures in zip(ends, one, strict=True):
            with timed(figures):
                await readers[0].page(before)
    one[1].note = f"{one[1].percentile(50) / one[0].percentile(50):.2f} times depth 0"
    many = Figures(f"a page, {CLIENTS} bare clients")
    rates = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        with counted(many, market.watched):
            async with asyncio.TaskGroup() as group:
                for reader in readers:
                    group.create_task(_read(reader, ends, count // CLIENTS, many))
        rates.append(CLIENTS * (count // CLIENTS) / (time.perf_counter() - started))
    many.note = f"{median(rates):,.0f} pages a second, the median of {ROUNDS}"
    await asyncio.gather(*(reader.close() for reader in readers))
    return [*one, many]


async def _read(reader: Reader, ends: tuple[int, int], count: int, figures: Figures) -> None:
    for number in range(count):
        with timed(figures):
            await reader.page(ends[number % 2])
