"""What a container's health check asks: whether the server beside it is alive, or has started."""

from http.client import HTTPConnection, HTTPException

ALIVE = "/healthz"
"""What a server answers whatever is away: one whose database is away must not be killed for it."""
STARTED = "/startedz"
"""What it answers from when it was ready for the first time, and whatever is away later."""

PATIENCE_S = 8.0
"""A server that lets thousands in at once answers late, and is alive."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - asked, not bound
"""Who listens on all addresses listens on this one."""


def answers(host: str, port: int, path: str = ALIVE) -> bool:
    """Whether a server that listens there answers 200 to that in time."""
    connection = HTTPConnection(_EVERYWHERE.get(host, host), port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
