"""Bodies above a size are refused before they are whole, and as a problem like every refusal."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.platform.errors import TooLarge
from server.platform.http import problem_of, problem_response


class BodyLimit:
    """413 ``too_large`` above ``max_bytes``, but not under ``but_under``, which has its own."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, but_under: str) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._but_under = f"{but_under}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at what is declared, and count what comes."""
        if scope["type"] != "http" or scope["path"].startswith(self._but_under):
            await self._app(scope, receive, send)
        elif self._declared(scope) > self._max_bytes:
            refusal = TooLarge("too_large", f"A body has at most {self._max_bytes} bytes.")
            await problem_response(problem_of(refusal))(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), send)

    def _declared(self, scope: Scope) -> int:
        text = Headers(scope=scope).get("content-length", "0")
        return int(text) if text.isdecimal() else 0

    def _counted(self, receive: Receive) -> Receive:
        total = 0

        async def counting() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._max_bytes:
                # FastAPI hands on no other of what is raised while it reads a body.
                raise HTTPException(TooLarge.status, TooLarge.title)
            return message

        return counting
