"""Streams that are filled without anything happening on the market."""

from typing import Any
from uuid import UUID

from server.platform import streams
from server.platform.bus import Hint
from server.platform.context import Context
from server.platform.streams import NewEvent
from server.platform.unit_of_work import reading, transact


async def add_events(
    context: Context, account_id: UUID, count: int, size: int = 10, at_once: int = 500
) -> None:
    """Put events of some bytes into a stream."""
    data = b'{"x":"%s"}' % (b"x" * size)
    news = [NewEvent("account.changed", data)] * min(count, at_once)
    for _ in range(max(1, count // at_once)):
        await transact(context, None, lambda work: streams.append(work, {account_id: news}))


async def add_unheard(context: Context, account_id: UUID, count: int) -> list[Hint]:
    """The same on a bus that from now on brings nothing to anybody; what it should have brought."""
    lost: list[Hint] = []
    context.bus.listen(lost.append)
    await add_events(context, account_id, count)
    return lost


async def place(context: Context, account_id: UUID) -> dict[str, Any]:
    """Where the stream stands, as a hello names it."""
    async with reading(context) as work:
        position = await streams.position(work, account_id)
    return {"epoch": str(position.epoch), "pos": position.head}
