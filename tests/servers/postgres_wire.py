"""A line to PostgreSQL that notes what is said on it."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.servers.postgres import Postgres

SSL_REQUEST = 80877103
CANCEL_REQUEST = 80877102
IDLE = b"I"


@dataclass
class Wire:
    """What clients have said; ``port`` is where they say it."""

    port: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    """What connections were begun with."""
    queries: list[str] = field(default_factory=list)
    """Statements without parameters, as they were sent."""
    parsed: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    """Those of the parsed statements that were given a name."""
    alone: list[str] = field(default_factory=list)
    """Those that were parsed outside a transaction."""

    def url(self, database: str) -> str:
        """The URL of a database at the other end of the line."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{quote(database)}"

    def note(self, kind: bytes, payload: bytes, state: bytes) -> None:
        """Note a message of a client, and what the server had last said of its transaction."""
        if kind == b"Q":
            self.queries.append(payload.rstrip(b"\0").decode())
        elif kind == b"P":
            name, text, _ = payload.split(b"\0", 2)
            self.parsed.append(text.decode())
            if name:
                self.named.append(text.decode())
            if state == IDLE:
                self.alone.append(text.decode())


@dataclass
class State:
    """What the server last said of a connection's transaction."""

    last: bytes = IDLE


@asynccontextmanager
async def watched(postgres: Postgres) -> AsyncIterator[Wire]:
    """A line to the server for as long as this is entered."""
    wire, lines = Wire(), set[asyncio.Task[None]]()

    def took(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(asyncio.create_task(_carry(wire, postgres, reader, writer)))

    listener = await asyncio.start_server(took, "127.0.0.1", 0)
    wire.port = listener.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        listener.close()
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
        await listener.wait_closed()


async def _carry(
    wire: Wire, postgres: Postgres, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    path = f"{postgres.directory}/.s.PGSQL.5432"
    from_server, to_server = await asyncio.open_unix_connection(path)
    try:
        to_server.write(await _startup(wire, reader, writer))
        state = State()
        answering = asyncio.create_task(_answers(state, from_server, writer))
        while head := await reader.read(1):
            length = await reader.readexactly(4)
            payload = await reader.readexactly(struct.unpack("!i", length)[0] - 4)
            wire.note(head, payload, state.last)
            to_server.write(head + length + payload)
        to_server.write_eof()
        await answering
    finally:
        for stream in (writer, to_server):
            stream.transport.abort()


async def _startup(wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The first message, which has no kind; encryption is declined."""
    while True:
        length = await reader.readexactly(4)
        payload = await reader.readexactly(struct.unpack("!i", length)[0] - 4)
        code = struct.unpack("!i", payload[:4])[0]
        if code == SSL_REQUEST:
            writer.write(b"N")
            continue
        if code != CANCEL_REQUEST:
            texts = payload[4:].rstrip(b"\0").decode().split("\0")
            wire.settings |= dict(zip(texts[::2], texts[1::2], strict=True))
        return length + payload


async def _answers(
    state: State, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while head := await reader.read(1):
        length = await reader.readexactly(4)
        payload = await reader.readexactly(struct.unpack("!i", length)[0] - 4)
        if head == b"Z":
            state.last = payload
        writer.write(head + length + payload)
    writer.close()
