"""Uvicorn's websockets, with a door for several frames in one write."""

import struct
from itertools import chain
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server.realtime.frame_socket import FRAMES_AT_ONCE

_WHOLE_TEXT = 0x81
_TWO_BYTES, _EIGHT_BYTES = 126, 127


class FramesProtocol(WebSocketsSansIOProtocol):
    """Knows :data:`FRAMES_AT_ONCE`: such frames are neither decoded and encoded again nor written
    one by one; they are not deflated.
    """

    async def run_asgi(self) -> None:
        """Run the application, which is told of the extension."""
        self.scope["extensions"][FRAMES_AT_ONCE] = {}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Take what the application sends."""
        frames = message.get("frames")
        if frames is None:
            await super().send(message)
            return
        await self.writable.wait()
        if self.transport.is_closing():
            raise ClientDisconnected
        parts = ((header(len(frame)), frame) for frame in frames)
        self.transport.write(b"".join(chain.from_iterable(parts)))


def header(length: int) -> bytes:
    """What comes before a whole text frame of a server, which is not masked (RFC 6455, 5.2)."""
    if length < _TWO_BYTES:
        return struct.pack("!BB", _WHOLE_TEXT, length)
    if length < 1 << 16:
        return struct.pack("!BBH", _WHOLE_TEXT, _TWO_BYTES, length)
    return struct.pack("!BBQ", _WHOLE_TEXT, _EIGHT_BYTES, length)
