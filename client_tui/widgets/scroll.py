"""A column that scrolls with the keys of the lists."""

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.message import Message

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

    class NearBottom(Message):
        """The bottom is within a screen."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tells that the bottom is near."""
        super().watch_scroll_y(old_value, new_value)
        self._tell_if_near_bottom()

    def watch_virtual_size(self) -> None:
        """There may be little enough to see its end at once."""
        self._tell_if_near_bottom()

    def _tell_if_near_bottom(self) -> None:
        if self.max_scroll_y - self.scroll_y <= self.size.height:
            self.post_message(self.NearBottom())

    def action_home(self) -> None:
        """To the top."""
        self.scroll_home(animate=False)
