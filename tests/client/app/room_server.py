"""A server in memory with one room: what it has, what it is asked, and what it refuses."""

import asyncio
from collections.abc import Callable, MutableSequence, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from client_tui.core.errors import ClientError, Disconnected, UploadFailed
from client_tui.core.uploads import OnProgress, Outcome, Phase, Progress
from shared_models.base import Page
from shared_models.chat import Chatroom, ChatroomDetail, Message, MessagePage
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
from shared_models.realtime import Err, Ok
from shared_models.trades import Appointment, Offer
from tests.client.app.chat_rows import message, photo
from tests.client.core.fakes import (
    ME,
    OTHER,
    ROOM,
    START,
    FakeClock,
    account,
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
        self.log = messages if isinstance(messages, MutableSequence) else list(messages)
        """Its messages without a hole, the first one perhaps not number 1."""
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
        base = room(last_message=last, last_seq=last.seq if last else 0).model_dump()
        return ChatroomDetail.model_validate(base | self.fields)

    # The calls of the api that a chat makes

    async def me(self) -> Any:
        return account()

    async def market(self) -> Market:
        return MARKET

    async def room(self, room_id: UUID) -> ChatroomDetail:
        self.calls.append(("room", room_id))
        return self.detail()

    async def rooms(self, **_: Any) -> Page[Chatroom]:
        return Page[Chatroom](items=[self.detail()], next_cursor=None)

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
        first = self.log[0].seq if self.log else 1
        if before is not None:
            stop = max(0, before - first)
            items = self.log[max(0, stop - limit) : stop]
        elif after is not None or around is not None:
            at = (after or 0) + 1 if around is None else around - limit // 2
            start = max(0, at - first)
            items = self.log[start : start + limit]
        else:
            items = self.log[-limit:]
        return MessagePage(
            items=items,
            first_seq=items[0].seq if items else None,
            last_seq=items[-1].seq if items else None,
            has_more_before=bool(items) and items[0].seq > first,
            has_more_after=bool(items) and items[-1].seq < first + len(self.log) - 1,
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
        self.hold_events = False
        self.ok_gate = asyncio.Event()
        """Every `ok` waits for it, after its event."""
        self.ok_gate.set()
        self.held: list[Message] = []
        self.heard: Callable[[Message], None] = lambda one: None
        self.silent_s = 0.0
        """For how long an answer has been owed."""
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
        await self.ok_gate.wait()
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

    def unanswered_s(self) -> float:
        return self.silent_s

    def mark_read(self, room_id: UUID, seq: int) -> None:
        self.marks.append(seq)

    async def typing(self, room_id: UUID, on: bool) -> None:
        self.typed.append(on)

    async def open(self, room_id: UUID) -> None:
        self.opened.append("open")

    async def close(self, room_id: UUID) -> None:
        self.opened.append("close")


class Uploads:
    """An uploader whose photos stop on their way until the test lets them go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.broken: set[str] = set()
        """Names of files that do not come through."""
        self.asked: list[list[str]] = []

    async def upload(
        self, purpose: Purpose, paths: Sequence[Path], tell: OnProgress
    ) -> list[Outcome]:
        self.asked.append([path.name for path in paths])
        for index, path in enumerate(paths):
            tell(Progress(index, path, Phase.SENDING, 40 + 20 * index, 100))
        await self.go.wait()
        outcomes = []
        for index, path in enumerate(paths):
            if any(path.name.endswith(name) for name in self.broken):
                tell(Progress(index, path, Phase.FAILED))
                outcomes.append(
                    Outcome(path, error=UploadFailed("refused", "the photo did not arrive"))
                )
            else:
                outcomes.append(Outcome(path, photo(100 * len(self.asked) + index)))
        return outcomes


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
