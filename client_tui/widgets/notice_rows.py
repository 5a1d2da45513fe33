"""Notices as rows of a virtual list."""

from collections.abc import Callable, Mapping
from datetime import datetime

from rich.text import Text
from textual.strip import Strip

from client_tui.format import ago, fit, visible_line, with_local_times
from client_tui.widgets.strips import strip_of
from shared_models.notifications import Notification, NotificationKind

GLYPHS = {
    NotificationKind.CHAT: "✉",
    NotificationKind.TRADE: "⇄",
    NotificationKind.OFFER: "%",
    NotificationKind.ALERT: "!",
    NotificationKind.PRICE: "↓",
    NotificationKind.REVIEW: "★",
    NotificationKind.SOCIAL: "♥",
    NotificationKind.SYSTEM: "i",
}


class NoticeRows:
    """Draws a :class:`Notification` in one row."""

    def __init__(
        self, now: Callable[[], datetime], colors: Callable[[], Mapping[str, str]]
    ) -> None:
        self._now = now
        self._colors = colors

    def key(self, item: Notification) -> int:
        """The notice's id."""
        return item.id.int

    def estimate(self, item: Notification, width: int) -> int:
        """One row."""
        return 1

    def render(self, item: Notification, width: int) -> list[Strip]:
        """Kind, text, age; unread ones stand out."""
        colors = self._colors()
        dim = colors.get("dim", "")
        accent = f"bold {colors['primary']}"
        line = Text(no_wrap=True)
        line.append("● " if not item.read else "  ", accent)
        line.append(GLYPHS[item.kind] + " ", dim if item.read else accent)
        text = visible_line(with_local_times(item.text, self._now()))
        line.append(fit(text, max(4, width - 10)), dim if item.read else "")
        line.append("  " + fit(ago(item.created_at, self._now()), 4, "right"), dim)
        return [strip_of(line)]
