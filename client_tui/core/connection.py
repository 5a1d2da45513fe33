"""One connection from hello to its end: read, apply in order, and notice when it is dead."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Final, Protocol
from uuid import UUID

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from client_tui.core.changes import Change, Position, decode
from client_tui.core.clock import Clock
from client_tui.core.errors import ClientError, CopiesLost, Disconnected, Unauthenticated
from client_tui.core.identity import USER_AGENT
from client_tui.core.line import Ended, Ending, closed
from client_tui.core.status import LineState
from shared_models.base import Wire
from shared_models.realtime import Bye, Ephemeral, Err, Hello, Ok, Pong, Send, Welcome
from shared_models.sync import Bootstrap

_log = logging.getLogger(__name__)

SILENCE_S: Final = 40.0
BEHIND_S: Final = 5.0
WELCOME_S: Final = 15.0
ANSWER_S: Final = 60.0
"""A server whose database hangs still pings; another one may have a better line to it."""
_TICK_S: Final = 1.0
_WAITING_MAX: Final = 1_000
_AT_ONCE: Final = 200


class Journal(Protocol):
    """Where events are applied and the position is kept: :class:`~client_tui.core.cache.Cache`."""

    async def position(self) -> Position | None:
        """How far the stream is applied."""

    async def apply(self, epoch: str, changes: Sequence[Change]) -> None:
        """Apply and store the position, in one transaction (R4), or neither from now on."""

    async def rebase(self, state: Bootstrap) -> None:
        """Start anew from a bootstrap."""


class Owner(Protocol):
    """What a connection tells its session. All are called on the loop and return at once."""

    def online(self, welcome: Welcome) -> None:
        """Live; everything before is applied."""

    def rebased(self, state: Bootstrap) -> None:
        """The state was replaced."""

    def changed(self, changes: Sequence[Change]) -> None:
        """Events were applied, in order."""

    def noticed(self, ephemeral: Ephemeral) -> None:
        """Somebody types, comes or goes."""


class Connection:
    """One websocket. :meth:`run` returns never; it raises :class:`~client_tui.core.line.Ended`."""

    def __init__(
        self,
        socket: ClientConnection,
        *,
        journal: Journal,
        bootstrap: Callable[[], Awaitable[Bootstrap]],
        owner: Owner,
        clock: Clock,
        position: Position | None,
        device: str,
    ) -> None:
        self.position = position
        self._socket = socket
        self._journal = journal
        self._bootstrap = bootstrap
        self._owner = owner
        self._clock = clock
        self._device = device
        self._waiting: asyncio.Queue[Welcome | list[Change]] = asyncio.Queue(_WAITING_MAX)
        self._asked: dict[str, asyncio.Future[Ok | Err | None]] = {}
        """None once the connection has ended; an error would be missed by who still sends."""
        self._asked_at: dict[str, float] = {}
        self._ids = count(1)
        self._welcomed = False
        self._received = position.pos if position else 0
        self._head = 0
        self._begun_at = self._heard_at = clock.monotonic()
        self._behind_since: float | None = None
        self._bye: Bye | None = None

    async def run(self, *companions: Coroutine[Any, Any, None]) -> None:
        """Live until the end. ``companions`` are cancelled with the connection."""
        work = (self._read(), self._apply(), self._watch(), *companions)
        tasks = [asyncio.create_task(part) for part in work]
        try:
            with suppress(ConnectionClosed):  # who reads finds out too, and when to come back
                await self._hello()
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except Ended:
            raise
        except Exception as error:
            raise Ended(_ending(error, self._bye)) from error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_result(None)
            await self._socket.close()

    async def ask(self, send: Callable[[str], Send]) -> Ok | Err:
        """Send a message and wait for the answer; raises :class:`Disconnected`."""
        number = str(next(self._ids))
        waiting: asyncio.Future[Ok | Err | None] = asyncio.get_running_loop().create_future()
        self._asked[number], self._asked_at[number] = waiting, self._clock.monotonic()
        try:
            await self.post(send(number))
            if (answer := await waiting) is None:
                raise Disconnected
            return answer
        finally:
            del self._asked[number], self._asked_at[number]

    def unanswered_s(self) -> float:
        """For how long the message that waits longest for its answer has been waiting."""
        now = self._clock.monotonic()
        return now - min(self._asked_at.values(), default=now)

    async def post(self, frame: Wire) -> None:
        """Send a frame that gets no answer; raises :class:`Disconnected`."""
        try:
            await self._socket.send(frame.model_dump_json(exclude_none=True))
        except ConnectionClosed as error:
            raise Disconnected from error

    async def _hello(self) -> None:
        here = self.position
        hello = Hello(
            epoch=UUID(here.epoch) if here else None,
            pos=here.pos if here else None,
            device=self._device,
            client=USER_AGENT,
        )
        await self._socket.send(hello.model_dump_json(exclude_none=True))

    async def _read(self) -> None:
        while True:
            text = await self._socket.recv()
            self._heard_at = self._clock.monotonic()
            try:
                frame = json.loads(text)
                await self._take(frame)
            except (ValueError, AttributeError, KeyError, TypeError, ValidationError) as error:
                # It cannot be skipped either: what it said must come from a bootstrap.
                unreadable = Ending("the server sent something unreadable", forget=True)
                raise Ended(unreadable) from error

    async def _take(self, frame: Mapping[str, Any]) -> None:
        match frame.get("t"):
            case "event":
                await self._receive([frame])
            case "batch":
                await self._receive(frame["events"])
            case "ok":
                self._answer(Ok.model_validate(frame))
            case "err":
                self._answer(Err.model_validate(frame))
            case "ping":
                await self._ponged(frame["n"], frame["pos"])
            case "ephemeral":
                self._owner.noticed(Ephemeral.model_validate(frame))
            case "welcome":
                await self._welcome(Welcome.model_validate(frame))
            case "bye":
                self._bye = Bye.model_validate(frame)

    async def _welcome(self, welcome: Welcome) -> None:
        self._welcomed = True
        if not welcome.resumed:
            self._received = welcome.pos
        await self._waiting.put(welcome)

    async def _receive(self, events: Sequence[Mapping[str, Any]]) -> None:
        changes = [decode(event) for event in events]
        if changes:
            self._received = max(self._received, changes[-1].pos)
            await self._waiting.put(changes)

    def _answer(self, answer: Ok | Err) -> None:
        asked = self._asked.get(answer.id or "")
        if asked is not None and not asked.done():
            asked.set_result(answer)

    async def _ponged(self, number: int, head: int) -> None:
        self._head = head
        await self._socket.send(Pong(n=number).model_dump_json())

    async def _apply(self) -> None:
        """Apply what was received, in order. While a bootstrap is fetched, the queue holds it."""
        while True:
            item = await self._waiting.get()
            if isinstance(item, Welcome):
                await self._begin(item)
                continue
            changes = item
            while len(changes) < _AT_ONCE and not self._waiting.empty():
                changes = changes + await self._next_changes()
            await self._apply_changes(changes)

    async def _next_changes(self) -> list[Change]:
        item = await self._waiting.get()
        if isinstance(item, Welcome):
            raise Ended(Ending("the server greeted twice"))
        return item

    async def _begin(self, welcome: Welcome) -> None:
        if not welcome.resumed:
            state = await self._bootstrap()
            if state.epoch != welcome.epoch or state.pos < welcome.pos:
                raise Ended(Ending("the server's answers do not fit together", forget=True))
            await self._journal.rebase(state)
            self.position = Position(str(state.epoch), state.pos)
            self._owner.rebased(state)
        self._owner.online(welcome)

    async def _apply_changes(self, changes: Sequence[Change]) -> None:
        """Events already applied are dropped; one too far ahead means that one was lost (R1)."""
        here = self.position
        if here is None:
            raise Ended(Ending("the server sent events before its greeting"))
        fresh = []
        pos = here.pos
        for change in changes:
            if change.pos > pos + 1:
                raise Ended(Ending("an event was lost on the way"))
            if change.pos == pos + 1:
                fresh.append(change)
                pos += 1
        if fresh:
            await self._journal.apply(here.epoch, fresh)
            self.position = Position(here.epoch, pos)
            self._owner.changed(fresh)

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(_TICK_S)
            now = self._clock.monotonic()
            if now - self._heard_at >= SILENCE_S:
                raise Ended(Ending("the server has gone silent"))
            unwelcome = not self._welcomed and now - self._begun_at >= WELCOME_S
            if unwelcome or self.unanswered_s() >= ANSWER_S:
                raise Ended(Ending("the server does not answer"))
            if self._head <= self._received:
                self._behind_since = None
            elif self._behind_since is None:
                self._behind_since = now
            elif now - self._behind_since >= BEHIND_S:
                raise Ended(Ending("events are missing"))


def _ending(error: Exception, bye: Bye | None) -> Ending:
    match error:
        case ConnectionClosed():
            return closed(error, bye)
        case Disconnected(__cause__=ConnectionClosed() as cause):
            return closed(cause, bye)
        case Unauthenticated():
            return Ending(error.detail, final=LineState.SIGNED_OUT)
        case CopiesLost():
            return Ending("the copies on this machine are made anew", forget=True)
        case ClientError():
            return Ending(str(error))
    # Whatever it is must not leave a line that is dead and says that it is online; and if an
    # event does it, only a bootstrap gets past that event.
    _log.error("the line broke down", exc_info=error)
    return Ending(f"something went wrong: {error}", forget=True)
