"""Which rows of a long list are on the screen, and why they do not move.

The anchor, (key, row inside its item), is the top row on the screen and the only truth: positions
counted from the top of the list are derived from it. So whatever happens above the anchor, items
put in, taken out or measured for the first time, what is on the screen stays where it is.
"""

from collections.abc import Callable, Container
from itertools import chain
from typing import Literal

from client_tui.widgets.virtual_list.heights import Heights

Place = Literal["top", "center", "bottom", "nearest"]
Line = tuple[int, int]
"""A row of an item: (key, row inside it)."""


class Viewport:
    """The rows on the screen. ``measure`` gives the true height of an item, in rows.

    With ``from_bottom`` it starts at the end, and items too few to fill it stand at its foot.
    """

    def __init__(
        self, heights: Heights, measure: Callable[[int], int], *, from_bottom: bool = False
    ) -> None:
        self._heights = heights
        self._measure = measure
        self._from_bottom = from_bottom
        self.follow = from_bottom
        """Whether a viewport at the bottom stays there when the list grows."""
        self.height = 0
        self.anchor: Line | None = None
        self.at_bottom = True
        self.lines: list[Line | None] = []
        """What is on each row of the screen, from the top; None for nothing."""

    @property
    def rows_above(self) -> int:
        """How many rows are above the screen, as far as is known."""
        return 0 if self.anchor is None else self._heights.above(self.anchor[0]) + self.anchor[1]

    @property
    def rows_below(self) -> int:
        """How many rows are below the screen, as far as is known."""
        return max(0, self._heights.rows - self.rows_above - self.height)

    @property
    def keys(self) -> list[int]:
        """The items on the screen, from the top."""
        return list(dict.fromkeys(line[0] for line in self.lines if line))

    def settle(self) -> None:
        """Fill the screen again after any change, measuring what comes into view."""
        if not self.height:
            self.lines = []
            return
        if not len(self._heights):
            self.anchor, self.at_bottom, self.lines = None, True, [None] * self.height
            return
        if (self.at_bottom and self.follow) or (self.anchor is None and self._from_bottom):
            anchor = self._bottom()
        elif self.anchor is None:
            anchor = (self._heights.key_at(0), 0)
        else:
            key, row = self.anchor
            anchor = self._walk(key, min(row, self._measure(key) - 1))
        lines = self._lines(anchor)
        if len(lines) < self.height:
            key, row = anchor
            anchor = self._walk(key, row - (self.height - len(lines)))
            lines = self._lines(anchor)
        self.anchor = anchor
        last = self._heights.key_at(-1)
        self.at_bottom = lines[-1] == (last, self._heights.height(last) - 1)
        blank: list[Line | None] = [None] * (self.height - len(lines))
        self.lines = [*blank, *lines] if self._from_bottom else [*lines, *blank]

    def scroll(self, rows: int) -> None:
        """Move down (up when negative) by rows."""
        if self.anchor is not None:
            key, row = self.anchor
            self._go(self._walk(key, row + rows))

    def scroll_to_row(self, row: int) -> None:
        """Bring a row, counted from the top of the list, to the top of the screen."""
        if not len(self._heights):
            return
        if row >= self._heights.rows - self.height:
            self.scroll_to_end()
        else:
            self._go(self._heights.find(max(0, row)))

    def scroll_to_end(self) -> None:
        """Bring the last row of the list to the bottom of the screen."""
        if len(self._heights):
            self._go(self._bottom())
            self.at_bottom = True  # also while there is no height, and so nothing is settled

    def show(self, key: int, place: Place = "nearest") -> None:
        """Bring an item into view, with its end at the foot for ``bottom``.

        ``nearest`` moves as little as possible, and not at all when all of it is in view.
        """
        spare = self.height - self._measure(key)
        if place == "nearest":
            if {(key, 0), (key, self._heights.height(key) - 1)} <= set(self.lines):
                return
            above = self.anchor is not None and (
                self._heights.index(key) <= self._heights.index(self.anchor[0])
            )
            place = "top" if above == (spare >= 0) else "bottom"
        rows_before = {"top": 0, "center": max(0, spare // 2), "bottom": spare}[place]
        self._go(self._walk(key, -rows_before))

    def rename(self, key: int, new_key: int) -> None:
        """An item has another key now."""
        if self.anchor is not None and self.anchor[0] == key:
            self.anchor = (new_key, self.anchor[1])

    def rescale(self, old_height: int) -> None:
        """Keep the anchor on the same part of its item, whose height has been another."""
        if self.anchor is not None:
            key, row = self.anchor
            self.anchor = (key, row * self._measure(key) // old_height)

    def hold(self, keys: Container[int]) -> None:
        """Prepare for changes: the first of these items in view stays where it is on the screen."""
        for y, line in enumerate(self.lines):
            if line is not None and line[0] in keys:
                self.anchor = (line[0], line[1] - y)
                return

    def leave(self, key: int) -> None:
        """Prepare for ``key`` to be taken out: the anchor goes to a neighbour, which stays put."""
        if self.anchor is None or self.anchor[0] != key:
            return
        row = self.anchor[1]
        if (following := next(self._heights.after(key), None)) is not None:
            self.anchor = (following, row - self._heights.height(key))
        elif (previous := next(self._heights.before(key), None)) is not None:
            self.anchor = (previous, row + self._heights.height(previous))
        else:
            self.anchor = None

    def _go(self, anchor: Line) -> None:
        self.anchor, self.at_bottom = anchor, False
        self.settle()

    def _bottom(self) -> Line:
        last = self._heights.key_at(-1)
        return self._walk(last, self._measure(last) - self.height)

    def _walk(self, key: int, row: int) -> Line:
        """The row that is ``row`` below the first of ``key``; the ends of the list stop it."""
        if row < 0:
            for previous in self._heights.before(key):
                row += self._measure(previous)
                if row >= 0:
                    return previous, row
            return self._heights.key_at(0), 0
        height = self._measure(key)
        if row < height:
            return key, row
        for following in self._heights.after(key):
            row -= height
            height = self._measure(following)
            if row < height:
                return following, row
        return self._heights.key_at(-1), height - 1

    def _lines(self, anchor: Line) -> list[Line]:
        lines: list[Line] = []
        first, row = anchor
        for key in chain((first,), self._heights.after(first)):
            if len(lines) >= self.height:
                break
            lines.extend((key, at) for at in range(row, self._measure(key)))
            row = 0
        return lines[: self.height]
