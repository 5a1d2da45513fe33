"""A real server on a real socket in this loop, and devices that speak the protocol to it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from server.app.frames_protocol import FramesProtocol
from server.platform.context import Context
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from server.realtime.writer import Writer
from shared_models.bounds import FRAME_BYTES_MAX
from shared_models.realtime import SUBPROTOCOL, CloseCode
from tests.server.chat.conftest import (
    OpenRoom,
    Sell,
    Upload1,
    listing,
    message,
    open_room,
    room,
    sell,
    upload,
)
from tests.server.conftest import (
    Person,
    SignUpPerson,
    app,
    clock,
    context,
    count_queries,
    settings,
)

__all__ = [
    "OpenRoom",
    "Person",
    "Sell",
    "Upload1",
    "app",
    "clock",
    "context",
    "count_queries",
    "listing",
    "message",
    "open_room",
    "room",
    "sell",
    "settings",
    "upload",
]

PATIENCE_S = 30
PASSWORD = "correct horse battery"
Frame = dict[str, Any]


async def comes_true(holds: Callable[[], bool]) -> None:
    """Let others run until it holds."""
    while not holds():  # noqa: ASYNC110 - those who bring it about tell nobody
        await asyncio.sleep(0)


class Device:
    """A connected client: sends frames, and waits for the ones it expects."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome: Frame = {}
        self.events: list[Frame] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        await self.socket.close()

    async def say(self, t: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"t": t, **fields}))

    async def hear(self) -> Frame:
        """The next frame. Events are also kept, in the order they came."""
        text = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        frame: Frame = json.loads(text)
        if frame["t"] == "event":
            self.events.append(frame)
        if frame["t"] == "batch":
            self.events += frame["events"]
        return frame

    async def until(self, t: str, **fields: Any) -> Frame:
        """The next frame of this type and with these fields; others are passed over."""
        while True:
            frame = await self.hear()
            if frame["t"] == t and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    async def event(self, kind: str) -> Frame:
        """The data of the next event of this kind."""
        data: Frame = (await self.until("event", kind=kind))["data"]
        return data

    async def seen(self, kind: str) -> Frame:
        """The data of the first event of this kind, also of one that has come already."""
        while not (found := [event for event in self.events if event["kind"] == kind]):
            await self.hear()
        data: Frame = found[0]["data"]
        return data

    async def closed(self) -> int:
        """The close code, after passing over everything that comes before it."""
        with suppress(ConnectionClosed):
            while True:
                await self.hear()
        closing = self.socket.protocol.close_rcvd
        assert closing is not None, "cut without a close frame"
        return int(closing.code)

    async def send(self, room: str, text: str = "hello", **fields: Any) -> Frame:
        """Send a message and wait for its ``ok``."""
        tag = str(uuid4())
        body = {"cid": str(uuid4()), "chatroom_id": room, "text": text, **fields}
        await self.say("send", id=tag, **body)
        return await self.until("ok", id=tag)

    @property
    def positions(self) -> list[int]:
        return [event["pos"] for event in self.events]


class TakesAll:
    """What a writer writes to, for a peer that takes everything."""

    def __init__(self) -> None:
        self.writes: list[Sequence[bytes]] = []

    async def send(self, frames: Sequence[bytes]) -> None:
        self.writes.append(frames)

    async def close(self, code: int, reason: str | None = None) -> None:
        """It just ends."""


