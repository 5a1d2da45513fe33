"""Below a list whose next page could not be read: why, and the key that tries again."""

from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from client_tui.format import truncate, visible_line
from client_tui.keymap import key_of


class RetryRow(Widget):
    """One row, not there while nothing is wrong; a click is the key."""

    DEFAULT_CSS = "RetryRow { height: 1; padding: 0 1; display: none; }"

    class Pressed(Message):
        """It was clicked."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._reason = ""

    def show(self, reason: str) -> None:
        """Why the page is not here; empty when it is."""
        self._reason = visible_line(reason)
        self.display = bool(reason)
        self.refresh()

    def render(self) -> Text:
        """The reason, cut so that the key is seen."""
        colors = self.app.theme_variables
        key = Text.assemble(
            (key_of("*", "refresh"), f"bold {colors['primary']}"), " tries again", no_wrap=True
        )
        told = truncate(self._reason, max(8, self.size.width - key.cell_len - 3))
        return Text.assemble((told, colors["error"]), "   ", key, no_wrap=True)

    def on_click(self, event: Click) -> None:
        """As the key."""
        event.stop()
        self.post_message(self.Pressed())
