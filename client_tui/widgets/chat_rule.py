"""The thin rule between history and composer: who types, what is new below, what is unread."""

from dataclasses import dataclass

from rich.segment import Segment
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from client_tui.format import cells
from client_tui.widgets.palette import Palette


class ChatRule(Widget):
    """A note on the left, and a way to jump on the right."""

    @dataclass
    class Pressed(Message):
        """The jump was clicked."""

        action_id: str

    note: reactive[str] = reactive("")
    typing: reactive[str] = reactive("")
    jump: reactive[tuple[str, str]] = reactive(("", ""))
    """What the jump says, and the action that does it."""
    warning: reactive[str] = reactive("")

    def render_line(self, y: int) -> Strip:
        """One row."""
        palette, width = Palette.of(self.app.theme_variables), self.size.width
        label, _ = self.jump
        left = [Segment("──", palette.rule)]
        note = self.note or self.typing
        if note:
            left.append(Segment(f" {note} ", palette.dim))
        right = []
        if self.warning:
            right.append(Segment(f" {self.warning} ", palette.error))
        if label:
            right.append(Segment(f" {label} ", palette.key))
        if right:
            right.append(Segment("──", palette.rule))
        used = sum(cells(segment.text) for segment in (*left, *right))
        filling = Segment("─" * max(0, width - used), palette.rule)
        return (
            Strip([*left, filling, *right]).adjust_cell_length(width).apply_style(self.rich_style)
        )

    def on_click(self, event: Click) -> None:
        """A click on the jump jumps."""
        label, action_id = self.jump
        if label and event.x >= self.size.width - cells(label) - 4:
            self.post_message(self.Pressed(action_id))
