"""How the line to the server is, as one object that a screen can show."""

from dataclasses import dataclass
from enum import StrEnum


class LineState(StrEnum):
    """The states of the realtime line."""

    CONNECTING = "connecting"
    """The first try."""
    ONLINE = "online"
    RECONNECTING = "reconnecting"
    """It was lost just now and is tried again by itself."""
    OFFLINE = "offline"
    """A try failed. With a ``retry_at`` the next one comes by itself, without one it does not."""
    SIGNED_OUT = "signed_out"
    """The token is dead; only a new sign-in helps."""


@dataclass(frozen=True, slots=True)
class Status:
    """``retry_at`` is on the session's monotonic clock (seconds); ``reason`` is for people."""

    state: LineState
    retry_at: float | None = None
    reason: str = ""
