"""A room with a great many messages in the app: opening it, jumping about in it, and its memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import psutil
from textual.pilot import Pilot

from bench.figures import Figures
from bench.filling import fill_room
from bench.market import Market, Person, sell, sign_up
from client_tui.app import PickyApp
from client_tui.core.credentials import Credentials
from client_tui.core.paths import Paths
from client_tui.core.status import LineState
from client_tui.link import Link
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.chat import ChatScreen
from client_tui.work import start
from server.app.settings import Settings

UNREAD = 400
_PAGES = 30
_LOOK_EVERY_S = 0.005
"""Looking costs as well."""
_SIZE = (120, 40)


@dataclass(frozen=True, slots=True)
class _Room:
    id: UUID
    messages: int

    def row(self, number: int) -> str:
        """What stands in the row of a message, counted from 0."""
        return f" {number}: is it still there?"

    @property
    def day(self) -> datetime:
        """The midnight in the middle of the talk."""
        middle = datetime.now().astimezone() - timedelta(minutes=self.messages // 2)
        return middle.replace(hour=0, minute=0, second=0, microsecond=0)


class _Eye:
    """Looks at the chat on the screen."""

    def __init__(self, app: PickyApp, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def chat(self) -> ChatScreen:
        """The chat in front."""
        assert isinstance(self.app.screen, ChatScreen)
        return self.app.screen

    def rows(self) -> str:
        """The rows of the history."""
        if not isinstance(self.app.screen, ChatScreen) or not self.app.screen.is_mounted:
            return ""
        history = self.app.screen.history
        return "\n".join(history.render_line(y).text for y in range(history.size.height))

    async def ms_until(self, act: Callable[[], object], shown: Callable[[str], bool]) -> float:
        """Milliseconds from an act until it is on the screen."""
        started = time.perf_counter()
        act()
        while not shown(self.rows()):
            assert time.perf_counter() - started < 30, self.rows()
            await asyncio.sleep(_LOOK_EVERY_S)
        return (time.perf_counter() - started) * 1000


async def measure_big_room(
    market: Market, *, messages: int, rounds: int, rows: int
) -> list[Figures]:
    """Each round is an app that has never seen the room; one of them pages through ``rows``."""
    seller = await sign_up(market, "big_seller")
    buyer = await sign_up(market, "big_buyer")
    listing = await sell(market, seller, "A chair that is talked about for years")
    room = _Room((await buyer.api.open_room(listing.id)).id, messages)
    settings = Settings(database_url=market.database_url, data_dir=market.scratch / "fill")
    await fill_room(settings, room.id, (seller.id, buyer.id), messages, unread=UNREAD)
    size = f"a room of {messages:,}"
    names = ("newest page painted", "to its beginning", "to a date", "to the first unread")
    found = {name: Figures(f"{size}: {name}") for name in (*names, "to the newest", "a page up")}
    cpu: dict[str, list[float]] = {}
    for _ in range(rounds):
        async with _app(market, buyer) as eye:
            await _look_around(eye, room, found, cpu)
    memory = Figures(f"{size}: memory")
    async with _app(market, buyer) as eye:
        memory.note = await _page_up(eye, room, rows)
    for person in (seller, buyer):
        await person.api.aclose()
    return [*found.values(), memory]


async def _look_around(
    eye: _Eye, room: _Room, found: dict[str, Figures], cpu: dict[str, list[float]]
) -> None:
    async def look(name: str, act: Callable[[], object], shown: Callable[[str], bool]) -> None:
        figures, started = found[name], time.process_time()
        figures.samples.append(await eye.ms_until(act, shown))
        cpu.setdefault(name, []).append((time.process_time() - started) * 1000)
        figures.note = f"CPU of the client, median {median(cpu[name]):.0f} ms"
        await eye.pilot.pause()

    def to_day() -> object:
        return start(eye.chat, partial(eye.chat.go_to_day, day), group="jump", exclusive=True)

    newest = room.row(room.messages - 1)
    day = f"{room.day:%Y-%m-%d}"
    await look("newest page painted", lambda: eye.app.open_chat(room.id), lambda at: newest in at)
    await look("to its beginning", eye.chat.do_first, lambda at: room.row(0) in at)
    await look("to a date", to_day, lambda at: " 00:00 " in at)
    unread = f"{UNREAD // 2} unread"
    await look("to the first unread", eye.chat.do_unread, lambda at: unread in at)
    await look("to the newest", eye.chat.do_newest, lambda at: newest in at)
    for _ in range(_PAGES):
        before = eye.rows()
        up = partial(eye.chat.history.scroll_rows, -eye.chat.history.size.height)
        await look("a page up", up, before.__ne__)


async def _page_up(eye: _Eye, room: _Room, rows: int) -> str:
    """Up through so many rows; what the process holds more than after the first tenth of them."""
    newest = room.row(room.messages - 1)
    await eye.ms_until(lambda: eye.app.open_chat(room.id), lambda at: newest in at)
    process, held = psutil.Process(), []
    conversation = eye.chat.conversation
    for part in range(10):
        goal = room.messages - rows * (part + 1) // 10
        while conversation.window.start > max(2, goal):
            start = conversation.window.start
            eye.chat.history.jump_to_top()
            while conversation.window.start >= start:
                await eye.pilot.pause(0.001)
        held.append(process.memory_info().rss / 2**20)
    return (
        f"after {rows:,} rows up {held[-1] - held[0]:+.1f} MiB against the first tenth of them"
        f" (median {median(held):.0f} MiB); {len(conversation.window):,} messages kept"
    )


@asynccontextmanager
async def _app(market: Market, person: Person) -> AsyncIterator[_Eye]:
    """The app of somebody on a machine that has no copies, online."""
    home = market.scratch / f"home-{uuid4()}"
    link = Link(Paths(home / "config", home / "data", home / "cache"))
    link.credentials = Credentials(market.server.url, person.id, "big_buyer", person.token)
    link.config = replace(link.config, send_read_marks=False)  # what is unread stays so
    app = PickyApp(link)
    async with app.run_test(size=_SIZE) as pilot:
        while not (isinstance(app.screen, BrowseScreen) and link.status.state is LineState.ONLINE):
            await pilot.pause(0.01)
        while link.pictures.busy:
            await pilot.pause(0.01)
        yield _Eye(app, pilot)