class Server(uvicorn.Server):
    """A server that says when it listens, and leaves the signals of the test run alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
def realtime_settings() -> RealtimeSettings:
    """The numbers of the protocol; a test that needs smaller ones overrides this."""
    return RealtimeSettings(drain_s=0.01)


@pytest.fixture
async def node(app: FastAPI, context: Context, realtime_settings: RealtimeSettings) -> RealtimeNode:
    """The realtime side of the server."""
    node = RealtimeNode(context, realtime_settings)
    context.wiring.provide(RealtimeNode, node)
    return node


@asynccontextmanager
async def listening(app: ASGIApp, ws: Any = FramesProtocol) -> AsyncIterator[int]:
    """Where an application listens meanwhile."""
    server = Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            ws=ws,
            ws_max_size=FRAME_BYTES_MAX,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server.serve())
    await server.listening.wait()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def serving(app: FastAPI, node: RealtimeNode) -> AsyncIterator[int]:
    """Where the server listens meanwhile."""
    async with listening(app) as port:
        await node.start()
        try:
            yield port
        finally:
            await node.stop()


@pytest.fixture
async def port(app: FastAPI, node: RealtimeNode) -> AsyncIterator[int]:
    """Where the server listens."""
    async with serving(app, node) as port:
        yield port


@pytest.fixture
async def client(port: int) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor without a token, over a real socket."""
    url = f"http://127.0.0.1:{port}"
    patiently = httpx.AsyncClient(
        base_url=url,
        timeout=PATIENCE_S,
        verify=False,  # no certificates to read
    )
    async with patiently as client:
        yield client


@pytest.fixture
def sign_up(client: httpx.AsyncClient) -> SignUpPerson:
    """Open an account and sign in with it."""

    async def sign_up(handle: str) -> Person:
        body = {"handle": handle, "password": PASSWORD, "display_name": handle}
        signed_in = (await client.post("/v1/accounts", json=body)).json()
        return Person(
            id=UUID(signed_in["account"]["id"]),
            handle=handle,
            token=signed_in["token"],
            session_id=UUID(signed_in["session"]["id"]),
            client=client,
        )

    return sign_up


@pytest.fixture
async def seller(sign_up: SignUpPerson) -> Person:
    return await sign_up("seller")


@pytest.fixture
async def buyer(sign_up: SignUpPerson) -> Person:
    return await sign_up("buyer")


@pytest.fixture
async def stranger(sign_up: SignUpPerson) -> Person:
    return await sign_up("stranger")


@pytest.fixture
def narrow(port: int) -> Frame:
    """The options of a device that soon takes no more when it does not read."""
    taker = socket.socket()
    taker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    taker.connect(("127.0.0.1", port))
    taker.setblocking(False)
    return {"sock": taker, "max_queue": 1}


@pytest.fixture
def given_up(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once the server has given up on a slow consumer."""
    given_up, close = asyncio.Event(), Writer.close

    def noting(writer: Writer, code: CloseCode, reason: str) -> None:
        close(writer, code, reason)
        if code == CloseCode.SLOW_CONSUMER:
            given_up.set()

    monkeypatch.setattr(Writer, "close", noting)
    return given_up


Dial = Callable[..., Awaitable[Device]]
Connect = Callable[..., Awaitable[Device]]


@pytest.fixture
async def dial(port: int) -> AsyncIterator[Dial]:
    """Open a socket, by token or as a visitor, without a word."""
    async with AsyncExitStack() as sockets:

        async def dial(person: Person | None = None, *, at: int = port, **options: Any) -> Device:
            headers = {"Authorization": f"Bearer {person.token}"} if person else {}
            options = {
                "subprotocols": [SUBPROTOCOL],
                "additional_headers": headers,
                "compression": None,
                "ping_interval": None,
                "close_timeout": 1,
                "proxy": None,
                **options,
            }
            socket = await connect(f"ws://127.0.0.1:{at}/v1/realtime", **options)
            return await sockets.enter_async_context(Device(socket))

        yield dial


@pytest.fixture
def join(dial: Dial) -> Connect:
    """Open a socket, say hello, and be welcome."""

    async def join(person: Person, hello: Frame | None = None, **options: Any) -> Device:
        device = await dial(person, **options)
        await device.say("hello", device="test", client="tests", **(hello or {}))
        device.welcome = await device.until("welcome")
        return device

    return join
