"""A clock moved by hand, models with little in them, and a realtime server that does as told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from client_tui.core.cache import Cache
from client_tui.core.changes import Change
from client_tui.core.session import Listener
from client_tui.core.status import LineState, Status
from shared_models.accounts import Account, ProfileCard
from shared_models.chat import Chatroom, Message
from shared_models.listings import Listing, ListingCard, ListingState
from shared_models.market import Condition, Method
from shared_models.notifications import Notification, NotificationKind
from shared_models.realtime import Ephemeral
from shared_models.sync import Bootstrap
from tests.quiet import PATIENCE_S, settle

ME, OTHER, ROOM, LISTING, EPOCH = (UUID(int=number) for number in range(1, 6))
START = datetime(2026, 11, 19, 14, 2, tzinfo=UTC)
CARD = ProfileCard(id=OTHER, handle="minji", display_name="민지", avatar=None, manner_score=41.2)


class FakeClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._asleep = asyncio.Event()

    def now(self) -> datetime:
        return START + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._passed + seconds, woken))
        self._asleep.set()
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass; whoever sleeps wakes at its own moment, in order."""
        end = self._passed + seconds
        await settle()
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= end]:
            first = min(due, key=lambda sleeper: sleeper[0])
            self._sleepers.remove(first)
            self._passed = max(self._passed, first[0])
            if not first[1].done():
                first[1].set_result(None)
            await settle()
        self._passed = end

    async def until_asleep(self) -> None:
        """Wait until somebody sleeps who has not been woken."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._sleepers:
                self._asleep.clear()
                await self._asleep.wait()


def message(seq: int, *, sender: UUID | None = OTHER, **fields: Any) -> Message:
    given: dict[str, Any] = {
        "chatroom_id": ROOM,
        "seq": seq,
        "id": UUID(int=1000 + seq),
        "cid": None,
        "sender_id": sender,
        "kind": "text",
        "text": f"message {seq}",
        "created_at": START + timedelta(seconds=seq),
    }
    return Message.model_validate(given | fields)


def card(**fields: Any) -> ListingCard:
    given: dict[str, Any] = {
        "id": LISTING,
        "title": "Oak dining chair",
        "price": 45000,
        "state": "selling",
        "place": "Mapo",
        "condition": "good",
        "method": "meet",
        "negotiable": True,
        "cover": None,
        "like_count": 0,
        "chat_count": 1,
        "bumped_at": START,
    }
    return ListingCard.model_validate(given | fields)


def listing(listing_id: UUID) -> Listing:
    return Listing(
        id=listing_id,
        version=1,
        seller=CARD,
        title="Oak dining chair",
        description="Solid oak.",
        category="furniture",
        condition=Condition.GOOD,
        price=45000,
        negotiable=True,
        method=Method.MEET,
        place="Mapo",
        photos=[],
        state=ListingState.SELLING,
        hidden=False,
        deleted=False,
        like_count=0,
        chat_count=1,
        liked=False,
        chatroom_id=None,
        created_at=START,
        updated_at=START,
        bumped_at=START,
        allowed_actions=[],
    )


async def kept_rooms(cache: Cache) -> list[Chatroom]:
    """The rooms that would be shown before the server is heard."""
    copies = await cache.copies()
    return copies.rooms if copies else []


def room(**fields: Any) -> Chatroom:
    given: dict[str, Any] = {
        "id": ROOM,
        "listing": card(),
        "seller_id": ME,
        "buyer_id": OTHER,
        "other": CARD,
        "state": "open",
        "last_message": None,
        "last_seq": 0,
        "read_seq": 0,
        "peer_read_seq": 0,
        "unread": 0,
        "muted": False,
        "created_at": START,
        "active_at": START,
    }
    return Chatroom.model_validate(given | fields)


def account() -> Account:
    return Account(
        id=ME,
        handle="me",
        display_name="Me",
        place=None,
        avatar=None,
        locale=None,
        consents={},
        notification_switches={},
        manner_score=36.5,
        review_count=0,
        sales=0,
        purchases=0,
        created_at=START,
    )


def notification(number: int) -> Notification:
    return Notification(
        id=UUID(int=number),
        kind=NotificationKind.SYSTEM,
        event="news",
        text=f"News {number}.",
        data={},
        read=False,
        silent=False,
        created_at=START,
    )


def bootstrap(pos: int, rooms: Sequence[Chatroom] = (), *, epoch: UUID = EPOCH) -> Bootstrap:
    return Bootstrap(
        epoch=epoch,
        pos=pos,
        account=account(),
        chatrooms=list(rooms),
        trades=[],
        unread_notifications=0,
    )


def new_message(pos: int, seq: int | None = None, **fields: Any) -> Change:
    """An applied event about a new message; ``seq`` is ``pos`` unless said."""
    return Change(pos, "message.new", message(seq or pos, **fields))


def event(pos: int, seq: int | None = None) -> dict[str, Any]:
    """The frame of :func:`new_message`."""
    data = message(seq or pos).model_dump(mode="json")
    return {"t": "event", "pos": pos, "kind": "message.new", "data": data}


def welcome(pos: int, *, resumed: bool, epoch: UUID = EPOCH) -> dict[str, Any]:
    return {
        "t": "welcome",
        "connection": str(uuid4()),
        "account_id": str(ME),
        "epoch": str(epoch),
        "pos": pos,
        "resumed": resumed,
        "ping_s": 25,
        "limits": {},
        "server_time": "2026-11-19T14:02:00.000000Z",
    }


class Ears:
    """Wakes who waits for what is heard."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    def hear(self) -> None:
        """Something was heard."""
        self._heard.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until what was heard makes ``holds`` true."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._heard.clear()
                await self._heard.wait()


