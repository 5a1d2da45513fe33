"""A socket as the writer uses it: several frames at once, where the server under us can do that."""

from collections.abc import Sequence

from starlette.websockets import WebSocket

FRAMES_AT_ONCE = "picky.frames"
"""An extension of ASGI: a ``websocket.send`` may have ``frames``, the bytes of several texts."""


class FrameSocket:
    """Sends text frames that are encoded already."""

    __slots__ = ("_at_once", "_socket")

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._at_once = FRAMES_AT_ONCE in (socket.scope.get("extensions") or ())

    async def send(self, frames: Sequence[bytes]) -> None:
        """Send them, in order; begins when the transport has room."""
        if self._at_once:
            await self._socket.send({"type": "websocket.send", "frames": frames})
            return
        for frame in frames:
            await self._socket.send_text(frame.decode())

    async def close(self, code: int, reason: str | None = None) -> None:
        """Send the close frame."""
        await self._socket.close(code, reason)
