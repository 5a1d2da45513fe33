"""The realtime line of one account: connected, resumed and watched, for as long as it is wanted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from client_tui.core.changes import Change, Position
from client_tui.core.clock import Chance, Clock, SystemClock, chance, full_jitter
from client_tui.core.connection import Connection, Journal
from client_tui.core.errors import Disconnected, StorageFailed
from client_tui.core.forms import fill
from client_tui.core.line import Ended, Ending, open_line
from client_tui.core.pause import Pause
from client_tui.core.status import LineState, Status
from shared_models import bounds
from shared_models.chat import ReadMark
from shared_models.realtime import Close, Ephemeral, Err, Ok, Open, Read, Send, Typing, Welcome
from shared_models.sync import Bootstrap

FIRST_S: Final = 0.5
MOST_S: Final = 30.0
QUIET_S: Final = 60.0
READ_EVERY_S: Final = 2.0


class Listener:
    """Hears of everything, on the loop; override what is wanted and return at once."""

    def status_changed(self, status: Status) -> None:
        """The line is in another state."""

    def rebased(self, state: Bootstrap) -> None:
        """Throw the state away and take this one."""

    def changed(self, changes: Sequence[Change]) -> None:
        """Events, in order and each once; they are on disk already."""

    def noticed(self, ephemeral: Ephemeral) -> None:
        """Somebody types, comes or goes; forget it after its ``ttl_ms``."""

    def time_told(self, server_time: datetime) -> None:
        """What time it is at the server, by whose clock its rules go."""

    def seen_only_here(self, room_id: UUID, seq: int) -> None:
        """Everything up to ``seq`` was seen, and nobody is told: the person wants it so."""


class Session:
    """Keeps one line to one server. ``await session.run()`` until it is cancelled or final."""

    def __init__(
        self,
        server: str,
        token: str,
        *,
        journal: Journal,
        bootstrap: Callable[[], Awaitable[Bootstrap]],
        listener: Listener | None = None,
        device: str = "",
        clock: Clock | None = None,
        chance: Chance = chance,
        send_marks: Callable[[], bool] = lambda: True,
    ) -> None:
        """``send_marks`` says whether the other side is to learn what is and was read."""
        self.listener = listener or Listener()
        self.status = Status(LineState.CONNECTING)
        self._server = server
        self._token = token
        self._journal = journal
        self._bootstrap = bootstrap
        self._device = device
        self._clock = clock or SystemClock()
        self._chance = chance
        self._send_marks_wanted = send_marks
        self._position: Position | None = None
        self._has_begun = False
        self._connection: Connection | None = None
        self._me: UUID | None = None
        self._online = asyncio.Event()
        self._online_at: float | None = None
        self._pause = Pause(self._clock)
        self._open_rooms: set[UUID] = set()
        self._marks: dict[UUID, int] = {}
        self._unsent_marks: set[UUID] = set()
        self._mark_added = asyncio.Event()
        self._typed_at: dict[UUID, float] = {}

    async def run(self) -> None:
        """Connect, stay connected, connect again. Returns when only a person can help.

        It may be run again then, and after it was cancelled.
        """
        try:
            await self._keep_connected()
        finally:
            self._stop_online()

    async def _keep_connected(self) -> None:
        if not self._has_begun:
            with suppress(StorageFailed):  # then a bootstrap says where one is
                self._position = await self._journal.position()
            self._has_begun = True
        self._show(Status(LineState.CONNECTING))
        attempt = 0
        while True:
            ending = await self._live()
            was_online_for = self._stop_online()
            if ending.forget:
                self._position = None
            if ending.final is not None:
                self._show(Status(ending.final, reason=ending.reason))
                return
            if was_online_for is not None and was_online_for >= QUIET_S:
                attempt = 0
            wait = ending.wait_s
            if wait is None:
                wait = full_jitter(attempt, first=FIRST_S, most=MOST_S, chance=self._chance)
            attempt += 1
            lost = LineState.OFFLINE if was_online_for is None else LineState.RECONNECTING
            self._show(Status(lost, self._clock.monotonic() + wait, ending.reason))
            await self._pause.wait(wait)

    def start_from(self, position: Position) -> None:
        """Resume from here. The journal may be further already, by another program's doing."""
        self._position, self._has_begun = position, True

    async def wait_online(self) -> None:
        """Wait until the line is live."""
        await self._online.wait()

    def retry_now(self) -> None:
        """Do not wait any longer for the next try."""
        self._pause.cut_short()

    async def send(
        self,
        room_id: UUID,
        cid: UUID,
        text: str,
        photo_ids: Sequence[UUID] = (),
        *,
        confirmed: bool = False,
    ) -> Ok | Err:
        """Send a message and wait for the server's answer.

        Raises :class:`~client_tui.core.errors.Disconnected`: then the server may have it or not,
        and the same ``cid`` is to be sent again; and :class:`~client_tui.core.errors.Invalid` for
        what no server would take.
        """

        def frame(number: str) -> Send:
            return fill(
                Send,
                id=number,
                cid=cid,
                chatroom_id=room_id,
                text=text,
                photo_ids=list(photo_ids),
                confirmed=confirmed,
            )

        if self._connection is None or not self._online.is_set():
            raise Disconnected
        return await self._connection.ask(frame)

    def unanswered_s(self) -> float:
        """For how many seconds a message has been waiting for its answer; 0 when none does."""
        return 0.0 if self._connection is None else self._connection.unanswered_s()

    def mark_read(self, room_id: UUID, seq: int) -> None:
        """Everything up to ``seq`` was seen. Sent at most every 2 s, and again until it counts."""
        if not self._send_marks_wanted():
            self.listener.seen_only_here(room_id, seq)
        elif seq > self._marks.get(room_id, 0):
            self._marks[room_id] = seq
            self._unsent_marks.add(room_id)
            self._mark_added.set()

    async def typing(self, room_id: UUID, on: bool) -> None:
        """Say that one types (or no more); at most every 3 s a room, lost when offline."""
        now = self._clock.monotonic()
        if now - self._typed_at.get(room_id, float("-inf")) >= bounds.TYPING_EVERY_S:
            self._typed_at[room_id] = now
            await self._try(Typing(chatroom_id=room_id, on=on))

    async def open(self, room_id: UUID) -> None:
        """This device looks at a room; said again after every reconnect.

        Nobody is told of a person who does not want it known what they read.
        """
        if self._send_marks_wanted():
            self._open_rooms.add(room_id)
            await self._try(Open(chatroom_id=room_id))

    async def close(self, room_id: UUID) -> None:
        """This device no longer looks at a room."""
        if room_id in self._open_rooms:
            self._open_rooms.discard(room_id)
            await self._try(Close(chatroom_id=room_id))

    def online(self, welcome: Welcome) -> None:
        """The connection is live (called by it)."""
        self._me = welcome.account_id
        self.listener.time_told(welcome.server_time)
        self._online_at = self._clock.monotonic()
        self._unsent_marks = set(self._marks)
        self._mark_added.set()
        self._online.set()
        self._show(Status(LineState.ONLINE))

    def rebased(self, state: Bootstrap) -> None:
        """The state was replaced (called by the connection)."""
        self.listener.rebased(state)

    def changed(self, changes: Sequence[Change]) -> None:
        """Events were applied (called by the connection)."""
        for change in changes:
            mark = change.data
            if isinstance(mark, ReadMark) and mark.account_id == self._me:
                self._forget_mark(mark)
        self.listener.changed(changes)

    def noticed(self, ephemeral: Ephemeral) -> None:
        """Something passing happened (called by the connection)."""
        self.listener.noticed(ephemeral)

    async def _live(self) -> Ending:
        try:
            socket = await open_line(self._server, self._token)
            connection = Connection(
                socket,
                journal=self._journal,
                bootstrap=self._bootstrap,
                owner=self,
                clock=self._clock,
                position=self._position,
                device=self._device,
            )
            self._connection = connection
            try:
                await connection.run(self._greet(connection), self._send_marks(connection))
            finally:
                self._position = connection.position
        except Ended as ended:
            return ended.ending
        raise AssertionError("a connection ends with a reason")

    async def _greet(self, connection: Connection) -> None:
        """Say again which rooms are looked at, then stay until the connection ends."""
        await self._online.wait()
        for room_id in tuple(self._open_rooms):
            await connection.post(Open(chatroom_id=room_id))
        await asyncio.Event().wait()

    async def _send_marks(self, connection: Connection) -> None:
        await self._online.wait()
        while True:
            await self._mark_added.wait()
            self._mark_added.clear()
            unsent, self._unsent_marks = self._unsent_marks, set()
            for room_id in unsent:
                if room_id in self._marks:
                    await connection.post(Read(chatroom_id=room_id, seq=self._marks[room_id]))
            await self._clock.sleep(READ_EVERY_S)

    def _forget_mark(self, mark: ReadMark) -> None:
        if self._marks.get(mark.chatroom_id, mark.seq + 1) <= mark.seq:
            del self._marks[mark.chatroom_id]

    def _stop_online(self) -> float | None:
        """How many seconds the line was live, None when it never was."""
        self._connection = None
        self._online.clear()
        since, self._online_at = self._online_at, None
        return None if since is None else self._clock.monotonic() - since

    async def _try(self, frame: Typing | Open | Close) -> None:
        if self._connection is not None and self._online.is_set():
            with suppress(Disconnected):
                await self._connection.post(frame)

    def _show(self, status: Status) -> None:
        self.status = status
        self.listener.status_changed(status)
