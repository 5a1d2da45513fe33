"""The thin rule between history and composer: who is here, what was found, what is new below."""

from dataclasses import dataclass

from rich.segment import Segment
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from client_tui.format import cells, truncate
from client_tui.widgets.palette import Palette


class ChatRule(Widget):
    """A note on the left, and a way to jump on the right."""

    @dataclass
    class Pressed(Message):
        """The jump was clicked."""

        action_id: str

    note: reactive[str] = reactive("")
    peer: reactive[str] = reactive("")
    """What the other side does."""
    found: reactive[str] = reactive("")
    """Which of the hits of a search is shown, and how one gets to the others."""
    jump: reactive[tuple[str, str]] = reactive(("", ""))
    """What the jump says, and the action that does it."""
    going: reactive[str] = reactive("")
    """Where the view is about to be, while that takes its time; there is no jump then."""
    warning: reactive[str] = reactive("")

    def render_line(self, y: int) -> Strip:
        """One row."""
        palette, width = Palette.of(self.app.theme_variables), self.size.width
        label = self.going or self.jump[0]
        right = []
        if self.warning:
            right.append(Segment(f" {self.warning} ", palette.error))
        if label:
            right.append(Segment(f" {label} ", palette.dim if self.going else palette.key))
        if right:
            right.append(Segment("──", palette.rule))
        left = [Segment("──", palette.rule)]
        room = width - sum(cells(segment.text) for segment in (*left, *right)) - 2
        note = truncate(self.note or self.peer or self.found, max(0, room))
        if note:
            left.append(Segment(f" {note} ", palette.dim))
        used = sum(cells(segment.text) for segment in (*left, *right))
        filling = Segment("─" * max(0, width - used), palette.rule)
        return (
            Strip([*left, filling, *right]).adjust_cell_length(width).apply_style(self.rich_style)
        )

    def on_click(self, event: Click) -> None:
        """A click on the jump jumps."""
        label, action_id = self.jump
        if label and not self.going and event.x >= self.size.width - cells(label) - 4:
            self.post_message(self.Pressed(action_id))
