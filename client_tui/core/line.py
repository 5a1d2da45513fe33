"""The websocket itself: how it is opened, and what its end means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    WebSocketException,
)
from websockets.typing import Subprotocol

from client_tui.core.address import realtime_url
from client_tui.core.identity import USER_AGENT
from client_tui.core.proxies import proxy_of_line, trouble_with
from client_tui.core.status import LineState
from shared_models.realtime import SUBPROTOCOL, Bye, CloseCode

_FRAME_MAX: Final = 4 * 1024 * 1024

_SERVICE_RESTART: Final = 1012
_NO_CLOSE: Final = 1006
_FINAL: Final = range(4500, 5000)
"""The codes after which one does not connect again."""

_RESTARTS: Final = "the server restarts"
_REASONS: Mapping[int, str] = {
    _SERVICE_RESTART: _RESTARTS,
    CloseCode.DRAINING: _RESTARTS,
    CloseCode.SLOW_CONSUMER: "this device was too slow",
    CloseCode.HEARTBEAT: "the server heard nothing from here",
    CloseCode.POSITION_LOST: "the server lost the place",
    CloseCode.RATE_LIMITED: "too much was sent at once",
    CloseCode.NO_HELLO: "the server waited too long",
    CloseCode.UNAUTHENTICATED: "you were signed out",
    CloseCode.PROTOCOL_VIOLATION: "the server did not understand this version of Picky",
    CloseCode.UNSUPPORTED_VERSION: "the server needs another version of Picky",
    CloseCode.TOO_MANY_CONNECTIONS: "too many devices of this account are connected",
    CloseCode.SUSPENDED: "this account is suspended",
}
_GOODBYES: Mapping[str, str] = {
    "draining": _RESTARTS,
    "busy": "the server is busy",
}
"""What the server says before it closes tells more than the code."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection ended. ``final`` is the state to stay in, None to connect again."""

    reason: str
    final: LineState | None = None
    wait_s: float | None = None
    """How long the server asked to wait before the next try."""
    forget: bool = False
    """The position is worth nothing: start from a bootstrap."""


class Ended(Exception):
    """A connection is over."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.reason)
        self.ending = ending


async def open_line(server: str, token: str) -> ClientConnection:
    """A fresh websocket; raises :class:`Ended` when there is none to be had."""
    url = realtime_url(server)
    try:
        return await connect(
            url,
            additional_headers={"Authorization": f"Bearer {token}"},
            user_agent_header=USER_AGENT,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            proxy=proxy_of_line(url),
            ping_interval=None,  # the protocol has its own, which also tells the head
            open_timeout=10,
            close_timeout=1,
            max_size=_FRAME_MAX,
        )
    except InvalidStatus as error:
        raise Ended(_refused(error.response.status_code)) from error
    except TimeoutError as error:
        raise Ended(Ending("the server does not answer")) from error
    except OSError as error:  # first: a certificate that is refused is a ValueError as well
        raise Ended(Ending("the server was not reached")) from error
    except (ImportError, ValueError, InvalidProxy) as error:
        raise Ended(Ending(trouble_with(error))) from error
    except WebSocketException as error:
        raise Ended(Ending("the server was not reached")) from error


def _refused(status: int) -> Ending:
    if status == 401:
        return Ending(_REASONS[CloseCode.UNAUTHENTICATED], final=LineState.SIGNED_OUT)
    if status == 503:
        return Ending("the server is starting or stopping")
    return Ending(f"the server refused the connection ({status})")


def closed(error: ConnectionClosed, bye: Bye | None) -> Ending:
    """What a close means: whether it is final, or how soon it is tried again."""
    code = error.rcvd.code if error.rcvd else _NO_CLOSE
    reason = _REASONS.get(code, "the connection broke")
    if code == CloseCode.UNAUTHENTICATED:
        return Ending(reason, final=LineState.SIGNED_OUT)
    if code in _FINAL:
        reason = _REASONS.get(code, f"the server wants no connection ({code})")
        return Ending(reason, final=LineState.OFFLINE)
    if bye is None:
        return Ending(reason)
    return Ending(_GOODBYES.get(bye.reason, reason), wait_s=bye.reconnect_in_ms / 1000)
