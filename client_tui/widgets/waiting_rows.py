"""Messages that wait as rows of a virtual list: to whom, what, and how each stands."""

from collections.abc import Callable, Mapping
from datetime import datetime

from rich.text import Text
from textual.strip import Strip

from client_tui.core.outbox import OutboxMessage, OutboxState
from client_tui.format import ago, cells, counted, fit, truncate, visible_line
from client_tui.widgets.strips import strip_of
from shared_models.chat import Chatroom

_ROWS = 3


class WaitingRows:
    """Draws an :class:`OutboxMessage` in three rows, the last one empty."""

    def __init__(
        self,
        room_of: Callable[[OutboxMessage], Chatroom | None],
        now: Callable[[], datetime],
        online: Callable[[], bool],
        colors: Callable[[], Mapping[str, str]],
    ) -> None:
        self._room_of = room_of
        self._now = now
        self._online = online
        self._colors = colors

    def key(self, item: OutboxMessage) -> int:
        """Its place in the outbox."""
        return item.number

    def estimate(self, item: OutboxMessage, width: int) -> int:
        """Always the same."""
        return _ROWS

    def render(self, item: OutboxMessage, width: int) -> list[Strip]:
        """To whom; then what, and how it stands."""
        return [
            strip_of(self._first(item, width)),
            strip_of(self._second(item, width)),
            Strip.blank(width),
        ]

    def _first(self, item: OutboxMessage, width: int) -> Text:
        room, dim = self._room_of(item), self._colors().get("dim", "")
        who = truncate(visible_line(room.other.display_name), 20) if room else "…"
        age = fit(ago(item.created_at, self._now()), 4, "right")
        what = visible_line(room.listing.title) if room else ""
        line = Text(no_wrap=True)
        line.append(who, "bold")
        line.append("  " + fit(what, max(4, width - cells(who) - cells(age) - 4)), dim)
        line.append("  " + age, dim)
        return line

    def _second(self, item: OutboxMessage, width: int) -> Text:
        label, style = self._state(item)
        label = truncate(label, width // 2)
        photos = f"[{counted(len(item.photos), 'photo')}] " if item.photos else ""
        text = photos + visible_line(item.text)
        line = Text(no_wrap=True)
        line.append(fit(text, max(4, width - cells(label) - 2)))
        line.append("  ")
        line.append(label, style)
        return line

    def _state(self, item: OutboxMessage) -> tuple[str, str]:
        colors = self._colors()
        if item.state is OutboxState.FAILED:
            return f"failed · {visible_line(item.reason or item.code or '')}", colors["error"]
        if not self._online():
            return "queued · offline", colors["warning"]
        return str(item.state), colors.get("dim", "")
