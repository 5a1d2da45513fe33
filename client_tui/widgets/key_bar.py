"""The last row of every screen: what the keys do here, from the registry."""

from dataclasses import dataclass

from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from client_tui.keymap import Action


@dataclass(frozen=True, slots=True)
class Entry:
    """An action as the footer draws it; ``why_not`` says why it can't be done now."""

    action: Action
    why_not: str | None = None


class KeyBar(Widget):
    """Keys and labels; greyed where not possible now; a click is the key."""

    @dataclass
    class Pressed(Message):
        """An entry was clicked."""

        action_id: str

    DEFAULT_CLASSES = "key-bar"

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []

    def show(self, entries: list[Entry]) -> None:
        """Draw these."""
        if entries != self._entries:
            self._entries = entries
            self.refresh()

    def render(self) -> Text:
        """As many as fit, the last one (help) always at the right."""
        return self._lay_out()[0]

    def on_click(self, event: Click) -> None:
        """A click on an entry is its key."""
        for start, end, action_id in self._lay_out()[1]:
            if start <= event.x < end:
                self.post_message(self.Pressed(action_id))
                return

    def _lay_out(self) -> tuple[Text, list[tuple[int, int, str]]]:
        line = Text(" ", no_wrap=True)
        spans: list[tuple[int, int, str]] = []
        width = self.size.width
        if not self._entries:
            return line, spans
        *others, last = self._entries
        tail = self._draw(last)
        for entry in others:
            piece = self._draw(entry)
            if line.cell_len + piece.cell_len + 3 + tail.cell_len > width:
                break
            spans.append((line.cell_len, line.cell_len + piece.cell_len, entry.action.id))
            line.append_text(piece)
            line.append("   ")
        line.append(" " * max(0, width - 1 - line.cell_len - tail.cell_len))
        spans.append((line.cell_len, line.cell_len + tail.cell_len, last.action.id))
        line.append_text(tail)
        return line, spans

    def _draw(self, entry: Entry) -> Text:
        colors = self.app.theme_variables
        if entry.why_not is not None:
            dim = colors.get("dim", "grey50")
            return Text(f"{entry.action.key} {entry.action.label}", style=f"{dim} strike")
        key_style = f"bold {self.app.theme_variables['primary']}"
        return Text.assemble((entry.action.key, key_style), " ", entry.action.label)
