"""One connection on which hints arrive.

The library's own ``PubSub`` connects again by itself, from whichever task finds the connection
broken; two that do so at once break it for good. A line never connects again: it fails, and whoever
owns it opens another one.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable, Sequence

import redis.asyncio

ANSWER_S = 3.0
"""How long a server may take to answer before its line counts as dead."""


class Line:
    """A connection of its own to a server of the bus; ``take`` gets a channel and its payload.

    One task reads and one task asks; neither touches what the other uses.
    """

    def __init__(self, client: redis.asyncio.Redis, take: Callable[[bytes, bytes], None]) -> None:
        self._connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._take = take
        self._answered = asyncio.Event()

    async def open(self) -> None:
        """Connect; raises what the library raises, or ``TimeoutError``."""
        async with asyncio.timeout(ANSWER_S):
            await self._connection.connect()

    async def ask(self, wanted: Sequence[bytes], unwanted: Sequence[bytes]) -> None:
        """Subscribe and unsubscribe; returns when the server has done it, raises if it does not.

        A server answers in order, so the answer to a ping says that all before it is done. With
        nothing to change, this asks whether the other end is still there.
        """
        commands: list[Sequence[str | bytes]] = [["PING"]]
        if wanted:
            commands.insert(0, ["SUBSCRIBE", *wanted])
        if unwanted:
            commands.insert(0, ["UNSUBSCRIBE", *unwanted])
        self._answered.clear()
        packed = self._connection.pack_commands(commands)
        async with asyncio.timeout(ANSWER_S):
            await self._connection.send_packed_command(packed, check_health=False)
            await self._answered.wait()

    async def read(self) -> None:
        """Take what arrives; ends only with the connection, by raising."""
        while True:
            answer = await self._connection.read_response(
                timeout=math.inf, disconnect_on_error=False, push_request=True
            )
            match answer:
                case [b"message", channel, payload]:
                    self._take(channel, payload)
                case b"PONG" | [b"pong", _]:
                    self._answered.set()

    async def close(self) -> None:
        """Hang up, whatever state the connection is in."""
        with contextlib.suppress(Exception):
            await self._connection.disconnect(nowait=True)
