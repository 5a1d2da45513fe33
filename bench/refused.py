"""What a handshake costs that comes to nothing: sent away as busy, or given up by its client."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from websockets.exceptions import ConnectionClosed

from bench.figures import Figures, counted
from bench.market import Market, running_market, sign_up
from client_tui.core.line import open_line

_BUSY = Path(__file__).with_name("busy_server.py")
_ROUNDS = 3


def measure_refused(*, tries: int) -> list[Figures]:
    """On PostgreSQL, the two in turns: what the machine does meanwhile is not taken for one."""
    busy, given_up = Figures("a handshake sent away as busy"), Figures("a handshake given up")
    with (
        running_market("postgresql") as usual,
        running_market("postgresql", under=[sys.executable, _BUSY]) as full,
    ):
        for _ in range(_ROUNDS):
            asyncio.run(_try(full, busy, tries, is_busy=True))
            asyncio.run(_try(usual, given_up, tries, is_busy=False))
    return [busy, given_up]


async def _try(market: Market, figures: Figures, count: int, *, is_busy: bool) -> None:
    """Who is sent away is told so; who gives up closes the socket and says nothing."""
    person = await sign_up(market, f"tries_{uuid4().hex[:8]}")
    figures.operations += count
    with counted(figures, market.watched):
        for _ in range(count):
            socket = await open_line(market.server.url, person.token)
            if is_busy:
                with suppress(ConnectionClosed):
                    while True:
                        await socket.recv()
            await socket.close()
    await person.api.aclose()
