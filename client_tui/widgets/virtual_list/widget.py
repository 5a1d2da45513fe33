"""The list that the screens use: items in view, a cursor, keys and mouse."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Offset, Region
from textual.strip import Strip

from client_tui.keymap import move_bindings
from client_tui.widgets.virtual_list import messages
from client_tui.widgets.virtual_list.rendered import T
from client_tui.widgets.virtual_list.view import MARGIN, ItemsView
from client_tui.widgets.virtual_list.viewport import Place


class VirtualList(ItemsView[T], can_focus=True):
    """Items with a cursor, marked in the margin. The mouse wheel moves the view, not the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"virtual-list--cursor"}
    DEFAULT_CSS = """
    VirtualList {
        & > .virtual-list--cursor { color: $foreground 30%; }
        &:focus > .virtual-list--cursor { color: $accent; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *move_bindings(
            down="cursor_down",
            up="cursor_up",
            page_down="page_down",
            page_up="page_up",
            home="home",
            end="end",
            open="activate",
        )
    ]

    CursorMoved: ClassVar = messages.CursorMoved
    Activated: ClassVar = messages.Activated

    _cursor: int | None = None
    _cursor_style = Style.null()

    @property
    def cursor(self) -> int | None:
        """The key of the item under the cursor, if there is one."""
        return self._cursor

    @cursor.setter
    def cursor(self, key: int | None) -> None:
        if key is not None and key not in self:
            raise KeyError(key)
        if key != self._cursor:
            self._cursor = key
            self.refresh()
            if key is not None:
                self.post_message(messages.CursorMoved(self, key, self.item(key)))

    def jump_to(self, key: int, place: Place = "center") -> None:
        """Bring an item into view and the cursor to it; ``KeyError`` when it is not there."""
        self.bring_into_view(key, place)
        self.cursor = key

    def replace(self, item: T, key: int | None = None) -> None:
        """Put a changed item where ``key`` (its own when None) is; ``KeyError`` without it."""
        if key is not None and key == self._cursor:
            self._cursor = self._rendered.renderer.key(item)
        super().replace(item, key)

    def remove_item(self, key: int) -> None:
        """Take an item out; ``KeyError`` when it is not there. The cursor goes to a neighbour."""
        if key == self._cursor:
            self.cursor = self._beside(key, 1, self._beside(key, -1, key))
        super().remove_item(key)

    def _beside(self, key: int, direction: int, otherwise: int) -> int:
        neighbours = self._heights.after(key) if direction > 0 else self._heights.before(key)
        return next(neighbours, otherwise)

    def _update(self, *, repaint: bool = False) -> None:
        if self._cursor not in self:
            self._cursor = None
        super()._update(repaint=repaint)
        if self.has_focus:
            self._place_cursor()

    # Drawing

    def row(self, key: int, row: int) -> Strip:
        """One row of an item, with the bar of the cursor in the margin."""
        strip = super().row(key, row)
        if key != self._cursor:
            return strip
        return Strip([Segment("▌", self._cursor_style), *list(strip)[1:]], strip.cell_length)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows in a region of the view."""
        self._cursor_style = self.get_component_rich_style("virtual-list--cursor", partial=True)
        return super().render_lines(crop)

    # Keys

    def action_cursor_down(self) -> None:
        """The next item; inside one taller than the view, the next row."""
        self._step(1)

    def action_cursor_up(self) -> None:
        """The item before; inside one taller than the view, the row before."""
        self._step(-1)

    def action_page_down(self) -> None:
        """A screen down, less one row to keep the thread."""
        self._page(1)

    def action_page_up(self) -> None:
        """A screen up, less one row."""
        self._page(-1)

    def action_home(self) -> None:
        """The first item."""
        self.jump_to_top()
        if len(self):
            self.cursor = self._heights.key_at(0)

    def action_end(self) -> None:
        """The last item."""
        self.jump_to_bottom()
        if len(self):
            self.cursor = self._heights.key_at(-1)

    def action_activate(self) -> None:
        """Tell that the item under the cursor is wanted."""
        if (key := self._cursor) is not None:
            self.post_message(messages.Activated(self, key, self.item(key), None))

    def _step(self, direction: int) -> None:
        key, visible = self._cursor, self.visible_keys
        if not visible:
            return
        if key is None:
            self._place_cursor()
        elif key not in visible:
            below = self._heights.index(key) > self._heights.index(visible[-1])
            self.cursor = visible[-1 if below else 0]
        elif self._goes_on_beyond_view(key, direction):
            self.scroll_rows(direction)
        else:
            self.jump_to(self._beside(key, direction, key), "nearest")

    def _goes_on_beyond_view(self, key: int, direction: int) -> bool:
        """Whether an item taller than the view has more rows in that direction."""
        height = self._heights.height(key)
        row, end = (height - 1, self.size.height - 1) if direction > 0 else (0, 0)
        return height > self.size.height and self.line_at(end) != (key, row)

    def _page(self, direction: int) -> None:
        height, top = self.size.height, self.scroll_offset.y
        keys = [line[0] if (line := self.line_at(y)) else None for y in range(height)]
        place = keys.index(self._cursor) if self._cursor in keys else 0
        self.scroll_rows(direction * max(1, height - 1))
        if self._cursor is None:
            return
        if self.scroll_offset.y == top:
            self.cursor = self._heights.key_at(-1 if direction > 0 else 0)
        elif line := self.line_at(place):
            self.cursor = line[0]

    # Mouse and focus

    def on_focus(self) -> None:
        """A list with the focus has a cursor."""
        self._place_cursor()

    def _place_cursor(self) -> None:
        """Where reading goes on, unless the cursor is somewhere."""
        if self._cursor is None and (visible := self.visible_keys):
            self.cursor = visible[-1 if self.from_bottom else 0]

    def on_click(self, event: events.Click) -> None:
        """The item under the mouse gets the cursor and is told."""
        offset = event.get_content_offset(self)
        if offset is None or (line := self.line_at(offset.y)) is None:
            return
        key, row = line
        self.cursor = key
        inside = Offset(offset.x - MARGIN, row)
        self.post_message(messages.Activated(self, key, self.item(key), inside))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the view by rows."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel, upwards."""
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, direction: int) -> None:
        event.prevent_default()
        event.stop()
        self.scroll_rows(direction * max(1, round(self.app.scroll_sensitivity_y)))
