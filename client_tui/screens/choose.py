"""Pick one of a short list."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from client_tui.screens.dialog import Dialog


class ChooseScreen(Dialog[str | None]):
    """A titled list of (id, label); the answer is the id, or None for esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
    ]

    def __init__(
        self, title: str, choices: list[tuple[str, str]], chosen: str | None = None
    ) -> None:
        super().__init__()
        self._heading = title
        self._choices = choices
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """The choices, the present one marked."""
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield OptionList(*(Option(self._label(id, text), id=id) for id, text in self._choices))

    def on_mount(self) -> None:
        """Start at the present choice."""
        ids = [id for id, _ in self._choices]
        if self._chosen in ids:
            self.query_one(OptionList).highlighted = ids.index(self._chosen)

    def _label(self, id: str, text: str) -> Content:
        return Content(f"{'●' if id == self._chosen else ' '} {text}")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chosen."""
        self.dismiss(event.option_id)

    def action_move(self, step: int) -> None:
        """Vim keys."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()
