"""The streams that this node's devices listen to, kept gap-free whatever the bus does.

The database is the log and the bus is a hint: a step of one is passed on, an old position is
dropped, a jump is filled from the database, and a periodic look at all heads finds what no hint
told.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import structlog

from server.accounts import api as accounts
from server.platform import streams
from server.platform.bus import Hint
from server.platform.context import Context
from server.platform.failures import DATABASE_FAILURES
from server.platform.unit_of_work import reading
from server.realtime.connection import Connection
from server.realtime.metrics import GAPS, STREAMS
from server.realtime.settings import RealtimeSettings
from shared_models.realtime import CloseCode, Ephemeral

SESSION_ENDED = -1
"""The position of a hint that is not for devices: its data is the id of a session that ended."""

_PAGE = 200
_AGAIN_S = 1.0
_APART_S = 1.0
"""Between two looks at all heads, a fifth more or less: each process of a fleet may ask for one."""

log = structlog.get_logger("realtime")


class Stream:
    """One account's stream on this node.

    ``last`` is what was passed on to the devices, None until one of them has read the head;
    ``head`` is the highest position that anything has told of.
    """

    def __init__(self, account_id: UUID, keep_most: int) -> None:
        self.account_id = account_id
        self.connections: list[Connection] = []
        self.last: int | None = None
        self.head = 0
        self.filling = False
        self._peers_here: dict[UUID, float] = {}
        """Until when the other side of a room is shown to look at it, as it has said last. It stays
        here until it says that it looks no more: both would fall silent for good otherwise, after
        an outage that let what they know of each other expire.
        """
        self._ahead: dict[int, bytes] = {}
        self._keep_most = keep_most

    @property
    def has_gap(self) -> bool:
        """Whether something is known to be missing."""
        return self.last is not None and self.last < self.head

    def know(self, pos: int) -> None:
        """There is an event at ``pos``."""
        self.head = max(self.head, pos)

    def take(self, pos: int, frame: bytes) -> None:
        """Pass an event on if it is its turn, and what follows; else keep it until then."""
        if self.last is not None and pos == self.last + 1:
            self.dispatch(pos, frame)
            if self._ahead:
                self.pass_on()
        else:
            self._keep(pos, frame)

    def _keep(self, pos: int, frame: bytes) -> None:
        """Too many are dropped: the database has them."""
        self.know(pos)
        if len(self._ahead) >= self._keep_most:
            self._ahead.clear()
        self._ahead.setdefault(pos, frame)

    def forget(self) -> None:
        """Nothing that was known holds any more; the next device reads the head anew."""
        self._ahead.clear()
        self.last, self.head = None, 0

    def settle(self, pos: int) -> None:
        """The first device has read up to ``pos``: from there on hints are passed on."""
        if self.last is None:
            self.last = pos
            self.pass_on()

    def heed(self, said: Ephemeral, now: float) -> None:
        """The other side of a room looks at it, or no more."""
        if said.data["on"]:
            self._peers_here[said.chatroom_id] = now + said.ttl_ms / 1000
        else:
            self._peers_here.pop(said.chatroom_id, None)

    def peer_looks_at(self, room_id: UUID, now: float) -> bool:
        """Whether the other side of a room looks at it too, on whatever node."""
        return self._peers_here.get(room_id, now) > now

    def peer_has_come(self, room_id: UUID) -> bool:
        """Whether it has looked at it and not said since that it looks no more."""
        return room_id in self._peers_here

    def pass_on(self) -> None:
        """Pass on what is ahead as far as there is no gap."""
        assert self.last is not None
        while (frame := self._ahead.pop(self.last + 1, None)) is not None:
            self.dispatch(self.last + 1, frame)
        for pos in [pos for pos in self._ahead if pos <= self.last]:
            del self._ahead[pos]

    def dispatch(self, pos: int, frame: bytes) -> None:
        """Hand the next event to every device."""
        self.know(pos)
        self.last = pos
        for connection in self.connections:
            connection.deliver(pos, frame)


class Hub:
    """All streams of this node."""

    def __init__(
        self,
        context: Context,
        settings: RealtimeSettings,
        chance: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._settings = settings
        self._chance = chance
        self._monotonic = monotonic
        self._streams: dict[UUID, Stream] = {}
        self._look_now = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        context.bus.listen(self.receive)
        context.bus.on_gap(self._look_now.set)

    def connections(self) -> Iterator[Connection]:
        """Every device on this node."""
        for stream in self._streams.values():
            yield from stream.connections

    def looks_at(self, account_id: UUID, room_id: UUID) -> bool:
        """Whether a device of the account on this node looks at the room."""
        stream = self._streams.get(account_id)
        return stream is not None and any(
            room_id in connection.looking_at for connection in stream.connections
        )

    def peer_looks_at(self, account_id: UUID, room_id: UUID) -> bool:
        """Whether the other side has said that it looks at the room, and it still holds."""
        stream = self._streams.get(account_id)
        return stream is not None and stream.peer_looks_at(room_id, self._monotonic())

    def peer_has_come(self, account_id: UUID, room_id: UUID) -> bool:
        """Whether the other side has said that it looks at the room, however long ago."""
        stream = self._streams.get(account_id)
        return stream is not None and stream.peer_has_come(room_id)

    async def join(self, connection: Connection) -> Stream:
        """Register a device; the account's oldest one gives way above the limit (4503)."""
        account_id = connection.account_id
        stream = self._streams.get(account_id)
        if stream is None:
            stream = Stream(account_id, self._settings.queue_frames)
            self._streams[account_id] = stream
            STREAMS.inc()
        stream.connections.append(connection)
        staying = [one for one in stream.connections if not one.writer.closing]
        if len(staying) > self._settings.connections_per_account:
            staying[0].close(CloseCode.TOO_MANY_CONNECTIONS, "too many connections")
        await self._context.bus.join(account_id)
        return stream

    async def leave(self, connection: Connection) -> None:
        """Forget a device, and its stream with the last one."""
        account_id = connection.account_id
        stream = self._streams.get(account_id)
        if stream is None or connection not in stream.connections:
            return
        stream.connections.remove(connection)
        if not stream.connections:
            del self._streams[account_id]
            STREAMS.dec()
            await self._context.bus.leave(account_id)

    def receive(self, hint: Hint) -> None:
        """What the bus brings."""
        stream = self._streams.get(hint.stream_id)
        if stream is None:
            return
        if hint.pos == SESSION_ENDED:
            self._end_session(stream, UUID(json.loads(hint.data)))
        elif hint.pos == 0:
            self._receive_ephemeral(stream, hint)
        elif stream.last is None or hint.pos > stream.last:
            self._receive_event(stream, hint)

    def _receive_ephemeral(self, stream: Stream, hint: Hint) -> None:
        if b'"presence"' in hint.data:  # all else is for devices, also what a newer version tells
            said = Ephemeral.model_validate_json(hint.data)
            if said.kind == "presence":
                stream.heed(said, self._monotonic())
        for connection in stream.connections:
            if connection.live:
                connection.writer.put_ephemeral(hint.data)

    def _receive_event(self, stream: Stream, hint: Hint) -> None:
        stream.take(hint.pos, hint.data)
        if stream.has_gap:
            self._fill_soon(stream)

    def _end_session(self, stream: Stream, session_id: UUID) -> None:
        for connection in stream.connections:
            if connection.actor.session_id == session_id:
                connection.close(CloseCode.UNAUTHENTICATED, "signed out")

    def _fill_soon(self, stream: Stream) -> None:
        if not stream.filling:
            stream.filling = True
            GAPS.inc()
            task = asyncio.create_task(self._fill(stream), name="fill a gap")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _fill(self, stream: Stream) -> None:
        try:
            # No await from a look at the gap to the end: no hint is told to a filling that is over.
            while stream.has_gap and stream.connections:
                await self._fill_page(stream)
        except DATABASE_FAILURES as error:
            log.warning("gap_not_filled", error=type(error).__name__)
            asyncio.get_running_loop().call_later(_AGAIN_S, self._look_now.set)
        finally:
            stream.filling = False

    async def _fill_page(self, stream: Stream) -> None:
        last = stream.last
        assert last is not None
        async with reading(self._context) as work:
            events = await streams.read_after(work, stream.account_id, last, _PAGE)
        if stream.last is None:
            return
        if not events or events[0].pos > last + 1:
            self._lose(stream)
            return
        for event in events:
            if event.pos == stream.last + 1:
                stream.dispatch(event.pos, event.data)
        stream.pass_on()

    def _lose(self, stream: Stream) -> None:
        stream.forget()
        for connection in stream.connections:
            connection.close(CloseCode.POSITION_LOST, "position lost")

    async def run(self) -> None:
        """Look at all heads again and again, soon where it failed; ends when cancelled.

        Whoever asks for a look just after one waits with all who ask meanwhile.
        """
        failed = False
        while True:
            wait_s = self._about(self._settings.reconcile_s)
            if failed:
                wait_s = min(wait_s, _AGAIN_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._look_now.wait()
            self._look_now.clear()
            failed = True
            try:
                await self.reconcile()
                failed = False
            except DATABASE_FAILURES as error:
                log.warning("heads_not_compared", error=type(error).__name__)
            except Exception:  # what no hint told of would never be found again
                log.exception("heads_not_compared")
            await asyncio.sleep(self._about(_APART_S))

    def _about(self, seconds: float) -> float:
        """A fifth more or less: all processes hear of a gap at once."""
        return seconds * (0.8 + 0.4 * self._chance())

    async def reconcile(self) -> None:
        """Compare the heads of all streams at once and fill gaps; the same for sessions."""
        known = {id_: stream.last for id_, stream in self._streams.items()}
        sessions = {connection.actor.session_id for connection in self.connections()}
        if not known:
            return
        async with reading(self._context) as work:
            heads = await streams.heads(work, list(known))
            alive = await accounts.live_sessions(work, sessions)
        for account_id, head in heads.items():
            stream, last = self._streams.get(account_id), known[account_id]
            if stream is None:
                continue
            if last is not None and head < last:
                self._lose(stream)
                continue
            stream.know(head)  # who is still catching up goes on to there
            if stream.has_gap:
                self._fill_soon(stream)
        for connection in list(self.connections()):
            session_id = connection.actor.session_id
            if session_id in sessions and session_id not in alive:
                connection.close(CloseCode.UNAUTHENTICATED, "signed out")

    async def stop(self) -> None:
        """Wait for what is being filled."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
