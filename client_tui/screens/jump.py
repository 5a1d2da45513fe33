"""``g``, then a letter: to another part of the market."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from client_tui.screens.dialog import Dialog

PLACES = (
    ("b", "browse", "Browse the market"),
    ("c", "chats", "Chats"),
    ("t", "trades", "Trades"),
    ("n", "notifications", "Notifications"),
    ("p", "profile", "Profile and settings"),
    ("o", "outbox", "Outbox: what waits to be sent"),
    ("g", "top", "To the top of the list"),
)


def place_key(place: str) -> str:
    """The letter that goes there, after the key of the menu."""
    return next(key for key, name, _ in PLACES if name == place)


class JumpScreen(Dialog[str | None]):
    """A small menu of the modes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        *(Binding(key, f"go('{mode}')", show=False) for key, mode, _ in PLACES),
    ]

    def compose(self) -> ComposeResult:
        """The places and their letters."""
        accent = self.app.theme_variables["primary"]
        options = [
            Option(Text.assemble((key, f"bold {accent}"), f"  {label}"), id=mode)
            for key, mode, label in PLACES
        ]
        with Vertical(classes="dialog"):
            yield OptionList(*options)

    def action_go(self, mode: str) -> None:
        """That one."""
        self.dismiss(mode)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chosen with enter or the mouse."""
        self.dismiss(event.option_id)
