"""Nodes on a bus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest

from server.platform import valkey_instance, valkey_line
from server.platform.bus import Hint
from server.platform.valkey_bus import ValkeyBus
from tests.servers.pgbouncer import PGBOUNCER_IS_INSTALLED

PATIENCE_S = 20

collect_ignore = [] if PGBOUNCER_IS_INSTALLED else ["test_pgbouncer.py"]


class Node:
    """One process on the bus: what it hears, and how often there may have been a gap."""

    def __init__(self, urls: list[str]) -> None:
        self.bus = ValkeyBus(urls)
        self.heard: list[Hint] = []
        self.gaps = 0
        self._stirred = asyncio.Event()
        self.bus.listen(self.hear)
        self.bus.on_gap(self.gap)

    def hear(self, hint: Hint) -> None:
        self.heard.append(hint)
        self._stirred.set()

    def gap(self) -> None:
        self.gaps += 1
        self._stirred.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await self._stirred.wait()
                self._stirred.clear()


MakeNode = Callable[..., Awaitable[Node]]


@pytest.fixture
async def node(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeNode]:
    """Makes nodes. On a busy machine too, who joins waits until the stream is heard, and a bus that
    answers late is not taken for one that is lost: that would be a gap, and hints told twice.
    """
    monkeypatch.setattr(valkey_instance, "_JOIN_S", PATIENCE_S)
    for module in (valkey_instance, valkey_line):
        monkeypatch.setattr(module, "ANSWER_S", PATIENCE_S)
    nodes: list[Node] = []

    async def make(*urls: str, listens_to: UUID | None = None) -> Node:
        made = Node(list(urls))
        nodes.append(made)
        if listens_to is not None:
            await made.bus.join(listens_to)
            await made.until(lambda: made.gaps > 0)
        return made

    yield make
    for one in nodes:
        await one.bus.close()
