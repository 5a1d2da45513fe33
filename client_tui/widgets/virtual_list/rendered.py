"""The items of a virtual list: their order, their heights, and the strips of the recent ones."""

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from rich.segment import Segment
from textual.cache import LRUCache
from textual.strip import Strip

from client_tui.widgets.virtual_list.heights import Heights

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

_BLANK = Segment(" ")
_RECENT = 512
"""How many items keep their strips; a screen of one-row items is far fewer."""


class ItemRenderer(Protocol[T_contra]):
    """How the items of a virtual list are drawn. Widths are in cells, heights in rows."""

    def key(self, item: T_contra) -> int:
        """The item's identity in the list: unique, and the same for as long as it is there."""
        ...

    def estimate(self, item: T_contra, width: int) -> int:
        """About how many strips :meth:`render` gives (1 or more); must be quick."""
        ...

    def render(self, item: T_contra, width: int) -> list[Strip]:
        """The item as strips of at most ``width`` cells; one at least."""
        ...


class RenderedItems(Generic[T]):
    """Items in order, with heights that are estimates until an item is rendered once."""

    def __init__(self, renderer: ItemRenderer[T]) -> None:
        self.renderer = renderer
        self.heights = Heights()
        self.width = 0
        """The cells to render for; 0 until it is known."""
        self._items: dict[int, T] = {}
        self._measured: set[int] = set()
        self._strips: LRUCache[int, list[Strip]] = LRUCache(_RECENT)

    def __getitem__(self, key: int) -> T:
        return self._items[key]

    def insert(self, index: int, items: Sequence[T]) -> None:
        """Put items at a position; ``ValueError`` for a key that is there already."""
        entries = [(self.renderer.key(item), self._estimate(item)) for item in items]
        self.heights.insert(index, entries)
        self._items.update((key, item) for (key, _), item in zip(entries, items, strict=True))

    def replace(self, key: int, item: T) -> None:
        """Put ``item``, which may have another key, where ``key`` is; ``KeyError`` without it."""
        new_key = self.renderer.key(item)
        if new_key != key:
            self.heights.rename(key, new_key)
        self._forget(key)
        self._items[new_key] = item
        self.heights.set_height(new_key, self._estimate(item))

    def remove(self, key: int) -> None:
        """Take an item out; ``KeyError`` when it is not there."""
        self.heights.remove(key)
        self._forget(key)

    def clear(self) -> None:
        """Take everything out."""
        self.heights.clear()
        self._items.clear()
        self.invalidate()

    def invalidate(self, keys: Iterable[int] | None = None) -> None:
        """Render these items (None: all) anew when they are next seen."""
        if keys is None:
            self._measured.clear()
            self._strips.clear()
        else:
            for key in keys:
                self._measured.discard(key)
                self._strips.discard(key)

    def reflow(self, width: int) -> None:
        """Render for another width: every height is an estimate again."""
        self.width = width
        self.invalidate()
        self.heights.set_all(lambda key: self._estimate(self._items[key]))

    def measure(self, key: int) -> int:
        """The true height of an item (the estimate while the width is not known)."""
        if self.width and key not in self._measured:
            self.strips(key)
        return self.heights.height(key)

    def strips(self, key: int) -> list[Strip]:
        """The rows of an item, rendered if they are not among the recent ones.

        Each begins with a segment of one cell, the margin, and is as wide as the view.
        """
        strips = self._strips.get(key)
        if strips is None:
            drawn = self.renderer.render(self._items[key], self.width) or [Strip([])]
            strips = [Strip([_BLANK, *row]).adjust_cell_length(self.width + 1) for row in drawn]
            self._strips[key] = strips
            if key not in self._measured:
                self._measured.add(key)
                self.heights.set_height(key, len(strips))
        return strips

    def _estimate(self, item: T) -> int:
        return max(1, self.renderer.estimate(item, self.width)) if self.width else 1

    def _forget(self, key: int) -> None:
        del self._items[key]
        self.invalidate((key,))
