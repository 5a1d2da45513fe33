"""A row of small photos; one is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from client_tui.app_of import link_of
from client_tui.pictures import AnyPhoto, Pictures, any_id

_GAP = 1


class PhotoStrip(Widget):
    """As many photos side by side as fit, each of the height of the widget."""

    @dataclass
    class Chosen(Message):
        """A photo was clicked."""

        index: int

    def __init__(self, photos: Sequence[AnyPhoto] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._photos = photos

    @property
    def _pictures(self) -> Pictures:
        return link_of(self).pictures

    def show(self, photos: Sequence[AnyPhoto]) -> None:
        """Show these."""
        self._photos = photos
        self.refresh()

    def on_mount(self) -> None:
        """Hear when a picture has come."""
        self._unsubscribe = self._pictures.subscribe(self._ready)

    def on_unmount(self) -> None:
        """No more."""
        self._unsubscribe()

    def _ready(self, photo_id: UUID) -> None:
        if any(any_id(photo) == photo_id for photo in self._photos):
            self.refresh()

    @property
    def _columns(self) -> int:
        return max(4, round(self.size.height * 2 * 4 / 3))

    def render_line(self, y: int) -> Strip:
        """One row of all the pictures that fit."""
        width, columns = self.size.width, self._columns
        fitting = max(1, (width + _GAP) // (columns + _GAP))
        parts: list[Strip] = []
        for photo in self._photos[:fitting]:
            parts.append(self._pictures.draw_any(photo, columns, self.size.height)[y])
            parts.append(Strip([Segment(" " * _GAP, Style.null())]))
        hidden = len(self._photos) - fitting
        if hidden > 0 and y == self.size.height // 2:
            parts.append(Strip([Segment(f"+{hidden}")]))
        return Strip.join(parts).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: Click) -> None:
        """Which one was clicked."""
        index = event.x // (self._columns + _GAP)
        if index < len(self._photos):
            self.post_message(self.Chosen(index))
