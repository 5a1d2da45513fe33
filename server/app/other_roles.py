"""The answers of a process for what another role serves: 404 that says which."""

from fastapi import FastAPI, WebSocket

from server.app.roles import Role
from server.platform.errors import NotFound
from server.platform.http import problem_of, problem_response

ANY_PATH = "/{path:path}"
"""The route of what has no route here."""

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class ServedElsewhere(NotFound):
    """404: this process has another role."""

    def __init__(self, what: str, served_by: Role, here: Role) -> None:
        super().__init__(what)
        self.code = "served_elsewhere"
        self.detail = (
            f"{what} is served by the roles {served_by} and {Role.ALL}; this process is {here}. "
            "Send the request there."
        )


def refuse_http(app: FastAPI, here: Role) -> None:
    """Answer every path that has no route; to be called after all other routes are there."""

    @app.api_route(ANY_PATH, methods=_METHODS, include_in_schema=False)
    async def served_elsewhere() -> None:
        raise ServedElsewhere("The HTTP API", Role.API, here)


def refuse_sockets(app: FastAPI, here: Role) -> None:
    """Answer who asks for the realtime socket."""
    refusal = ServedElsewhere("The realtime socket", Role.REALTIME, here)

    @app.websocket("/v1/realtime")
    async def served_elsewhere(socket: WebSocket) -> None:
        await socket.send_denial_response(problem_response(problem_of(refusal)))
