"""Messages that a search has found, as rows of a virtual list: where, who, when, and the words."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from rich.text import Text
from textual.strip import Strip

from client_tui.format import ago, cells, fit, truncate, visible_line
from client_tui.widgets.strips import strip_of
from shared_models.chat import Chatroom, Message

HIT_ROWS = 3
_LEAD = 16


def snippet(text: str, words: str, width: int) -> str:
    """A line of the text, begun so that the first of the words is in it."""
    line = visible_line(text)
    found = [match.start() for match in marks(line, words)]
    start = max(0, min(found) - _LEAD) if found and cells(line) > width else 0
    return truncate(("…" if start else "") + line[start:], width)


def marks(line: str, words: str) -> list[re.Match[str]]:
    """Where the words stand in a line, in any case; ``-word`` marks nothing.

    As the server finds them: what is written with spaces from a word's beginning, Korean anywhere.
    """
    wanted = [
        ("(?<![a-z0-9])" if word[0].isascii() else "") + re.escape(word)
        for word in words.split()
        if not word.startswith("-")
    ]
    return list(re.finditer("|".join(wanted), line, re.IGNORECASE)) if wanted else []


class HitRows:
    """Draws a :class:`Message` that was found in three rows, the last one empty."""

    def __init__(
        self,
        room: Callable[[UUID], Chatroom | None],
        me: Callable[[], UUID | None],
        words: Callable[[], str],
        now: Callable[[], datetime],
        colors: Callable[[], Mapping[str, str]],
    ) -> None:
        self._room = room
        self._me = me
        self._words = words
        self._now = now
        self._colors = colors

    def key(self, item: Message) -> int:
        """The message's id."""
        return item.id.int

    def estimate(self, item: Message, width: int) -> int:
        """Always the same."""
        return HIT_ROWS

    def render(self, item: Message, width: int) -> list[Strip]:
        """Who wrote it about what, and when; then what was written."""
        colors = self._colors()
        first, second = self._first(item, width, colors), self._second(item, width, colors)
        return [strip_of(first), strip_of(second), Strip.blank(width)]

    def _first(self, item: Message, width: int, colors: Mapping[str, str]) -> Text:
        dim, room = colors.get("dim", ""), self._room(item.chatroom_id)
        other = visible_line(room.other.display_name) if room else "…"
        who = truncate(f"you, to {other}" if item.sender_id == self._me() else other, 28)
        what = visible_line(room.listing.title) or "a deleted listing" if room else ""
        when = fit(ago(item.created_at, self._now()), 4, "right")
        line = Text(no_wrap=True)
        line.append(who, "bold")
        line.append("  " + fit(what, max(6, width - cells(who) - cells(when) - 4)), dim)
        line.append("  " + when, dim)
        return line

    def _second(self, item: Message, width: int, colors: Mapping[str, str]) -> Text:
        words = self._words()
        line = Text(snippet(item.text, words, width), no_wrap=True)
        for match in marks(line.plain, words):
            line.stylize(f"bold {colors['primary']}", *match.span())
        return line
