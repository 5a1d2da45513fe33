"""The websocket itself: how it is opened, and what its end means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from client_tui.core.address import is_loopback, realtime_url
from client_tui.core.status import LineState

SUBPROTOCOL: Final = Subprotocol("picky.v1.json")
_FRAME_MAX: Final = 4 * 1024 * 1024

_REASONS: Mapping[int, str] = {
    1012: "the server restarts",
    4000: "the server restarts",
    4001: "this device was too slow",
    4002: "the server heard nothing from here",
    4003: "the server lost the place",
    4006: "too much was sent at once",
    4007: "the server waited too long",
    4500: "you were signed out",
    4501: "the server did not understand this version of Picky",
    4502: "the server needs another version of Picky",
    4503: "too many devices of this account are connected",
    4504: "this account is suspended",
}


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
    host = urlsplit(server).hostname or ""
    try:
        return await connect(
            realtime_url(server),
            additional_headers={"Authorization": f"Bearer {token}"},
            user_agent_header="picky/1",
            subprotocols=[SUBPROTOCOL],
            compression=None,
            proxy=None if is_loopback(host) else True,
            ping_interval=None,  # the protocol has its own, which also tells the head
            open_timeout=10,
            close_timeout=1,
            max_size=_FRAME_MAX,
        )
    except InvalidStatus as error:
        raise Ended(_refused(error.response.status_code)) from error
    except TimeoutError as error:
        raise Ended(Ending("the server does not answer")) from error
    except (OSError, WebSocketException) as error:
        raise Ended(Ending("the server was not reached")) from error


def _refused(status: int) -> Ending:
    if status == 401:
        return Ending(_REASONS[4500], final=LineState.SIGNED_OUT)
    if status == 503:
        return Ending("the server is starting or stopping")
    return Ending(f"the server refused the connection ({status})")


def closed(error: ConnectionClosed, *, wait_s: float | None) -> Ending:
    """What a close means: 4500 and above are final, everything else is tried again."""
    code = error.rcvd.code if error.rcvd else 1006
    reason = _REASONS.get(code, "the connection broke")
    if code == 4500:
        return Ending(reason, final=LineState.SIGNED_OUT)
    if 4500 <= code <= 4999:
        reason = _REASONS.get(code, f"the server wants no connection ({code})")
        return Ending(reason, final=LineState.OFFLINE)
    return Ending(reason, wait_s=wait_s)
