"""Where realtime sockets come in, before FastAPI would route them."""

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from server.platform.context import Context
from server.realtime.node import RealtimeNode

_PATH = "/v1/realtime"


class SocketDoor:
    """Serves the realtime protocol, subprotocol ``picky.v1.json``; passes all else on.

    As a route of FastAPI each socket would hold the frames of all middleware and the stacks of its
    dependencies to its end, 10 KiB.
    """

    def __init__(self, app: ASGIApp, *, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a socket to its end, or pass on what is none of ours."""
        if scope["type"] == "websocket" and scope["path"] == _PATH:
            gateway = self._context.wiring.port(RealtimeNode).gateway
            await gateway.serve(WebSocket(scope, receive, send))
        else:
            await self._app(scope, receive, send)
