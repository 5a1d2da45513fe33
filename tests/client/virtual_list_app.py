"""A small app around a virtual list, for its tests."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from client_tui.format import estimate_rows, wrap
from client_tui.widgets.virtual_list import VirtualList
from client_tui.widgets.virtual_list.messages import ListMessage


@dataclass(frozen=True)
class Note:
    """An item: a number and a text."""

    number: int
    text: str


class NoteRenderer:
    """Wraps the text, and remembers which items it has rendered."""

    def __init__(self) -> None:
        self.rendered: list[int] = []

    def key(self, item: Note) -> int:
        return item.number

    def estimate(self, item: Note, width: int) -> int:
        return estimate_rows(item.text, width)

    def render(self, item: Note, width: int) -> list[Strip]:
        self.rendered.append(item.number)
        return [Strip([Segment(line)]) for line in wrap(item.text, width)]


def one_liners(numbers: Iterable[int]) -> list[Note]:
    """Notes of one row."""
    return [Note(number, f"note {number}") for number in numbers]


class PaintedList(VirtualList[Note]):
    """Remembers what was painted, so that a missing repaint is seen."""

    def __init__(self, renderer: NoteRenderer, *, from_bottom: bool) -> None:
        super().__init__(renderer, from_bottom=from_bottom)
        self.painted: dict[int, Strip] = {}

    def render_lines(self, crop: Region) -> list[Strip]:
        strips = super().render_lines(crop)
        self.painted.update(zip(crop.line_range, strips, strict=True))
        return strips


class ListApp(App[None]):
    """One list as large as the screen, and everything it has told."""

    CSS = "VirtualList { height: 1fr; }"
    AUTO_FOCUS = ""

    def __init__(
        self, items: Iterable[Note] = (), *, from_bottom: bool = False, focus: bool = False
    ) -> None:
        super().__init__()
        self.renderer = NoteRenderer()
        self.list = PaintedList(self.renderer, from_bottom=from_bottom)
        self.list.append(items)
        self.told: list[ListMessage] = []
        self._starts_focused = focus

    def on_mount(self) -> None:
        if self._starts_focused:
            self.list.focus()

    def compose(self) -> ComposeResult:
        yield self.list

    def on_virtual_list_near_top(self, message: ListMessage) -> None:
        self.told.append(message)

    def on_virtual_list_near_bottom(self, message: ListMessage) -> None:
        self.told.append(message)

    def on_virtual_list_bottom_changed(self, message: ListMessage) -> None:
        self.told.append(message)

    def on_virtual_list_cursor_moved(self, message: ListMessage) -> None:
        self.told.append(message)

    def on_virtual_list_activated(self, message: ListMessage) -> None:
        self.told.append(message)

    def forget(self) -> None:
        """Forget what was told."""
        self.told.clear()

    def heard(self, kind: type[Message]) -> list[Any]:
        """The messages of a kind that were told."""
        return [message for message in self.told if isinstance(message, kind)]

    async def painted(self) -> list[str]:
        """The rows of the list as last painted, without the cells that fill them up."""
        await Pilot(self).pause()
        return [self.list.painted[y].text.rstrip() for y in range(self.list.size.height)]
