"""Boxes to tick that are empty when off; Textual's own differ by nothing but their colour."""

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import Checkbox, SelectionList

_ON, _OFF = "✓", " "


class Tick(Checkbox):
    """One box."""

    @property
    def BUTTON_INNER(self) -> str:  # type: ignore[override]  # noqa: N802 - Textual's name
        """What is in the box."""
        return _ON if self.value else _OFF


class TickList(SelectionList[str]):
    """A list of boxes."""

    def render_line(self, y: int) -> Strip:
        """A row, with its box as it should be."""
        strip = super().render_line(y)
        index = self.scroll_offset.y + y
        if index >= self.option_count:
            return strip
        left, inner, *rest = strip
        mark = _ON if self.get_option_at_index(index).value in self.selected else _OFF
        return Strip([left, Segment(mark, inner.style), *rest])
