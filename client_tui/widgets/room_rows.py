"""Rooms as rows of a virtual list: who, about what, the last line, what is unread."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from rich.text import Text
from textual.strip import Strip

from client_tui.format import (
    ago,
    card_state,
    cells,
    counted,
    fit,
    truncate,
    visible_line,
    with_local_times,
)
from client_tui.widgets.strips import strip_of
from shared_models.chat import Chatroom, Message, MessageKind

ROOM_ROWS = 3


def last_line(message: Message | None, me: UUID | None, now: datetime) -> str:
    """The last message in one line."""
    if message is None:
        return "no messages yet"
    if message.deleted:
        return "(deleted)"
    mine = "you: " if message.sender_id is not None and message.sender_id == me else ""
    if message.kind is MessageKind.SYSTEM:
        return "· " + visible_line(with_local_times(message.text, now))
    photos = f"[{counted(len(message.photos), 'photo')}] " if message.photos else ""
    return mine + photos + visible_line(message.text)


class RoomRows:
    """Draws a :class:`Chatroom` in three rows, the last one empty."""

    def __init__(
        self,
        me: Callable[[], UUID | None],
        now: Callable[[], datetime],
        colors: Callable[[], Mapping[str, str]],
        failed: Callable[[], Mapping[UUID, int]],
    ) -> None:
        """``failed`` is how many messages of a room were not sent."""
        self._me = me
        self._now = now
        self._colors = colors
        self._failed = failed

    def key(self, item: Chatroom) -> int:
        """The room's id."""
        return item.id.int

    def estimate(self, item: Chatroom, width: int) -> int:
        """Always the same."""
        return ROOM_ROWS

    def render(self, item: Chatroom, width: int) -> list[Strip]:
        """Who and what; then the last line."""
        colors = self._colors()
        return [
            strip_of(self._first(item, width, colors)),
            strip_of(self._second(item, width, colors)),
            Strip.blank(width),
        ]

    def _first(self, item: Chatroom, width: int, colors: Mapping[str, str]) -> Text:
        dim = colors.get("dim", "")
        right = f"{card_state(item.listing)}  {fit(ago(item.active_at, self._now()), 4, 'right')}"
        who = truncate(visible_line(item.other.display_name), 20)
        room = max(6, width - cells(right) - cells(who) - 4)
        what = fit(visible_line(item.listing.title) or "a deleted listing", room)
        line = Text(no_wrap=True)
        line.append(who, "bold")
        line.append("  " + what, dim)
        line.append("  " + right, dim)
        return line

    def _second(self, item: Chatroom, width: int, colors: Mapping[str, str]) -> Text:
        failed = self._failed().get(item.id, 0)
        unsent = f"{failed} not sent" if failed else ""
        badge = f"{item.unread} new" if item.unread else ("muted" if item.muted else "")
        taken = cells(unsent) + cells(badge) + (4 if unsent and badge else 2)
        text = fit(last_line(item.last_message, self._me(), self._now()), max(4, width - taken))
        line = Text(no_wrap=True)
        line.append(text, "" if item.unread else colors.get("dim", ""))
        line.append("  ")
        style = (
            f"bold {colors['primary']}" if item.unread and not item.muted else colors.get("dim", "")
        )
        line.append(unsent, f"bold {colors['error']}" if unsent else "")
        line.append("  " if unsent and badge else "")
        line.append(badge, style)
        return line
