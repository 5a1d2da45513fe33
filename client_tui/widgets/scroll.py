"""A column that scrolls with the keys of the lists."""

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll

from client_tui.keymap import move_bindings


class ScrollColumn(VerticalScroll):
    """Texts one below the other; arrows, ``j k G`` and pages scroll them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *move_bindings(
            down="scroll_down",
            up="scroll_up",
            page_down="page_down",
            page_up="page_up",
            home="home",
            end="scroll_end",
        )
    ]

    def action_home(self) -> None:
        """To the top."""
        self.scroll_home(animate=False)
