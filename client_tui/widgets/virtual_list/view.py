"""A scroll view of items of any height, of which only those in sight are rendered."""

from collections.abc import Iterable
from typing import Any, ClassVar, Generic, NamedTuple

from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from client_tui.widgets.virtual_list import messages
from client_tui.widgets.virtual_list.rendered import ItemRenderer, RenderedItems, T
from client_tui.widgets.virtual_list.viewport import Line, Place, Viewport

MARGIN = 1
"""The cells left of every item."""

_NEAR = 1.5
"""How many screens from an end count as near."""


class Pruned(NamedTuple):
    """How many items :meth:`ItemsView.prune` took from either end."""

    top: int
    bottom: int


class ItemsView(ScrollView, Generic[T]):
    """Items under one another. The top row on the screen is the anchor.

    Nothing that is put in, taken out, changed or measured elsewhere moves the anchor. With
    ``from_bottom`` the view starts at the end, as a chat does, and stays there while items are
    appended for as long as :attr:`follow` is true.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    ItemsView {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        scrollbar-color: $foreground 20%;
        scrollbar-color-hover: $foreground 40%;
        scrollbar-color-active: $accent;
    }
    """

    NearTop: ClassVar = messages.NearTop
    NearBottom: ClassVar = messages.NearBottom
    BottomChanged: ClassVar = messages.BottomChanged

    def __init__(
        self,
        renderer: ItemRenderer[T],
        *,
        from_bottom: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.from_bottom = from_bottom
        self._rendered = RenderedItems(renderer)
        self._heights = self._rendered.heights
        self._viewport = Viewport(self._heights, self._rendered.measure, from_bottom=from_bottom)
        self._told_top: int | None = None
        self._told_bottom: int | None = None
        self._told_at_bottom = True
        self._shown_lines: list[Line | None] = []
        self._shown_bar: tuple[int, int, bool, bool] | None = None
        self._base_style = Style.null()

    def on_mount(self) -> None:
        """Strips hold the colours of the theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.invalidate())

    # What is in the list

    def __len__(self) -> int:
        return len(self._heights)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, key: object) -> bool:
        return key in self._heights

    @property
    def keys(self) -> list[int]:
        """The keys of all items, in order."""
        return list(self._heights)

    @property
    def visible_keys(self) -> list[int]:
        """The keys of the items in view, from the top."""
        return self._viewport.keys

    def item(self, key: int) -> T:
        """The item with this key; ``KeyError`` when it is not there."""
        return self._rendered[key]

    def set_items(self, items: Iterable[T]) -> None:
        """Show these items instead; the anchor stays if its item is among them."""
        anchor = self._viewport.anchor
        self._rendered.clear()
        self._rendered.insert(0, list(items))
        kept = anchor is not None and anchor[0] in self._heights
        self._viewport.anchor = anchor if kept else None
        self._told_top = self._told_bottom = None
        self._update(repaint=True)

    def append(self, items: Iterable[T]) -> None:
        """Put items at the end; ``ValueError`` for a key that is there already."""
        self._insert(len(self), items)

    def prepend(self, items: Iterable[T]) -> None:
        """Put items, in their order, before the first; ``ValueError`` as in :meth:`append`."""
        self._insert(0, items)

    def insert(self, items: Iterable[T], before: int) -> None:
        """Put items before that key; ``KeyError`` without it, ``ValueError`` as above."""
        self._insert(self._heights.index(before), items)

    def replace(self, item: T, key: int | None = None) -> None:
        """Put a changed item where ``key`` (its own when None) is; ``KeyError`` without it.

        So an item may also change its key, as a message does when the server has numbered it.
        """
        new_key = self._rendered.renderer.key(item)
        old_key = new_key if key is None else key
        self._rendered.replace(old_key, item)
        self._viewport.rename(old_key, new_key)
        self._update(repaint=True)

    def remove_item(self, key: int) -> None:
        """Take an item out; ``KeyError`` when it is not there."""
        self._take_out(key)
        self._update()

    def prune(self, limit: int) -> Pruned:
        """Take items from the ends farthest from the view until at most ``limit`` are left.

        Items in view always stay. Tells how many went from either end.
        """
        visible = self.visible_keys
        if len(self) <= limit or not visible:
            return Pruned(0, 0)
        above = self._heights.index(visible[0])
        below = len(self) - 1 - self._heights.index(visible[-1])
        surplus = min(len(self) - limit, above + below)
        even = (surplus + above - below) // 2
        top = max(0, surplus - below, min(even, above, surplus))
        for _ in range(top):
            self._take_out(self._heights.key_at(0))
        for _ in range(surplus - top):
            self._take_out(self._heights.key_at(-1))
        self._update()
        return Pruned(top, surplus - top)

    def invalidate(self, *keys: int) -> None:
        """Render these items (none given: all) anew, because something they show has changed."""
        self._rendered.invalidate(keys or None)
        self._update(repaint=True)

    def _insert(self, index: int, items: Iterable[T]) -> None:
        self._rendered.insert(index, list(items))
        self._update()

    def _take_out(self, key: int) -> None:
        self._viewport.leave(key)
        self._rendered.remove(key)

    # Where the reader is

    @property
    def at_bottom(self) -> bool:
        """Whether the last row is in view."""
        return self._viewport.at_bottom

    @property
    def follow(self) -> bool:
        """Whether a view at the bottom stays there when the list grows.

        To be unset while newer items exist that are not in the list.
        """
        return self._viewport.follow

    @follow.setter
    def follow(self, follow: bool) -> None:
        self._viewport.follow = follow

    def bring_into_view(self, key: int, place: Place = "nearest") -> None:
        """Scroll to an item; ``KeyError`` when it is not there."""
        self._viewport.show(key, place)
        self._update()

    def jump_to_top(self) -> None:
        """Show the first row."""
        self._viewport.scroll_to_row(0)
        self._update()

    def jump_to_bottom(self) -> None:
        """Show the last row."""
        self._viewport.scroll_to_end()
        self._update()

    def scroll_rows(self, rows: int) -> None:
        """Move the view down (up when negative)."""
        self._viewport.scroll(rows)
        self._update()

    def scroll_to(self, x: float | None = None, y: float | None = None, **_: Any) -> None:
        """Bring a row to the top of the view; never animated, as positions are estimates."""
        if y is not None:
            self._viewport.scroll_to_row(round(y))
            self._update()

    def scroll_end(self, **_: Any) -> None:
        """Show the last row."""
        self.jump_to_bottom()

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows in a region of the view."""
        self._base_style = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One row of the view."""
        if (line := self.line_at(y)) is None:
            return Strip.blank(self._rendered.width + MARGIN, self._base_style)
        key, row = line
        return self.row(key, row).apply_style(self._base_style)

    def row(self, key: int, row: int) -> Strip:
        """One row of an item, margin included."""
        return self._rendered.strips(key)[row]

    def line_at(self, y: int) -> Line | None:
        """The item, by key, and the row inside it that are on a row of the view."""
        lines = self._viewport.lines
        return lines[y] if 0 <= y < len(lines) else None

    def on_resize(self) -> None:
        """Wrap anew for another width, with the anchor on the same part of its item."""
        region, anchor = self.scrollable_content_region, self._viewport.anchor
        self._viewport.height = region.height
        self._shown_bar = None
        width = max(1, region.width - MARGIN)
        if width != self._rendered.width:
            old_height = self._heights.height(anchor[0]) if anchor else 1
            self._rendered.reflow(width)
            self._viewport.rescale(old_height)
        self._update(repaint=True)

    def _update(self, *, repaint: bool = False) -> None:
        """Settle after a change. Without ``repaint`` no row in view has changed by itself."""
        if self._viewport.height:
            self._viewport.settle()
            self._sync_scroll_bar()
            self._tell()
            if repaint or self._viewport.lines != self._shown_lines:
                self._shown_lines = self._viewport.lines
                self.refresh()

    def _sync_scroll_bar(self) -> None:
        """Tell Textual where the view is, without the layout of the screen that it would do."""
        rows, height, top = self._heights.rows, self._viewport.height, self._viewport.rows_above
        self.set_reactive(ScrollView.virtual_size, Size(self._rendered.width + MARGIN, rows))
        self.set_reactive(ScrollView.scroll_y, top)
        self.scroll_target_y = top
        # Drawing the bar is a third of the cost of scrolling a row; its glyphs show eighths.
        eighths = 8 * height / max(1, rows)
        shown = (int(eighths * top), int(eighths * height), top == 0, self.at_bottom)
        if shown != self._shown_bar:
            self._shown_bar = shown
            bar = self.vertical_scrollbar
            bar.window_virtual_size, bar.window_size, bar.position = rows, height, top

    def _tell(self) -> None:
        if self.at_bottom != self._told_at_bottom:
            self._told_at_bottom = self.at_bottom
            self.post_message(messages.BottomChanged(self, self.at_bottom))
        if not len(self):
            return
        near = _NEAR * self._viewport.height
        first = self._heights.key_at(0) if self._viewport.rows_above < near else None
        if first not in (None, self._told_top):
            self.post_message(messages.NearTop(self))
        self._told_top = first
        last = self._heights.key_at(-1) if self._viewport.rows_below < near else None
        if last not in (None, self._told_bottom):
            self.post_message(messages.NearBottom(self))
        self._told_bottom = last
