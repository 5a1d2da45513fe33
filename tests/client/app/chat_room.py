"""A chat on the screen with a server in memory: what it has, is asked and refuses."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from textual.pilot import Pilot

import client_tui.app
from client_tui.app import PickyApp
from client_tui.core.cache import Cache
from client_tui.core.changes import Change
from client_tui.core.credentials import Credentials
from client_tui.core.delivery import Delivery
from client_tui.core.errors import ClientError, Disconnected
from client_tui.core.outbox import Outbox
from client_tui.core.paths import Paths
from client_tui.core.status import LineState, Status
from client_tui.core.uploads import OnProgress, Outcome, Phase, Progress
from client_tui.link import Link
from client_tui.screens.base import PickyScreen
from client_tui.screens.chat import ChatScreen
from shared_models.chat import ChatroomDetail, Message, MessagePage, ReadMark
from shared_models.market import (
    CANCEL_REASONS,
    CARRIERS,
    CATEGORIES,
    CONDITIONS,
    PROBLEM_REASONS,
    REPORT_REASONS,
    REVIEW_TAGS,
    Limits,
    Market,
)
from shared_models.media import Purpose
from shared_models.realtime import Ephemeral, Err, Ok
from shared_models.trades import Appointment, Offer
from tests.client.app.chat_rows import message, photo
from tests.client.core.fakes import (
    ME,
    OTHER,
    ROOM,
    START,
    FakeClock,
    account,
    bootstrap,
    listing,
    room,
)

MARKET = Market(
    name="test market",
    currency="KRW",
    currency_exponent=0,
    categories=list(CATEGORIES),
    conditions=list(CONDITIONS),
    carriers=list(CARRIERS),
    cancel_reasons=list(CANCEL_REASONS),
    problem_reasons=list(PROBLEM_REASONS),
    report_reasons=list(REPORT_REASONS),
    review_tags=list(REVIEW_TAGS),
    limits=Limits(),
    safety_line="Meet in a public place.",
    server_version="0",
)


class RoomServer:
    """One room: its messages, its deals, and every call about it."""

    def __init__(self, messages: Sequence[Message] = (), **fields: Any) -> None:
        self.log = list(messages)
        self.fields: dict[str, Any] = {
            "trade": None,
            "offer": None,
            "appointment": None,
            "allowed_actions": ["send", "mute"],
        } | fields
        self.calls: list[tuple[Any, ...]] = []
        self.refusal: ClientError | None = None
        """What every call of a page is answered with, while it is set."""
        self.gate = asyncio.Event()
        """Pages wait for it."""
        self.gate.set()

    def detail(self) -> ChatroomDetail:
        """The room as it is now."""
        last = self.log[-1] if self.log else None
        base = room(last_message=last, last_seq=len(self.log)).model_dump()
        return ChatroomDetail.model_validate(base | self.fields)

    # The calls of the api that a chat makes

    async def me(self) -> Any:
        return account()

    async def market(self) -> Market:
        return MARKET

    async def room(self, room_id: UUID) -> ChatroomDetail:
        self.calls.append(("room", room_id))
        return self.detail()

    async def messages(
        self,
        room_id: UUID,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int = 20,
    ) -> MessagePage:
        self.calls.append(("messages", before, after, around, limit))
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        if before is not None:
            items = [one for one in self.log if one.seq < before][-limit:]
        elif after is not None:
            items = [one for one in self.log if one.seq > after][:limit]
        elif around is not None:
            items = [one for one in self.log if one.seq >= around - limit // 2][:limit]
        else:
            items = self.log[-limit:]
        return MessagePage(
            items=items,
            first_seq=items[0].seq if items else None,
            last_seq=items[-1].seq if items else None,
            has_more_before=bool(items) and items[0].seq > 1,
            has_more_after=bool(items) and items[-1].seq < len(self.log),
            profiles={},
        )

    def __getattr__(self, name: str) -> Any:
        """Every other call is remembered and does nothing."""

        async def call(*args: Any, **_: Any) -> None:
            self.calls.append((name, *args))
            if self.refusal is not None:
                raise self.refusal

        return call

    async def listing(self, listing_id: UUID) -> Any:
        return listing(listing_id)

    async def aclose(self) -> None:
        """Nothing to close."""

    def asked(self, name: str) -> list[tuple[Any, ...]]:
        """What was asked of one call."""
        return [call[1:] for call in self.calls if call[0] == name]


class RoomLine:
    """The realtime line of one room: connected or not, as the test says."""

    def __init__(self, server: RoomServer, clock: FakeClock) -> None:
        self._server = server
        self._clock = clock
        self._online = asyncio.Event()
        self.answer: Callable[[UUID, str], Ok | Err | None] = lambda cid, text: None
        """An answer other than taking the message."""
        self.event_first = False
        self.hold_events = False
        self.held: list[Message] = []
        self.heard: Callable[[Message], None] = lambda one: None
        self.marks: list[int] = []
        self.typed: list[bool] = []
        self.opened: list[str] = []

    async def wait_online(self) -> None:
        await self._online.wait()

    def connect(self) -> None:
        self._online.set()

    def cut(self) -> None:
        self._online.clear()

    async def send(
        self,
        room_id: UUID,
        cid: UUID,
        text: str,
        photo_ids: Sequence[UUID] = (),
        *,
        confirmed: bool = False,
    ) -> Ok | Err:
        if not self._online.is_set():
            raise Disconnected
        self._server.calls.append(("send", text, confirmed))
        refused = None if confirmed else self.answer(cid, text)
        if refused is not None:
            return refused
        photos = [photo(number.int % 1000) for number in photo_ids]
        seq = len(self._server.log) + 1
        stored = message(seq, text, sender=ME, cid=cid, created_at=self._clock.now(), photos=photos)
        self._server.log.append(stored)
        self._happened(stored)
        return Ok(
            id="1",
            chatroom_id=room_id,
            cid=cid,
            seq=seq,
            message_id=stored.id,
            created_at=stored.created_at,
            duplicate=False,
        )

    def _happened(self, stored: Message) -> None:
        if self.hold_events:
            self.held.append(stored)
        else:
            self.heard(stored)

    def mark_read(self, room_id: UUID, seq: int) -> None:
        self.marks.append(seq)

    async def typing(self, room_id: UUID, on: bool) -> None:
        self.typed.append(on)

    async def open(self, room_id: UUID) -> None:
        self.opened.append("open")

    async def close(self, room_id: UUID) -> None:
        self.opened.append("close")


class Uploads:
    """An uploader whose photos stop at ``stop`` until the test lets them go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def upload(
        self, purpose: Purpose, paths: Sequence[Path], tell: OnProgress
    ) -> list[Outcome]:
        for index, path in enumerate(paths):
            tell(Progress(index, path, Phase.SENDING, 40 + 20 * index, 100))
        await self.go.wait()
        return [Outcome(path, photo(100 + index)) for index, path in enumerate(paths)]


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
        self.store.apply(Change(self.store.state.pos + 1, kind, data))

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
        self.run_worker(self.link.run(), name="link", group="link", exit_on_error=False)
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

    def row(self, text: str) -> str:
        """The row of the history with this text; empty where there is none."""
        return next((row for row in self.rows() if text in row), "")

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(15):
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


