"""Several nodes in one loop over one database, with a bus that does what it likes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import delete, insert, update
from starlette.websockets import WebSocket

from server.accounts import api as accounts
from server.accounts.tables import Session
from server.app.wiring import wire
from server.chat import api as chat
from server.listings.tables import Listing
from server.platform import streams
from server.platform.bus import Hint, Receive
from server.platform.context import Actor, Context, Wiring
from server.platform.jobs import Bell
from server.platform.tables import Stream, StreamEvent
from server.platform.unit_of_work import UnitOfWork, transact
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from shared_models.accounts import SignUp

Result = TypeVar("Result")
SETTINGS = RealtimeSettings(
    resume_most=12, queue_frames=64, batch_events=3, drain_s=0.0, close_s=0.0, reconcile_s=3600.0
)
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

    async def join(self, stream_id: UUID) -> None:
        self._joined.add(stream_id)

    async def leave(self, stream_id: UUID) -> None:
        self._joined.discard(stream_id)

    async def publish(self, hints: Iterable[Hint]) -> None:
        assert self.node is not None
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
        self.realtime = RealtimeNode(self.context, SETTINGS)
        self.sockets: list[asyncio.Task[None]] = []

    def serve(self, socket: WebSocket) -> None:
        """Take a socket."""
        serving = self.realtime.gateway.serve(socket)
        self.sockets.append(self.world.loop.create_task(serving))

    def crash(self) -> None:
        """End without a word; another process takes its place."""
        for task in self.sockets:
            task.cancel()
        self.world.nodes[self.world.nodes.index(self)] = Node(self.world)
        self.world.dying += self.sockets


class World:
    """Everything that survives a crash, and the nodes that are alive."""

    def __init__(self, context: Context, loop: asyncio.AbstractEventLoop) -> None:
        self.context = context
        self.loop = loop
        self.ether = Ether()
        self.dying: list[asyncio.Task[None]] = []
        self.nodes = [Node(self), Node(self)]

    async def settle(self) -> None:
        """Let everything that is under way come to rest; what is on the bus stays there."""
        quiet = 0
        database = self.context.database
        pools: list[Any] = [database.writer.sync_engine.pool, database.reader.sync_engine.pool]
        while quiet < 8:
            await asyncio.sleep(0)
            busy = any(pool.checkedout() for pool in pools)
            quiet = 0 if busy else quiet + 1

    async def do(self, action: Callable[[UnitOfWork], Awaitable[Result]], who: Actor) -> Result:
        """Something that happens on no node in particular."""
        return await transact(self.nodes[0].context, who, action)

    async def sign_up(self, handle: str) -> tuple[Actor, str]:
        """An account, its session and its token."""
        body = SignUp(handle=handle, password="second-hand and happy", display_name=handle)
        signed_in = await accounts.sign_up(self.nodes[0].context, body)
        actor = Actor(UUID(str(signed_in.account.id)), UUID(str(signed_in.session.id)))
        return actor, signed_in.token

    async def open_room(self, seller: Actor, buyer: Actor) -> UUID:
        """A listing, and the buyer's room on it."""
        listing_id = await self.do(lambda work: _put_up(work, seller.account_id), seller)
        room, _ = await self.do(lambda work: chat.open_room(work, listing_id), buyer)
        return room.id

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

    async def revoke(self, session_id: UUID) -> None:
        """A session ends elsewhere; the hint about it is lost."""

        async def run(work: UnitOfWork) -> None:
            await work.execute(delete(Session).where(Session.id == session_id))

        await transact(self.context, None, run)

    async def close(self) -> None:
        """End every socket."""
        tasks = [task for node in self.nodes for task in node.sockets] + self.dying
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


async def _put_up(work: UnitOfWork, seller_id: UUID) -> UUID:
    listing_id = work.new_id()
    now = {"bumped_at": work.now, "created_at": work.now, "updated_at": work.now}
    counters = {"like_count": 0, "chat_count": 0, "bump_count": 0, "version": 1}
    await work.execute(
        insert(Listing).values(
            id=listing_id,
            seller_id=seller_id,
            state="selling",
            title="Oak chair",
            description="Solid oak, hardly used.",
            category="furniture",
            condition="good",
            price=40_000,
            negotiable=True,
            method="both",
            photos=[],
            **counters,
            **now,
        )
    )
    return listing_id
