"""Several nodes in one loop over one database, with a bus that does what it likes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from starlette.websockets import WebSocket

from server.app.wiring import wire
from server.platform import streams
from server.platform.bus import Hint, Receive
from server.platform.clock import MovableClock
from server.platform.context import Actor, Context, Wiring
from server.platform.jobs import Bell
from server.platform.tables import Stream, StreamEvent
from server.platform.unit_of_work import UnitOfWork, transact
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from tests.realtime.model.virtual_time import VirtualLoop

SETTINGS = RealtimeSettings(resume_most=12, queue_frames=64, batch_events=3)
KEPT_EVENTS = 6


class Ether:
    """What is under way between the nodes. Nothing arrives until the test lets it."""

    def __init__(self) -> None:
        self.under_way: list[tuple[Node, Hint]] = []

    def put(self, sender: "Node", nodes: Iterable["Node"], hints: Iterable[Hint]) -> None:
        """A node publishes: its own devices hear it at once, the others when the test says so."""
        for hint in hints:
            for node in nodes:
                if node is sender:
                    node.bus.bring(hint)
                else:
                    self.under_way.append((node, hint))


class LooseBus:
    """One node's end of the bus."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self.crash_next = False
        self._receive: Receive = lambda _hint: None
        self._joined: set[UUID] = set()

    def listen(self, receive: Receive) -> None:
        self._receive = receive

    def on_gap(self, tell: Callable[[], None]) -> None: ...

    def on_ring(self, tell: Callable[[], None]) -> None: ...

    def ring(self) -> None: ...

    async def join(self, stream_id: UUID) -> None:
        self._joined.add(stream_id)

    async def leave(self, stream_id: UUID) -> None:
        self._joined.discard(stream_id)

    async def publish(self, hints: Iterable[Hint]) -> None:
        assert self.node is not None
        if self.node not in self.node.world.nodes:
            return  # it has crashed, and what it had begun to write was written all the same
        if self.crash_next:
            self.node.crash()
        else:
            self.node.world.ether.put(self.node, self.node.world.nodes, hints)

    async def check(self) -> None: ...

    async def close(self) -> None: ...

    def bring(self, hint: Hint) -> None:
        """Something arrives, if it is wanted."""
        if hint.stream_id in self._joined:
            self._receive(hint)


class Node:
    """A server process: gone with all its sockets when it crashes."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.bus = LooseBus()
        self.bus.node = self
        self.context = replace(world.context, bus=self.bus, wiring=Wiring())
        self.context.wiring.provide(Bell, Bell())
        wire(self.context)
        self.realtime = RealtimeNode(self.context, SETTINGS, monotonic=world.loop.time)
        self._tasks = [world.loop.create_task(self.realtime.start())]
        self._cuts: list[Callable[[], None]] = []

    def serve(self, socket: WebSocket, cut: Callable[[], None]) -> None:
        """Take a socket; ``cut`` breaks its line."""
        self._cuts.append(cut)
        self._tasks.append(self.world.loop.create_task(self.realtime.gateway.serve(socket)))

    def crash(self) -> None:
        """End without a word; another process takes its place."""
        if self not in self.world.nodes:
            return  # its tasks are still being told
        for cut in self._cuts:
            cut()
        self.world.nodes[self.world.nodes.index(self)] = Node(self.world)
        self.world.dying.append(self.world.loop.create_task(self.end()))

    async def end(self) -> None:
        """Stop everything that runs here."""
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.realtime.stop()


class World:
    """Everything that survives a crash, and the nodes that are alive."""

    def __init__(self, context: Context, loop: VirtualLoop, clock: MovableClock) -> None:
        self.context = context
        self.loop = loop
        self._clock = clock
        self.ether = Ether()
        self.dying: list[asyncio.Task[None]] = []
        self.nodes = [Node(self), Node(self)]

    async def settle(self) -> None:
        """Let everything that is under way come to rest; what is on the bus stays there."""
        while True:
            await asyncio.sleep(0)
            if not self.loop.busy:
                return

    async def wait(self, seconds: float, rest: Callable[[], Awaitable[None]]) -> None:
        """Let time pass, with ``rest`` after whatever happens meanwhile."""
        end = self.loop.time() + seconds
        await rest()
        while (due := self.loop.next_timer()) is not None and due <= end:
            self._pass_until(due)
            await rest()
        self._pass_until(end)
        await rest()

    def _pass_until(self, moment: float) -> None:
        self._clock.advance(timedelta(seconds=max(0.0, moment - self.loop.time())))
        self.loop.move_to(moment)

    async def do(self, action: Callable[[UnitOfWork], Awaitable[Any]], who: Actor) -> Any:
        """Something that happens on no node in particular: its hints go through the first."""
        return await transact(self.nodes[0].context, who, action)

    async def trim(self, account_id: UUID) -> None:
        """Keep only the last few events of a stream."""

        async def run(work: UnitOfWork) -> None:
            oldest = max(1, (await streams.position(work, account_id)).head - KEPT_EVENTS + 1)
            gone = (StreamEvent.stream_id == account_id, StreamEvent.pos < oldest)
            await work.execute(delete(StreamEvent).where(*gone))
            changing = update(Stream).where(Stream.id == account_id)
            await work.execute(changing.values(oldest=oldest, updated_at=work.now))

        await transact(self.context, None, run)

    async def new_epoch(self, account_id: UUID) -> None:
        """The database was put back from a backup."""

        async def run(work: UnitOfWork) -> None:
            changing = update(Stream).where(Stream.id == account_id)
            await work.execute(changing.values(epoch=work.new_id(), updated_at=work.now))

        await transact(self.context, None, run)

    async def close(self) -> None:
        """End every node. What one has begun to write it writes, and not in the next example."""
        for node in self.nodes:
            await node.end()
        await asyncio.gather(*self.dying)
        await self.settle()
