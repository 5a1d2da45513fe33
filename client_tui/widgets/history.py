"""The history of a room: a virtual list whose rows are the keys of a conversation."""

from dataclasses import dataclass
from typing import Any

from textual.events import Click
from textual.geometry import Offset
from textual.message import Message

from client_tui.conversation import GAP, TOP, Changes, Conversation
from client_tui.widgets.message_rows import MessageRows
from client_tui.widgets.virtual_list import VirtualList

KEPT = 2_000


class History(VirtualList[int]):
    """Shows a conversation and follows its changes; the row under the eye does not move."""

    @dataclass
    class Wanted(Message):
        """The reader wants to an end of the chat, wherever the window is."""

        newest: bool

    @dataclass
    class MovedByHand(Message):
        """The reader has scrolled, or has stepped to another row."""

    @dataclass
    class Pressed(Message):
        """Something in a row was clicked: an action of the chat, or a photo."""

        key: int
        action_id: str | None
        photo: int | None

    def __init__(self, rows: MessageRows, conversation: Conversation, *, id: str) -> None:
        super().__init__(rows, from_bottom=True, id=id)
        self._conversation = conversation

    def sync(self) -> None:
        """Take over what has changed in the conversation."""
        changes = self._conversation.take_changes()
        wanted = self._conversation.keys
        present = set(wanted)
        self._take_over_names(changes, present)
        self._hold_still(changes, present)
        if GAP in self and GAP not in present:
            self._viewport.at_bottom = False  # the reader goes on below what was missing
        for key in [key for key in self._heights if key not in present]:
            self._take_out(key)
        self._put_in(wanted)
        self._rendered.invalidate(changes.touched & present)
        self.follow = self._conversation.at_newest
        self._update(repaint=True)

    def _hold_still(self, changes: Changes, present: set[int]) -> None:
        """Hold on to what was said: other rows come between it and the rows at the ends.

        What looks different may lose a row, as the first message its day when others come above
        it. So it is held only where everything is different, and then by the second.
        """
        said = [key for key in self.visible_keys if key in present and key not in (TOP, GAP)]
        steady = [key for key in said if key not in changes.touched]
        self._viewport.hold(steady or said[1:] or said)

    def _take_over_names(self, changes: Changes, present: set[int]) -> None:
        """What waited keeps its place, and the cursor, when it gets its number."""
        for old, new in sorted(changes.renamed.items(), key=lambda item: item[1]):
            if old not in self or new in self or new not in present:
                continue
            if not 0 <= next(self._heights.before(old), -1) < new:
                continue
            self._rendered.replace(old, new)
            self._viewport.rename(old, new)
            if self._cursor == old:
                self._cursor = new

    def _put_in(self, wanted: list[int]) -> None:
        start = 0
        while start < len(wanted):
            if wanted[start] in self:
                start += 1
                continue
            stop = start
            while stop < len(wanted) and wanted[stop] not in self:
                stop += 1
            self._rendered.insert(start, wanted[start:stop])
            start = stop

    def prune(self, limit: int = KEPT) -> None:  # type: ignore[override]
        """Forget messages far from the view."""
        seqs = [key for key in self.visible_keys if key in self._conversation.window]
        if seqs:
            self._conversation.prune(limit, seqs[0], seqs[-1])
            self.sync()

    @property
    def near_top(self) -> bool:
        """Whether the top is within 1.5 screens."""
        return self._viewport.rows_above < 1.5 * self._viewport.height

    @property
    def near_bottom(self) -> bool:
        """Whether the bottom is within 1.5 screens."""
        return self._viewport.rows_below < 1.5 * self._viewport.height

    def action_home(self) -> None:
        """To where the chat begins."""
        self.post_message(self.Wanted(newest=False))

    def action_end(self) -> None:
        """To the newest message."""
        self.post_message(self.Wanted(newest=True))

    def scroll_rows(self, rows: int) -> None:
        """Move the view; by keys and wheel only."""
        super().scroll_rows(rows)
        self.post_message(self.MovedByHand())

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Bring a row to the top of the view; by the scroll bar only."""
        super().scroll_to(x, y, **options)
        self.post_message(self.MovedByHand())

    def _step(self, direction: int) -> None:
        super()._step(direction)
        self.post_message(self.MovedByHand())

    def on_click(self, event: Click) -> None:
        """A click on something in a row; anywhere else it moves the cursor."""
        event.prevent_default()
        offset = event.get_content_offset(self)
        line = None if offset is None else self.line_at(offset.y)
        if offset is None or line is None:
            return
        key, row = line
        self.cursor = key
        meta = self._meta_at(key, Offset(offset.x, row))
        if meta:
            self.post_message(self.Pressed(key, meta.get("do"), meta.get("photo")))

    def _meta_at(self, key: int, offset: Offset) -> dict[str, Any]:
        at = 0
        for segment in self.row(key, offset.y):
            at += segment.cell_length
            if offset.x < at:
                return segment.style.meta if segment.style else {}
        return {}
