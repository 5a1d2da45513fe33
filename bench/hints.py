"""The bus: what a hint costs from its publisher through a Valkey to who listens."""

import asyncio
import os
from collections.abc import Sequence
from uuid import UUID, uuid4

from bench.figures import Figures, Watched, measured
from server.platform.bus import Hint
from server.platform.valkey_bus import ValkeyBus
from tests.servers.lifetime import Lifetime
from tests.servers.valkey import start_valkey

_STREAMS = 500
_AT_ONCE = 1_000
"""Far less than a publisher keeps waiting before it drops the oldest."""
_FRAME = b'{"t":"event","pos":1,"kind":"message.new","data":{"text":"%s"}}' % (b"x" * 500)


async def measure_hints(*, hints: int) -> list[Figures]:
    """Both ends are in this process, which stands for the server; the other column is the bus."""
    with Lifetime.begin() as lifetime:
        valkey = start_valkey(lifetime)
        publisher, listener = ValkeyBus([valkey.url()]), ValkeyBus([valkey.url()])
        heard: asyncio.Queue[Hint] = asyncio.Queue()
        listener.listen(heard.put_nowait)
        streams = [uuid4() for _ in range(_STREAMS)]
        try:
            await asyncio.gather(*map(listener.join, streams))
            with measured("a hint from publisher to listener", _watched(valkey.pid)) as figures:
                figures.operations = hints
                for start in range(0, hints, _AT_ONCE):
                    await _tell(publisher, heard, streams, range(start, start + _AT_ONCE))
        finally:
            await publisher.close()
            await listener.close()
    figures.note = (
        f"{figures.server_cpu_ms * 1000:.0f} µs of both ends, "
        f"{figures.database_cpu_ms * 1000:.0f} µs of Valkey"
    )
    return [figures]


async def _tell(
    publisher: ValkeyBus, heard: asyncio.Queue[Hint], streams: Sequence[UUID], positions: range
) -> None:
    await publisher.publish(Hint(streams[pos % _STREAMS], pos + 1, _FRAME) for pos in positions)
    for _ in positions:
        await heard.get()


def _watched(valkey: int) -> Watched:
    return Watched((os.getpid(),), valkey)
