"""Frames come as they were encoded, one by one or many in one write."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from server.app.frames_protocol import FramesProtocol
from server.realtime.frame_socket import FRAMES_AT_ONCE, FrameSocket
from tests.quiet import settle
from tests.realtime.conftest import PATIENCE_S, listening

FRAMES = [b"x" * length for length in (0, 1, 125, 126, 65_535, 65_536, 200_000)] + ["의자".encode()]
FILLS_THE_WAY = 200
"""Writes of a megabyte: more than the buffers of two sockets hold."""
Speak = Callable[[WebSocket, FrameSocket], Awaitable[None]]


@asynccontextmanager
async def spoken_to(speak: Speak, ws: Any = FramesProtocol) -> AsyncIterator[ClientConnection]:
    """The other end of a socket on which somebody speaks."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        await speak(socket, FrameSocket(socket))

    async with (
        asyncio.timeout(PATIENCE_S),
        listening(app, ws) as port,
        connect(f"ws://127.0.0.1:{port}", compression=None) as client,
    ):
        yield client


@pytest.mark.parametrize("ws", [FramesProtocol, "websockets-sansio"])
async def test_frames_of_any_length_come_in_their_order(ws: Any) -> None:
    async def speak(socket: WebSocket, frames: FrameSocket) -> None:
        assert (FRAMES_AT_ONCE in socket.scope["extensions"]) == (ws is FramesProtocol)
        await frames.send(FRAMES)
        await frames.send([b"and more"])
        await frames.close(4000, "said")

    async with spoken_to(speak, ws) as client:
        assert [await client.recv() for _ in FRAMES] == [frame.decode() for frame in FRAMES]
        assert await client.recv() == "and more"
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert (client.close_code, client.close_reason) == (4000, "said")


async def test_what_is_sent_to_a_peer_that_is_gone_says_so() -> None:
    told = asyncio.Event()

    async def speak(socket: WebSocket, frames: FrameSocket) -> None:
        with pytest.raises(WebSocketDisconnect):
            await socket.receive_text()
        with pytest.raises(WebSocketDisconnect):
            await frames.send([b"too late"])
        told.set()

    async with spoken_to(speak) as client:
        await client.close()
        await told.wait()


async def test_who_reads_nothing_is_waited_for() -> None:
    waits = asyncio.Event()

    async def speak(_socket: WebSocket, frames: FrameSocket) -> None:
        for _ in range(FILLS_THE_WAY):
            sending = asyncio.ensure_future(frames.send([b"x" * 60_000] * 16))
            await settle()
            if not sending.done():  # the transport is full
                waits.set()
                break
        await sending
        await frames.send([b"the last"])
        await frames.close(1000)

    async with spoken_to(speak) as client:
        client.transport.pause_reading()
        await waits.wait()
        client.transport.resume_reading()
        heard = [message async for message in client]
    assert heard == ["x" * 60_000] * (len(heard) - 1) + ["the last"]
    assert len(heard) % 16 == 1
