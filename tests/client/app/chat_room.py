"""A chat on the screen, with a server in memory behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from textual.pilot import Pilot

import client_tui.app
from client_tui.app import PickyApp
from client_tui.core.cache import Cache
from client_tui.core.changes import Change
from client_tui.core.credentials import Credentials
from client_tui.core.delivery import Delivery
from client_tui.core.outbox import Outbox
from client_tui.core.paths import Paths
from client_tui.core.status import LineState, Status
from client_tui.link import Link
from client_tui.screens.base import PickyScreen
from client_tui.screens.chat import ChatScreen
from client_tui.widgets.key_bar import KeyBar
from client_tui.work import start
from shared_models.chat import Message, ReadMark
from shared_models.realtime import Ephemeral
from tests.client.app.chat_rows import message
from tests.client.app.room_server import MARKET, RoomLine, RoomServer, Uploads, talk_of
from tests.client.core.fakes import (
    ME,
    OTHER,
    ROOM,
    FakeClock,
    bootstrap,
    room,
)
from tests.quiet import PATIENCE_S


class RoomLink(Link):
    """A link to a room in memory; outbox, cache, delivery and store are the real ones."""

    def __init__(self, directory: Path, server: RoomServer) -> None:
        self.fake_clock = FakeClock()
        paths = Paths(directory / "config", directory / "data", directory / "cache")
        super().__init__(paths, clock=self.fake_clock)
        self.server = server
        self.line = RoomLine(server, self.fake_clock)
        self.uploads = Uploads()
        self.copies: Sequence[Message] = ()
        self.credentials = Credentials("http://server", ME, "me", "token")

    async def start(self) -> None:
        self.api = self.server  # type: ignore[assignment]
        self.session = self.line  # type: ignore[assignment]
        self.uploader = self.uploads  # type: ignore[assignment]
        self.outbox = await Outbox(self.paths.outbox_file(ME), clock=self.fake_clock).open()
        self.cache = await Cache(self.paths.cache_file(ME), me=ME).open()
        await self.cache.save_messages(self.copies)
        self.delivery = Delivery(
            self.outbox,
            self.session,
            self.uploader,
            listener=self,
            clock=self.fake_clock,
            chance=lambda: 0.0,
        )
        self._open = True
        self.store.market = MARKET
        summary = room(
            **{
                name: value
                for name, value in self.server.detail().model_dump().items()
                if name not in ("trade", "offer", "appointment", "allowed_actions")
            }
        )
        self.store.reset(bootstrap(0, [summary]))
        self.line.heard = self.event
        await self.recount_queue()

    async def run(self) -> None:
        await self.delivery.run()

    def event(self, data: Any, kind: str = "message.new") -> None:
        """The next event of the stream."""
        self.changed([Change(self.store.state.pos + 1, kind, data)])

    def says(self, text: str, **fields: Any) -> Message:
        """The other side writes."""
        one = message(len(self.server.log) + 1, text, created_at=self.now(), **fields)
        self.server.log.append(one)
        self.event(one)
        return one

    def peer_reads(self, seq: int) -> None:
        """The other side has read."""
        mark = ReadMark(chatroom_id=ROOM, account_id=OTHER, seq=seq, unread=0)
        self.event(mark, "chatroom.read")

    def peer_types(self, *, on: bool = True, ttl_ms: int = 6000) -> None:
        """The other side types."""
        self.noticed(Ephemeral(kind="typing", chatroom_id=ROOM, data={"on": on}, ttl_ms=ttl_ms))

    def peer_looks(self, *, on: bool = True, ttl_ms: int = 60_000) -> None:
        """The other side looks at the room."""
        self.noticed(Ephemeral(kind="presence", chatroom_id=ROOM, data={"on": on}, ttl_ms=ttl_ms))

    def connect(self) -> None:
        """The line is there."""
        self.line.connect()
        self.status_changed(Status(LineState.ONLINE))

    def cut(self) -> None:
        """The line is gone."""
        self.line.cut()
        self.status_changed(Status(LineState.OFFLINE))


class RoomApp(PickyApp):
    """The app, straight into the room."""

    CSS_PATH: ClassVar[Any] = [
        Path(client_tui.app.__file__).parent / style for style in PickyApp.CSS_PATH
    ]

    def enter(self) -> None:
        start(self, self.link.run, name="link", group="link")
        self.push_screen(PickyScreen())
        self.push_screen(ChatScreen(ROOM))


class Chat:
    """A chat on the screen, and how a test looks at it."""

    def __init__(self, app: RoomApp, link: RoomLink, pilot: Pilot[Any]) -> None:
        self.app = app
        self.link = link
        self.server = link.server
        self.line = link.line
        self.pilot = pilot

    @property
    def screen(self) -> ChatScreen:
        """The chat, also below a dialog."""
        return next(one for one in reversed(self.app.screen_stack) if isinstance(one, ChatScreen))

    def rows(self) -> list[str]:
        """The rows of the history as text."""
        history = self.screen.history
        return [history.render_line(y).text.rstrip() for y in range(history.size.height)]

    def footer(self) -> str:
        """What the keys do, as the last row says it."""
        return self.screen.query_one(KeyBar).render().plain

    def row(self, text: str) -> str:
        """The row of the history with this text; empty where there is none."""
        return next((row for row in self.rows() if text in row), "")

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.pilot.pause(0.005)
        await self.pilot.pause()

    async def until_shown(self, text: str) -> str:
        """Wait until the history shows a text; the row with it."""
        await self.until(lambda: self.row(text))
        return self.row(text)

    async def write(self, text: str, *, send: bool = True) -> None:
        """Type a text, and send it."""
        self.screen.composer.focus()
        for character in text:
            await self.pilot.press(_KEYS.get(character, character))
        if send:
            await self.pilot.press("enter")

    async def press(self, *keys: str) -> None:
        """Press keys in the history."""
        self.screen.history.focus()
        await self.pilot.pause()
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def select(self, key: int) -> None:
        """Bring the cursor of the history to a row."""
        self.screen.history.focus()
        self.screen.history.jump_to(key, "nearest")

    def toasts(self) -> list[str]:
        """What was said in passing."""
        return [notice.message for notice in self.app._notifications]


__all__ = ["Chat", "RoomServer", "open_chat", "talk_of"]

_KEYS = {
    " ": "space",
    "?": "question_mark",
    ",": "comma",
    ".": "full_stop",
    "-": "minus",
    ":": "colon",
}


@asynccontextmanager
async def open_chat(
    directory: Path,
    server: RoomServer,
    *,
    size: tuple[int, int] = (80, 24),
    online: bool = True,
    loaded: bool = True,
    copies: Sequence[Message] = (),
) -> AsyncIterator[Chat]:
    """The chat of a room, as it is when everything that was asked has come."""
    link = RoomLink(directory, server)
    link.copies = copies
    app = RoomApp(link)
    async with app.run_test(size=size, notifications=True) as pilot:
        chat = Chat(app, link, pilot)
        await chat.until(lambda: isinstance(app.screen, ChatScreen) and chat.screen.is_mounted)
        if online:
            link.connect()
        if loaded:
            await chat.until(
                lambda: chat.screen.loaded and not chat.screen.query_one("#chat-note").display
            )
        await pilot.pause()
        yield chat
