"""One websocket from its upgrade to its end: who, where from, then read, write and heartbeat."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import structlog
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.accounts import api as accounts
from server.platform.context import Actor, Context
from server.platform.errors import Refusal, Unauthenticated
from server.platform.failures import DATABASE_FAILURES
from server.platform.http import bearer_token, resolve_actor
from server.platform.unit_of_work import transact
from server.realtime.commands import Commands
from server.realtime.connection import Connection
from server.realtime.flood import FloodGate
from server.realtime.frame_socket import FrameSocket
from server.realtime.frames import BadFrame, decode, encode
from server.realtime.handshakes import Busy, Handshakes
from server.realtime.hub import Hub
from server.realtime.metrics import HANDSHAKES, SOCKETS
from server.realtime.resume import catch_up, send_missed, welcome
from server.realtime.session import Refused, Session, receive_text
from server.realtime.settings import RealtimeSettings
from server.realtime.writer import Writer
from shared_models.realtime import (
    SUBPROTOCOL,
    Bye,
    CloseCode,
    Hello,
)

log = structlog.get_logger("realtime")


class Gateway:
    """Serves the sockets of this node.

    A socket that has yet to say hello costs little, and keeps nobody out.
    """

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
        self._handshakes = Handshakes(settings, chance, monotonic)

    def send_away(self, writer: Writer, reason: str) -> None:
        """Have a client come back in a while, and not all of them at once."""
        within_ms = self._settings.reconnect_within_ms
        self._say_bye(writer, int(self._chance() * within_ms), reason)

    def _say_bye(self, writer: Writer, wait_ms: int, reason: str) -> None:
        writer.put(encode(Bye(reconnect_in_ms=wait_ms, reason=reason)))
        writer.close(CloseCode.DRAINING, reason)

    async def serve(self, socket: WebSocket) -> None:
        """Serve one socket to its end."""
        if self.draining:
            await socket.send_denial_response(Response(status_code=503))
            return
        origin = socket.headers.get("origin")
        if origin is not None and origin not in self._settings.allowed_origins:
            await socket.close()
            return
        writer = Writer(FrameSocket(socket), self._settings, self._context.traces)
        self.writers.add(writer)
        try:
            with SOCKETS.track_inprogress():
                await self._serve_with(socket, writer)
        finally:
            self.writers.discard(writer)

    async def _serve_with(self, socket: WebSocket, writer: Writer) -> None:
        offered = SUBPROTOCOL in socket.scope["subprotocols"]
        await socket.accept(SUBPROTOCOL if offered else None)
        reading = asyncio.create_task(self._serve(socket, writer, offered), name="reader")
        reading.add_done_callback(partial(_end_writing, writer))
        try:
            await writer.run()
        finally:
            # A writer that has given up on its peer does not wait for the reader.
            reading.cancel()
            [result] = await asyncio.gather(reading, return_exceptions=True)
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
        except Busy:
            HANDSHAKES.labels("busy").inc()
            self._say_bye(writer, self._handshakes.turn_ms(), "busy")
            return
        except WebSocketDisconnect:
            return
        connection_id = self._context.make_id(self._context.clock.now())
        connection = Connection(connection_id, actor, writer, self._settings)
        commands = Commands(self._context, self._settings, self._hub, connection, self._monotonic)
        try:
            with self._handshakes.at_work():
                stream = await self._hub.join(connection)
                await welcome(self._context, self._settings, connection, stream, hello)
            await send_missed(self._context, self._settings, connection, stream)
            await Session(
                socket, connection, stream, commands, self._settings, self._gate(), self._beat
            ).run(partial(catch_up, self._context, self._settings, connection, stream))
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
        self._handshakes.admit()
        with self._handshakes.at_work(), _refusing("the token is not valid"):
            return await resolve_actor(self._context, bearer_token(authorization))

    async def _by_ticket(self, ticket: str | None) -> Actor:
        if ticket is None:
            raise Refused(CloseCode.UNAUTHENTICATED, "no token and no ticket")
        self._handshakes.admit()
        with self._handshakes.at_work(), _refusing("the ticket is not valid"):
            return await transact(
                self._context, None, lambda work: accounts.redeem_ticket(work, ticket)
            )


def _end_writing(writer: Writer, reading: asyncio.Task[None]) -> None:
    """Whom a mistake of ours cuts off is told so; who has left is told nothing."""
    if reading.cancelled() or reading.exception() is None:
        writer.stop()
    else:
        writer.close(CloseCode.POSITION_LOST, "something went wrong")


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
