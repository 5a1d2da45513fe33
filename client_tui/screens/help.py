"""The keys of a screen, made from the registry."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from client_tui.keymap import Action, pretty_key

_LISTS = (
    ("↑ ↓ j k", "Move"),
    ("pgup pgdn", "A page up or down"),
    ("home end G", "First, last"),
    ("enter", "Open"),
    ("ctrl+p", "Command palette: everything by name"),
    ("tab", "Next field"),
)


class HelpScreen(ModalScreen[None]):
    """What each key does here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", show=False)
    ]

    def __init__(self, context: str, actions: list[Action]) -> None:
        super().__init__()
        self._screen = context
        self._actions = actions

    def compose(self) -> ComposeResult:
        """One row an action."""
        accent = self.app.theme_variables["primary"]
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", no_wrap=True, style=f"bold {accent}")
        table.add_column()
        for action in self._actions:
            keys = " ".join(pretty_key(key) for key in action.keys.split(","))
            table.add_row(Text(keys), Text(action.help))
        table.add_row("", "")
        for keys, meaning in _LISTS:
            table.add_row(Text(keys), Text(meaning))
        with Vertical(classes="dialog wide"):
            yield Static(f"Keys · {self._screen}", classes="dialog-title", markup=False)
            with VerticalScroll():
                yield Static(table)
            yield Static("esc closes", classes="dialog-hint", markup=False)
