"""The first row of every screen: where one is, and the one status cell."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from client_tui.format import truncate
from client_tui.work import is_there


class TopBar(Horizontal):
    """Title on the left; unread counts and the connection on the right."""

    title: reactive[str] = reactive("")
    status: reactive[Text] = reactive(Text(""))

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.set_reactive(TopBar.title, title)

    def compose(self) -> ComposeResult:
        """Two cells."""
        yield Static(id="top-title", markup=False)
        yield Static(id="top-status", markup=False)

    class Pressed(Message):
        """The title was clicked."""

    def on_click(self, event: Click) -> None:
        """The title leads back, as esc does."""
        if event.widget is None or event.widget.id != "top-status":
            self.post_message(self.Pressed())

    def on_mount(self) -> None:
        """Draw what was set before."""
        self._draw()

    def on_resize(self) -> None:
        """Cut the title to the new width."""
        self._draw()

    def watch_title(self) -> None:
        """The title changed."""
        self._draw()

    def watch_status(self) -> None:
        """The status changed."""
        self._draw()

    def _draw(self) -> None:
        if not is_there(self):
            return
        status = self.query_one("#top-status", Static)
        status.update(self.status)
        room = max(8, self.size.width - self.status.cell_len - 3)
        self.query_one("#top-title", Static).update(truncate(self.title, room))