@asynccontextmanager
async def meanwhile(run: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Something runs meanwhile, and is cancelled afterwards."""
    task = asyncio.create_task(run)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Recorder(Ears, Listener):
    """Remembers all it hears and wakes who waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[Status] = []
        self.states: list[Bootstrap] = []
        self.changes: list[Change] = []
        self.ephemerals: list[Ephemeral] = []

    def status_changed(self, status: Status) -> None:
        self.statuses.append(status)
        self.hear()

    def rebased(self, state: Bootstrap) -> None:
        self.states.append(state)
        self.hear()

    def changed(self, changes: Sequence[Change]) -> None:
        self.changes += changes
        self.hear()

    def noticed(self, ephemeral: Ephemeral) -> None:
        self.ephemerals.append(ephemeral)
        self.hear()

    async def until_state(self, state: LineState) -> Status:
        """Wait until the line is in a state."""
        await self.until(lambda: bool(self.statuses) and self.statuses[-1].state is state)
        return self.statuses[-1]

    async def until_applied(self, pos: int) -> None:
        """Wait until an event was applied."""
        await self.until(lambda: bool(self.changes) and self.changes[-1].pos >= pos)


class Peer:
    """The server's end of one connection, led by the test."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.ended = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            frame: dict[str, Any] = json.loads(await self.socket.recv())
            return frame

    async def send(self, *frames: dict[str, Any]) -> None:
        for frame in frames:
            await self.socket.send(json.dumps(frame))

    async def close(self, code: int) -> None:
        await self.socket.close(code)

    async def gone(self) -> None:
        """Wait until the client has hung up."""
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.wait_closed()


class FakeServer:
    """Accepts websockets; each becomes a :class:`Peer` for the test."""

    def __init__(self) -> None:
        self.url = ""
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()

    async def peer(self) -> Peer:
        """The next connection."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._peers.get()

    async def _serve(self, socket: ServerConnection) -> None:
        await self._peers.put(Peer(socket))
        await socket.wait_closed()


@asynccontextmanager
async def fake_server() -> AsyncIterator[FakeServer]:
    """A realtime server on loopback."""
    server = FakeServer()
    async with serve(
        server._serve,
        "127.0.0.1",
        0,
        subprotocols=[Subprotocol("picky.v1.json")],
        compression=None,
        ping_interval=None,
    ) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        server.url = f"http://127.0.0.1:{port}"
        yield server
