"""The keys of a screen, made from the registry."""

from pathlib import Path
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from client_tui.keymap import Action, every_action, moves
from client_tui.screens.dialog import Dialog

_ALWAYS = (
    ("ctrl+p", "Command palette: everything by name"),
    ("tab", "Next field"),
)


class HelpScreen(Dialog[None]):
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
            table.add_row(Text(action.all_keys), Text(action.help))
        table.add_row("", "")
        for keys, meaning in (*((move.all_keys, move.help) for move in moves()), *_ALWAYS):
            table.add_row(Text(keys), Text(meaning))
        with Vertical(classes="dialog wide help"):
            yield Static(f"Keys · {self._screen}", classes="dialog-title", markup=False)
            with VerticalScroll():
                yield Static(table)
            yield Static("esc closes", classes="dialog-hint", markup=False)


class KeysScreen(Dialog[None]):
    """All keys, and where to choose others."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", show=False)]

    def __init__(self, config_file: Path) -> None:
        super().__init__()
        self._config_file = config_file

    def compose(self) -> ComposeResult:
        """One row an action, with the name that it has in the settings."""
        accent = self.app.theme_variables["primary"]
        dim = self.app.theme_variables.get("dim", "")
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", no_wrap=True, style=f"bold {accent}")
        table.add_column()
        table.add_column(style=dim)
        for context, actions in every_action():
            for action in actions:
                name = f"{context}.{action.id}"
                table.add_row(Text(action.all_keys), Text(action.help), Text(name))
        hint = f'esc closes. Others: [keys] in {self._config_file}, "chat.offer" = ["O"]'
        with Vertical(classes="dialog wide help"):
            yield Static("Keys", classes="dialog-title", markup=False)
            with VerticalScroll():
                yield Static(table)
            yield Static(hint, classes="dialog-hint", markup=False)
