"""One websocket from its upgrade to its end: who, where from, then read, write and heartbeat."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.accounts import api as accounts
from server.platform.context import Actor, Context
from server.platform.database import DATABASE_FAILURES
from server.platform.errors import Refusal, Unauthenticated
from server.platform.http import bearer_token, resolve_actor
from server.platform.unit_of_work import transact
from server.realtime.commands import Commands, too_fast
from server.realtime.connection import Connection
from server.realtime.flood import FloodGate
from server.realtime.frames import BadFrame, decode, encode
from server.realtime.hub import Hub, Stream
from server.realtime.metrics import SOCKETS
from server.realtime.resume import catch_up, keep_up
from server.realtime.settings import RealtimeSettings
from server.realtime.writer import Writer
from shared_models.realtime import (
    SUBPROTOCOL,
    ClientFrame,
    CloseCode,
    Hello,
    Ping,
    Pong,
)

log = structlog.get_logger("realtime")


class Refused(Exception):
    """The handshake ends here, with a close code that says why."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Gateway:
    """Serves the sockets of this node."""

    def __init__(
        self,
        context: Context,
        settings: RealtimeSettings,
        hub: Hub,
        chance: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._context = context
        self._settings = settings
        self._hub = hub
        self._chance = chance
        self._monotonic = monotonic
        self.draining = False
        self.writers: set[Writer] = set()
        """Those of all sockets, also of the ones that have not said hello yet."""
        self._leaving: set[asyncio.Task[None]] = set()

    async def serve(self, socket: WebSocket) -> None:
        """Serve one socket to its end."""
        if self.draining:
            await socket.send_denial_response(Response(status_code=503))
            return
        origin = socket.headers.get("origin")
        if origin is not None and origin not in self._settings.allowed_origins:
            await socket.close()
            return
        writer = Writer(socket, self._settings, self._context.traces)
        self.writers.add(writer)
        try:
            with SOCKETS.track_inprogress():
                await self._serve_with(socket, writer)
        finally:
            self.writers.discard(writer)

    async def _serve_with(self, socket: WebSocket, writer: Writer) -> None:
        offered = SUBPROTOCOL in socket.scope["subprotocols"]
        await socket.accept(SUBPROTOCOL if offered else None)
        writing = asyncio.create_task(writer.run(), name="writer")
        reading = asyncio.create_task(self._serve(socket, writer, offered), name="reader")
        try:
            # A writer that has given up on its peer must not wait for the reader.
            await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and writer.closing:
                await writing
        finally:
            for task in (reading, writing):
                task.cancel()
            results = await asyncio.gather(reading, writing, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                log.error("socket_failed", error=type(result).__name__, exc_info=result)

    async def _serve(self, socket: WebSocket, writer: Writer, offered: bool) -> None:
        try:
            if not offered:
                raise Refused(CloseCode.UNSUPPORTED_VERSION, f"speak {SUBPROTOCOL}")
            actor, hello = await self._handshake(socket)
        except Refused as refused:
            writer.close(refused.code, refused.reason)
            return
        except WebSocketDisconnect:
            return
        connection_id = self._context.make_id(self._context.clock.now())
        connection = Connection(connection_id, actor, writer, self._settings)
        commands = Commands(self._context, self._settings, self._hub, connection, self._monotonic)
        try:
            stream = await self._hub.join(connection)
            await catch_up(self._context, self._settings, connection, stream, hello)
            await Session(
                socket, connection, stream, commands, self._settings, self._gate(), self._beat
            ).run(keep_up(self._context, self._settings, connection, stream))
        except Unauthenticated:
            writer.close(CloseCode.UNAUTHENTICATED, "signed out")
        except DATABASE_FAILURES as error:
            log.warning("handshake_failed", error=type(error).__name__)
            writer.close(CloseCode.POSITION_LOST, "try again")
        finally:
            leaving = asyncio.create_task(self._leave(connection, commands), name="leave")
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            # The writer may find out too that the peer is gone, and then this is cancelled.
            await asyncio.shield(leaving)

    async def _leave(self, connection: Connection, commands: Commands) -> None:
        await self._hub.leave(connection)
        await commands.look_away()

    def _gate(self) -> FloodGate:
        enabled = self._context.rates.enabled
        return FloodGate(self._settings, self._monotonic, enabled=enabled)

    def _beat(self) -> float:
        spread = self._settings.ping_spread * (2 * self._chance() - 1)
        return self._settings.ping_s * (1 + spread)

    async def _handshake(self, socket: WebSocket) -> tuple[Actor, Hello]:
        authorization = socket.headers.get("authorization")
        actor = None if authorization is None else await self._by_token(authorization)
        try:
            async with asyncio.timeout(self._settings.hello_s):
                hello = await self._read_hello(socket)
        except TimeoutError:
            raise Refused(CloseCode.NO_HELLO, "no hello") from None
        if actor is None:
            actor = await self._by_ticket(hello.ticket)
        return actor, hello

    async def _read_hello(self, socket: WebSocket) -> Hello:
        text = await receive_text(socket)
        try:
            frame = decode(text)
        except BadFrame as bad:
            raise Refused(CloseCode.PROTOCOL_VIOLATION, bad.err.detail[:100]) from None
        if not isinstance(frame, Hello):
            raise Refused(CloseCode.PROTOCOL_VIOLATION, "say hello first")
        return frame

    async def _by_token(self, authorization: str) -> Actor:
        with _refusing("the token is not valid"):
            return await resolve_actor(self._context, bearer_token(authorization))

    async def _by_ticket(self, ticket: str | None) -> Actor:
        if ticket is None:
            raise Refused(CloseCode.UNAUTHENTICATED, "no token and no ticket")
        with _refusing("the ticket is not valid"):
            return await transact(
                self._context, None, lambda work: accounts.redeem_ticket(work, ticket)
            )


@contextmanager
def _refusing(reason: str) -> Iterator[None]:
    """Send away for good who is not known, and back for another try who could not be asked for."""
    try:
        yield
    except Unauthenticated:
        raise Refused(CloseCode.UNAUTHENTICATED, reason) from None
    except (Refusal, *DATABASE_FAILURES) as error:
        log.warning("handshake_failed", error=type(error).__name__)
        raise Refused(CloseCode.POSITION_LOST, "try again") from None


class Session:
    """A live connection: a reader, a queue of commands, a heartbeat, and who keeps it live."""

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
        self._waiting: asyncio.Queue[ClientFrame] = asyncio.Queue()
        self._stalled = False
        self._busy = False
        self._ending = False
        self._pong = asyncio.Event()

    async def run(self, keeping_up: Coroutine[Any, Any, None]) -> None:
        """Until the socket ends, or something fails."""
        working = asyncio.create_task(self._work(), name="commands")
        beating = asyncio.create_task(self._keep_alive(), name="heartbeat")
        following = asyncio.create_task(keeping_up, name="keep up")
        tasks = (working, beating, following)
        for task in tasks:
            task.add_done_callback(self._end_with)
        try:
            await self._read()
        except WebSocketDisconnect:
            pass
        except Refused as refused:
            self._connection.close(refused.code, refused.reason)
        finally:
            self._ending = True
            beating.cancel()
            following.cancel()
            if not self._busy:
                working.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    log.error("session_failed", error=type(result).__name__, exc_info=result)

    def _end_with(self, task: asyncio.Task[None]) -> None:
        """A line that takes no more commands, or beats no more, is not left open."""
        if not task.cancelled() and task.exception() is not None:
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
        self._waiting.put_nowait(frame)

    async def _work(self) -> None:
        """All commands that wait, in their order. What is under way at the end is finished."""
        while not self._ending:
            frames = [await self._waiting.get()]
            while not self._waiting.empty():
                frames.append(self._waiting.get_nowait())
            self._busy = True
            await self._commands.handle(frames)
            self._busy = False
            for _ in frames:
                self._places.release()

    async def _keep_alive(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(self._beat())
            number += 1
            self._pong.clear()
            head = max(self._stream.head, self._connection.reached)
            self._connection.writer.put(encode(Ping(n=number, pos=head)))
            while not await self._answered():
                if not self._was_behind():
                    self._connection.close(CloseCode.HEARTBEAT, "no pong")
                    return
            await self._commands.still_here()

    async def _answered(self) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._pong.wait(), self._settings.pong_s)
        return self._pong.is_set()

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
