"""A connection that is live: reading, commands, heartbeat, and catching up."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.realtime.commands import Commands, too_fast
from server.realtime.connection import Connection
from server.realtime.flood import FloodGate
from server.realtime.frames import BadFrame, decode, encode
from server.realtime.hub import Stream
from server.realtime.settings import RealtimeSettings
from shared_models.realtime import ClientFrame, CloseCode, Hello, Ping, Pong

Work = Callable[[], Coroutine[Any, Any, None]]

log = structlog.get_logger("realtime")


class Refused(Exception):
    """The connection ends here, with a close code that says why."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Session:
    """Reads in the task of its caller. All else has a task only while there is something to do:
    most sockets are silent most of the time, and a task that waits holds more than a kibibyte.
    """

    def __init__(
        self,
        socket: WebSocket,
        connection: Connection,
        stream: Stream,
        commands: Commands,
        settings: RealtimeSettings,
        gate: FloodGate,
        beat: Callable[[], float],
    ) -> None:
        self._socket = socket
        self._connection = connection
        self._stream = stream
        self._commands = commands
        self._settings = settings
        self._gate = gate
        self._beat = beat
        self._places = asyncio.Semaphore(settings.in_flight)
        self._waiting: list[ClientFrame] = []
        self._working: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stalled = False
        self._ending = False
        self._pings = 0
        self._pong: asyncio.Event | None = None
        """Set by the answer to the ping that waits for one."""

    async def run(self, catch_up: Work) -> None:
        """Until the socket ends, or something fails; ``catch_up`` whenever it has fallen behind."""
        # No await from going live to here: it has not fallen behind yet.
        self._connection.follow(partial(self._begin, catch_up, "catch up"))
        self._rest()
        try:
            await self._read()
        except WebSocketDisconnect:
            pass
        except Refused as refused:
            self._connection.close(refused.code, refused.reason)
        finally:
            await self._end()

    async def _end(self) -> None:
        """Stop it all, but let the commands that are under way finish, unless the writer finds out
        meanwhile that the peer is gone: then they are cancelled, and what got no ``ok`` is unsure.
        """
        self._ending = True
        self._connection.follow(None)
        self._resting.cancel()
        for task in self._tasks:
            if task is not self._working:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Work, name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work(), name=name)
        self._tasks.append(task)
        task.add_done_callback(self._end_with)
        return task

    def _end_with(self, task: asyncio.Task[None]) -> None:
        """A line that takes no more commands, or beats no more, is not left open."""
        self._tasks.remove(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("session_failed", error=type(error).__name__, exc_info=error)
            self._connection.close(CloseCode.POSITION_LOST, "something went wrong")

    async def _read(self) -> None:
        while True:
            text = await receive_text(self._socket)
            try:
                frame = decode(text)
            except BadFrame as bad:
                frame = None
                answer = bad.err
            wait_s = self._gate.wait_s()
            if self._gate.too_long:
                raise Refused(CloseCode.RATE_LIMITED, "too many frames")
            if isinstance(frame, Pong):
                # It counts, but it is heard: a busy line must not look like a dead one.
                if self._pong is not None:
                    self._pong.set()
                continue
            if wait_s > 0:
                answer, frame = too_fast(wait_s, frame), None
            if frame is None:
                self._connection.writer.put(encode(answer))
            elif isinstance(frame, Hello):
                raise Refused(CloseCode.PROTOCOL_VIOLATION, "hello is said once")
            else:
                await self._queue(frame)

    async def _queue(self, frame: ClientFrame) -> None:
        if self._places.locked():
            self._stalled = True
        await self._places.acquire()
        self._waiting.append(frame)
        if self._working is None:
            self._working = self._begin(self._work, "commands")

    async def _work(self) -> None:
        """All commands that wait, in their order; at the end only what is under way."""
        while self._waiting and not self._ending:
            frames, self._waiting = self._waiting, []
            await self._commands.handle(frames)
            for _ in frames:
                self._places.release()
        self._working = None

    def _rest(self) -> None:
        """Until the next beat."""
        loop = asyncio.get_running_loop()
        self._resting = loop.call_later(self._beat(), self._begin, self._keep_alive, "heartbeat")

    async def _keep_alive(self) -> None:
        self._pings += 1
        self._pong = asyncio.Event()
        head = max(self._stream.head, self._connection.reached)
        self._connection.writer.put(encode(Ping(n=self._pings, pos=head)))
        while not await self._answered(self._pong):
            if not self._was_behind():
                self._connection.close(CloseCode.HEARTBEAT, "no pong")
                return
        self._pong = None
        await self._commands.still_here()
        self._rest()

    async def _answered(self, pong: asyncio.Event) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(pong.wait(), self._settings.pong_s)
        return pong.is_set()

    def _was_behind(self) -> bool:
        """Whether a pong may be in the socket, which is not read while commands are stalled."""
        was_behind, self._stalled = self._stalled, self._places.locked()
        return was_behind


async def receive_text(socket: WebSocket) -> str:
    """The next text frame; the server under us refuses longer ones before they are whole."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    text = message.get("text")
    if text is None:
        raise Refused(CloseCode.PROTOCOL_VIOLATION, "text frames only")
    return str(text)
