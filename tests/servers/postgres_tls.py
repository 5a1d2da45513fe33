"""TLS before a real PostgreSQL: the one of the tests is built without. As on the server itself, who
begins asks for it and is answered ``S``; who does not ask is sent away, as by ``hostssl`` alone.
"""

import asyncio
import ssl
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tests.servers.certificates import Certificate
from tests.servers.postgres import Postgres
from tests.servers.postgres_wire import SSL_REQUEST

_LOST = (OSError, asyncio.IncompleteReadError)


@dataclass(frozen=True)
class TlsLine:
    """Where a server is reached with TLS alone."""

    port: int

    def url(self, database: str, **said: str | Path) -> str:
        """The URL of a database, with what it says of TLS."""
        query = urlencode({name: str(value) for name, value in said.items()})
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}" + f"?{query}" * bool(query)


@contextmanager
def with_tls(
    postgres: Postgres, certificate: Certificate, *, clients_by: Path | None = None
) -> Iterator[TlsLine]:
    """Take connections with TLS for as long as this is entered; of clients with a certificate alone
    where it is said who signs theirs.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients_by)
    context.load_cert_chain(certificate.file, certificate.key)
    if clients_by is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    running = _Running(postgres, context)
    thread = threading.Thread(target=lambda: asyncio.run(running.run()))
    thread.start()
    try:
        yield TlsLine(running.port.result(timeout=60))
    finally:
        running.end()
        thread.join()


class _Running:
    """What takes connections, in a thread of its own."""

    def __init__(self, postgres: Postgres, context: ssl.SSLContext) -> None:
        self._postgres = postgres
        self._context = context
        self._lines: set[asyncio.Task[None]] = set()
        self.port = Future[int]()

    async def run(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        listener = await asyncio.start_server(self._took, "127.0.0.1", 0)
        self.port.set_result(listener.sockets[0].getsockname()[1])
        await self._ended.wait()
        listener.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)

    def _took(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(asyncio.create_task(self._take(reader, writer)))

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(*_LOST):
                await _carry(self._postgres, self._context, reader, writer)
        finally:
            writer.transport.abort()  # whatever is left open is told of when its loop has ended


async def _carry(
    postgres: Postgres,
    context: ssl.SSLContext,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    _, code = struct.unpack("!ii", await reader.readexactly(8))
    if code != SSL_REQUEST:
        return
    writer.write(b"S")
    await writer.start_tls(context)
    path = f"{postgres.directory}/.s.PGSQL.5432"
    from_server, to_server = await asyncio.open_unix_connection(path)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(reader, to_server))
            both.create_task(_pass_on(from_server, writer))
    except* _LOST:
        pass
    finally:
        to_server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    writer.close()
