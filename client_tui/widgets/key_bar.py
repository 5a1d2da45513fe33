"""The last row of every screen: what the keys do here, from the registry."""

from dataclasses import dataclass

from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from client_tui.keymap import Action

_GAP = "  "

ALWAYS = 90
"""From this place on an action is always in the footer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An action as the footer draws it; ``why_not`` says why it can't be done now."""

    action: Action
    why_not: str | None = None
    key: str = ""

    @property
    def shown_key(self) -> str:
        """The key that does it now."""
        return self.key or self.action.key


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
        """As many as fit; the way back, to the other parts and help are always at the right."""
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
        tail = [entry for entry in self._entries if entry.action.shown >= ALWAYS]
        room = width - sum(self._draw(entry).cell_len + len(_GAP) for entry in tail) + 1
        for entry in self._entries:
            piece = self._draw(entry)
            if entry in tail:
                continue
            if line.cell_len + piece.cell_len + len(_GAP) > room:
                break
            self._put(line, spans, entry)
        line.append(" " * max(0, room - line.cell_len))
        for entry in tail:
            self._put(line, spans, entry)
        line.right_crop(len(_GAP) if spans else 0)
        return line, spans

    def _put(self, line: Text, spans: list[tuple[int, int, str]], entry: Entry) -> None:
        start = line.cell_len
        line.append_text(self._draw(entry))
        spans.append((start, line.cell_len, entry.action.id))
        line.append(_GAP)

    def _draw(self, entry: Entry) -> Text:
        colors = self.app.theme_variables
        if entry.why_not is not None:
            dim = colors.get("dim", "grey50")
            return Text(f"{entry.shown_key} {entry.action.label}", style=f"{dim} strike")
        key_style = f"bold {self.app.theme_variables['primary']}"
        return Text.assemble((entry.shown_key, key_style), " ", entry.action.label)
