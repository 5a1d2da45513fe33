"""The only place that writes to sockets: one task a connection, behind a bounded queue."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from starlette.websockets import WebSocketDisconnect

from server.platform.traces import NO_TRACES, Traces
from server.realtime.metrics import CLOSED
from server.realtime.settings import RealtimeSettings
from shared_models.realtime import CloseCode

_FRAMES_AT_ONCE = 16
_BYTES_AT_ONCE = 64 * 1024
_GONE = int(CloseCode.SLOW_CONSUMER), "gone"


class Socket(Protocol):
    """What the writer needs of a websocket."""

    async def send(self, frames: Sequence[bytes]) -> None:
        """Send text frames, in order; begins when the transport has room."""

    async def close(self, code: int, reason: str | None = None) -> None:
        """Send the close frame."""


class Writer:
    """Writes what is put, in order. At half its size it drops ephemeral frames; full, it closes."""

    def __init__(
        self, socket: Socket, settings: RealtimeSettings, traces: Traces = NO_TRACES
    ) -> None:
        self._socket = socket
        self._settings = settings
        self._traces = traces
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._idle: asyncio.Future[None] | None = None
        self._no_room: asyncio.Future[None] | None = None
        self._closing: tuple[int, str] | None = None
        self._deadline = asyncio.timeout(None)
        self._running = False

    @property
    def closing(self) -> bool:
        """Whether it takes no more frames."""
        return self._closing is not None

    @property
    def queued(self) -> tuple[int, int]:
        """How many frames wait, and their bytes."""
        return len(self._queue), self._bytes

    @property
    def half_full(self) -> bool:
        """Whether it is time to put less."""
        return self._is_filled(0.5)

    def put(self, frame: bytes) -> None:
        """Queue a frame; a queue that is full closes the connection (4001)."""
        if self._closing is not None:
            return
        self._queue.append(frame)
        self._bytes += len(frame)
        if self._is_filled(1.0):
            self._give_up()
        _end_wait(self._idle)

    def put_ephemeral(self, frame: bytes) -> None:
        """Queue a frame that may be lost, unless the queue is half full."""
        if not self.half_full:
            self.put(frame)

    def close(self, code: CloseCode, reason: str) -> None:
        """Close once everything queued is written; the first call decides the code."""
        if self._closing is None:
            self._closing = (int(code), reason)
            CLOSED.labels(code.name.lower()).inc()
            if self._running:
                self._deadline.reschedule(
                    asyncio.get_running_loop().time() + self._settings.close_s
                )
            _end_wait(self._no_room)
            _end_wait(self._idle)

    def stop(self) -> None:
        """The peer is gone: write no more. A close that is under way is finished."""
        if self._closing is None:
            self._closing = _GONE
            if self._running:
                self._deadline.reschedule(asyncio.get_running_loop().time())

    async def room(self) -> None:
        """Wait until the queue is less than half full, or closing; not for ever (4001).

        Only one waits at a time: who sends the device what it has missed.
        """
        try:
            async with asyncio.timeout(self._settings.room_s):
                while self.half_full and not self.closing:
                    self._no_room = asyncio.get_running_loop().create_future()
                    await self._no_room
        except TimeoutError:
            self._give_up()

    def _give_up(self) -> None:
        self._queue.clear()
        self._bytes = 0
        self.close(CloseCode.SLOW_CONSUMER, "slow consumer")

    async def run(self) -> None:
        """Write until closed or disconnected. A peer that does not read is left after a while."""
        try:
            async with self._deadline:
                self._running = True
                await self._write()
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            # RuntimeError: the server under us closed the socket between two frames.
            self._closing = self._closing or _GONE
        finally:
            self._running = False
            self._queue.clear()
            self._bytes = 0
            _end_wait(self._no_room)

    async def _write(self) -> None:
        while True:
            while self._queue:
                await self._send(self._take())
            if self._closing is not None:
                await self._socket.close(*self._closing)
                return
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle

    async def _send(self, frames: Sequence[bytes]) -> None:
        began = self._traces.now()
        await self._socket.send(frames)
        self._traces.record("deliver", began, told=frames)
        if self._no_room is not None and not self.half_full:
            _end_wait(self._no_room)

    def _take(self) -> list[bytes]:
        """What is written at once: not much, for it counts as queued no more while it waits for
        room in the transport.
        """
        frames: list[bytes] = []
        size = 0
        while self._queue and len(frames) < _FRAMES_AT_ONCE and size < _BYTES_AT_ONCE:
            frames.append(self._queue.popleft())
            size += len(frames[-1])
        self._bytes -= size
        return frames

    def _is_filled(self, share: float) -> bool:
        settings = self._settings
        return (
            len(self._queue) >= share * settings.queue_frames
            or self._bytes >= share * settings.queue_bytes
        )


def _end_wait(wait: asyncio.Future[None] | None) -> None:
    """Futures, made when somebody waits: each event of asyncio would hold a kibibyte always."""
    if wait is not None and not wait.done():
        wait.set_result(None)