def talk_of(count: int, **fields: Any) -> list[Message]:
    """So many messages, the newest a minute before now, from both by turns."""
    return [
        message(
            seq,
            f"word {seq}",
            sender=ME if seq % 2 else OTHER,
            created_at=START - timedelta(minutes=10 * (count + 1 - seq)),
            **fields,
        )
        for seq in range(1, count + 1)
    ]


def offer(*actions: str, maker: UUID = OTHER, **fields: Any) -> Offer:
    """An open offer of 40,000."""
    given: dict[str, Any] = {
        "id": UUID(int=77),
        "chatroom_id": ROOM,
        "listing_id": UUID(int=4),
        "maker_id": maker,
        "amount": 40_000,
        "state": "pending",
        "expires_at": START + timedelta(hours=48),
        "created_at": START,
        "allowed_actions": list(actions),
    }
    return Offer.model_validate(given | fields)


def meeting(*actions: str, proposer: UUID = OTHER, **fields: Any) -> Appointment:
    """A proposal to meet in a day's time."""
    given: dict[str, Any] = {
        "id": UUID(int=88),
        "chatroom_id": ROOM,
        "proposer_id": proposer,
        "at": START + timedelta(days=1),
        "place": "Hapjeong exit 3",
        "state": "proposed",
        "created_at": START,
        "allowed_actions": list(actions),
    }
    return Appointment.model_validate(given | fields)


__all__ = [
    "ME",
    "OTHER",
    "ROOM",
    "START",
    "Chat",
    "RoomServer",
    "meeting",
    "offer",
    "open_chat",
    "talk_of",
]
