"""Sending, receiving and history."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from bench.figures import Figures, counted, measured, timed
from bench.filling import fill_room
from bench.market import Market, Person, sell, sign_up
from bench.pages import measure_pages
from client_tui.core.cache import Cache
from client_tui.core.changes import Change
from client_tui.core.session import Listener, Session
from client_tui.store import MessageChanged, Store
from server.app.settings import Settings
from shared_models.realtime import Ok

DEPTHS = (0, 1_000, 20_000)
DEEPEST = 1_000_000
_TURNS = 10


async def measure_chat(market: Market, *, sends: int, pages: int, deepest: int) -> list[Figures]:
    """Everything about chat, in one room of two people."""
    seller, buyer = await sign_up(market, "chat_seller"), await sign_up(market, "chat_buyer")
    listing = await sell(market, seller, "A chair to talk about")
    room = await buyer.api.open_room(listing.id)
    found = [
        await _send_to_ok(market, buyer, room.id, sends),
        await _send_to_screen(market, buyer, seller, room.id, sends // 2),
    ]
    settings = Settings(database_url=market.database_url, data_dir=market.scratch / "fill")
    await fill_room(settings, room.id, (seller.id, buyer.id), deepest + 1_000)
    newest = (await buyer.api.room(room.id)).last_seq
    found += await _history(market, buyer, room.id, pages, newest, (*DEPTHS, deepest))
    found += await measure_pages(
        market, buyer, room.id, newest=newest, deepest=deepest, count=10 * pages
    )
    found.append(await _room_list(market, buyer, pages))
    await seller.api.aclose()
    await buyer.api.aclose()
    return found


@asynccontextmanager
async def online(
    market: Market, person: Person, listener: Listener | None = None
) -> AsyncIterator[Session]:
    """The person's realtime line, live."""
    cache = await Cache(market.scratch / f"{uuid4()}.db", person.id).open()
    session = Session(
        market.server.url,
        person.token,
        journal=cache,
        bootstrap=person.api.bootstrap,
        listener=listener,
    )
    running = asyncio.create_task(session.run())
    try:
        await session.wait_online()
        yield session
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await cache.close()


async def _send_to_ok(market: Market, person: Person, room_id: UUID, count: int) -> Figures:
    async with online(market, person) as session:
        for warm_up in range(20):
            await session.send(room_id, uuid4(), f"warming up {warm_up}")
        with measured("send to ok, one client", market.watched) as figures:
            for number in range(count):
                with timed(figures):
                    answer = await session.send(room_id, uuid4(), f"message {number}")
                assert isinstance(answer, Ok), answer
        figures.note = f"{1000 * count / sum(figures.samples):.0f} messages a second"
    return figures


class _Screen(Listener):
    """The other client: its store, and when each text reached it."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[str] = asyncio.Queue()
        self.store = Store()
        self.store.subscribe(self._on_change)

    def changed(self, changes: Sequence[Change]) -> None:
        """Apply, as the app does."""
        for change in changes:
            self.store.apply(change)

    def _on_change(self, change: object) -> None:
        if isinstance(change, MessageChanged):
            self.seen.put_nowait(change.message.text)


async def _send_to_screen(
    market: Market, sender: Person, receiver: Person, room_id: UUID, count: int
) -> Figures:
    screen = _Screen()
    async with online(market, sender) as session, online(market, receiver, screen):
        with measured("send to the other client's screen event", market.watched) as figures:
            for number in range(count):
                text = f"seen {number}"
                with timed(figures):
                    sending = asyncio.create_task(session.send(room_id, uuid4(), text))
                    while await screen.seen.get() != text:
                        pass
                await sending
    return figures


async def _history(
    market: Market, person: Person, room_id: UUID, count: int, newest: int, depths: Sequence[int]
) -> list[Figures]:
    """Pages at every depth, in turns: what the machine does meanwhile is not taken for depth."""
    found = [(depth, Figures(f"a page of 20 messages at depth {depth:,}")) for depth in depths]
    for depth, _ in found:
        await person.api.messages(room_id, before=newest + 1 - depth, limit=20)
    for turn in range(_TURNS):
        for depth, figures in found:
            with counted(figures, market.watched):
                for _ in range(turn, count, _TURNS):
                    with timed(figures):
                        page = await person.api.messages(
                            room_id, before=newest + 1 - depth, limit=20
                        )
                    assert len(page.items) == 20
    shallow, deep = found[0][1].percentile(50), found[-1][1].percentile(50)
    found[-1][1].note = f"{deep / shallow:.2f} times what it takes at depth 0"
    return [figures for _, figures in found]


async def _room_list(market: Market, person: Person, count: int) -> Figures:
    with measured("the room list", market.watched) as figures:
        for _ in range(count):
            with timed(figures):
                await person.api.rooms(limit=20)
    return figures
