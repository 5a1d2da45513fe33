"""What a client may ask for on its socket, each through the façade of the chat."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Literal
from uuid import UUID

import structlog

from server.accounts import api as accounts
from server.chat import api as chat
from server.platform.bus import Hint
from server.platform.context import Context
from server.platform.errors import Refusal, TooMany
from server.platform.failures import DATABASE_FAILURES
from server.platform.unit_of_work import UnitOfWork, reading, transact
from server.realtime.connection import Connection
from server.realtime.frames import encode, ephemeral, refusal
from server.realtime.hub import Hub
from server.realtime.metrics import SEND_SECONDS
from server.realtime.settings import RealtimeSettings
from shared_models.base import Wire
from shared_models.chat import ReadMark
from shared_models.realtime import ClientFrame, Close, Err, Ok, Open, Read, Send, Typing

_TOUCH_EVERY_S = 600.0

log = structlog.get_logger("realtime")


class Commands:
    """The commands of one connection, handled one after the other (R6)."""

    def __init__(
        self,
        context: Context,
        settings: RealtimeSettings,
        hub: Hub,
        connection: Connection,
        monotonic: Callable[[], float],
    ) -> None:
        self._context = context
        self._settings = settings
        self._hub = hub
        self._connection = connection
        self._monotonic = monotonic
        self._typed_at: dict[UUID, float] = {}
        self._shown_typing: set[UUID] = set()
        self._touched_at: float | None = None

    async def handle(self, frames: Sequence[ClientFrame]) -> None:
        """Do what the frames ask, in their order; messages that follow each other go together.

        A refusal, also of a database that is away, becomes ``err``.
        """
        for are_sends, run in groupby(frames, key=lambda frame: isinstance(frame, Send)):
            if are_sends:
                await self._send([frame for frame in run if isinstance(frame, Send)])
                continue
            for frame in run:
                try:
                    await self._dispatch(frame)
                except (Refusal, *DATABASE_FAILURES) as error:
                    self._refuse(error, frame)

    def _refuse(self, error: Exception, frame: ClientFrame) -> None:
        tag = frame.id if isinstance(frame, Send) else None
        if isinstance(error, Refusal):
            self._answer(refusal(error, tag))
            return
        log.error("command_failed", t=frame.t, error=type(error).__name__, exc_info=error)
        self._answer(Err(id=tag, code="unavailable", retryable=True, detail="Try again."))

    async def _dispatch(self, frame: ClientFrame) -> None:
        match frame:
            case Read():
                await self._read(frame)
            case Typing():
                await self._typing(frame)
            case Open():
                await self._look(frame.chatroom_id)
            case Close():
                await self._look_away(frame.chatroom_id)
            case _:
                detail = f"{frame.t} is said once, first."
                self._answer(Err(code="bad_frame", retryable=False, detail=detail))

    async def _send(self, frames: Sequence[Send]) -> None:
        account_id = self._connection.account_id
        began, at = self._context.traces.now(), self._monotonic()
        waits = [chat.send_wait_s(self._context, account_id) for _ in frames]
        messages = [
            (frame.chatroom_id, frame)
            for frame, wait_s in zip(frames, waits, strict=True)
            if wait_s <= 0
        ]
        line = self._context.wiring.port(chat.SendLine)
        answers = iter(await line.send(self._connection.actor, messages))
        for frame, wait_s in zip(frames, waits, strict=True):
            answer = next(answers) if wait_s <= 0 else TooMany("Too fast.", retry_after_s=wait_s)
            if isinstance(answer, chat.Sent):
                self._answer(ok(frame, answer))
            else:
                self._refuse(answer, frame)
            SEND_SECONDS.observe(self._monotonic() - at)
            outcome = chat.count_send(answer)
            self._context.traces.record("send", began, sent_as=frame.cid, outcome=outcome)

    async def _read(self, frame: Read) -> None:
        async def run(work: UnitOfWork) -> ReadMark:
            return await chat.mark_read(work, frame.chatroom_id, frame.seq)

        await transact(self._context, self._connection.actor, run)

    async def _typing(self, frame: Typing) -> None:
        """At most one per 3 s and room reaches the other side; only its end may come sooner."""
        now, room_id = self._monotonic(), frame.chatroom_id
        self._forget_what_expired(now)
        if frame.on:
            last = self._typed_at.get(room_id)
            if last is not None and now - last < self._settings.typing_every_s:
                return
        elif room_id not in self._shown_typing:
            return
        self._shown_typing.discard(room_id)
        told = await self._tell_peer("typing", room_id, on=frame.on)
        if frame.on and told is not None:
            self._typed_at[room_id] = now
            self._shown_typing.add(room_id)

    def _forget_what_expired(self, now: float) -> None:
        """The peers have forgotten it by themselves."""
        since = now - self._settings.typing_ttl_ms / 1000
        self._typed_at = {room: at for room, at in self._typed_at.items() if at > since}
        self._shown_typing &= self._typed_at.keys()

    async def _look(self, room_id: UUID) -> None:
        peer_id = await self._tell_peer("presence", room_id, on=True)
        self._connection.looking_at.add(room_id)
        if peer_id is not None and self._peer_looks(peer_id, room_id):
            ttl_ms = self._settings.presence_ttl_ms
            shown = ephemeral("presence", room_id, peer_id, on=True, ttl_ms=ttl_ms)
            self._connection.writer.put_ephemeral(shown)

    def _peer_looks(self, peer_id: UUID, room_id: UUID) -> bool:
        """Whether it does here, or has said so elsewhere."""
        account_id = self._connection.account_id
        return self._hub.looks_at(peer_id, room_id) or self._hub.peer_looks_at(account_id, room_id)

    async def _look_away(self, room_id: UUID) -> None:
        if room_id not in self._connection.looking_at:
            return
        self._connection.looking_at.discard(room_id)
        if not self._hub.looks_at(self._connection.account_id, room_id):
            await self._tell_peer("presence", room_id, on=False)

    async def still_here(self) -> None:
        """The device has answered a ping: tell who looks too, before what they know expires.

        Who does not look has no use for it; whoever comes to look says so, and is told then. Who
        has been silent for long is told too: an outage may have kept both from being heard.
        """
        account_id = self._connection.account_id
        with suppress(Refusal, *DATABASE_FAILURES):
            for room_id in tuple(self._connection.looking_at):
                if self._hub.peer_has_come(account_id, room_id):
                    await self._tell_peer("presence", room_id, on=True)
            await self._touch_session()

    async def _touch_session(self) -> None:
        now = self._monotonic()
        if self._touched_at is not None and now - self._touched_at < _TOUCH_EVERY_S:
            return
        self._touched_at = now
        actor = self._connection.actor
        await transact(
            self._context, actor, lambda work: accounts.touch_session(work, actor.session_id)
        )

    async def look_away(self) -> None:
        """The device is gone."""
        with suppress(Refusal, *DATABASE_FAILURES):
            for room_id in tuple(self._connection.looking_at):
                await self._look_away(room_id)

    async def _tell_peer(
        self, kind: Literal["typing", "presence"], room_id: UUID, *, on: bool
    ) -> UUID | None:
        account_id = self._connection.account_id
        async with reading(self._context, self._connection.actor) as work:
            peer_id = await chat.peer_to_tell(work, room_id, account_id)
        if peer_id is not None:
            settings = self._settings
            ttl_ms = settings.typing_ttl_ms if kind == "typing" else settings.presence_ttl_ms
            frame = ephemeral(kind, room_id, account_id, on=on, ttl_ms=ttl_ms)
            await self._context.bus.publish([Hint(peer_id, 0, frame)])
        return peer_id

    def _answer(self, answer: Wire) -> None:
        self._connection.writer.put(encode(answer))


def ok(frame: Send, sent: chat.Sent) -> Ok:
    """The answer to a message that is on disk."""
    return Ok.trusted(
        t="ok",
        id=frame.id,
        chatroom_id=frame.chatroom_id,
        cid=frame.cid,
        seq=sent.message.seq,
        message_id=sent.message.id,
        created_at=sent.message.created_at,
        duplicate=sent.duplicate,
    )


def too_fast(wait_s: float, frame: ClientFrame | None) -> Err:
    """``rate_limited``; nothing was stored."""
    refused = TooMany("Too fast.", retry_after_s=wait_s)
    if not isinstance(frame, Send):
        return refusal(refused)
    chat.count_send(refused)
    return refusal(refused, frame.id)
