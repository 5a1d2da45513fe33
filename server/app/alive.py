"""What a container's health check asks: whether the server beside it is alive."""

from http.client import HTTPConnection, HTTPException

_PATIENCE_S = 3.0


def answers(port: int) -> bool:
    """Whether a server on this machine answers ``/healthz`` on that port within three seconds.

    Being alive is asked, not being ready: one whose database is away must not be killed for it.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
