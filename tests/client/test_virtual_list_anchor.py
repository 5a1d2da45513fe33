"""The row under the eye does not move: the viewport against random changes of the list."""

from dataclasses import dataclass

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from textual.strip import Strip

from client_tui.widgets.virtual_list.rendered import RenderedItems
from client_tui.widgets.virtual_list.viewport import Viewport


@dataclass(frozen=True)
class _Item:
    key: int
    guess: int
    rows: int


class _Renderer:
    """Items are twice as tall in less than 40 cells."""

    def key(self, item: _Item) -> int:
        return item.key

    def estimate(self, item: _Item, width: int) -> int:
        return item.guess

    def render(self, item: _Item, width: int) -> list[Strip]:
        return [Strip.blank(width)] * (item.rows * (2 if width < 40 else 1))


_shapes = st.tuples(st.integers(1, 6), st.integers(1, 9))
_pages = st.lists(_shapes, min_size=1, max_size=12)
_places = st.integers(0, 10_000)


class _Reading(RuleBasedStateMachine):
    """Somebody reads in a list that others change."""

    @initialize(shapes=_pages, from_bottom=st.booleans(), height=st.integers(1, 12))
    def open(self, shapes: list[tuple[int, int]], from_bottom: bool, height: int) -> None:
        self.next_key = 0
        self.items = RenderedItems(_Renderer())
        self.heights = self.items.heights
        self.viewport = Viewport(self.heights, self.items.measure, from_bottom=from_bottom)
        self.viewport.height = height
        self.items.reflow(80)
        self.items.insert(0, self._new(shapes))
        self.viewport.settle()

    def _new(self, shapes: list[tuple[int, int]]) -> list[_Item]:
        keys = range(self.next_key, self.next_key + len(shapes))
        self.next_key += len(shapes)
        return [_Item(key, *shape) for key, shape in zip(keys, shapes, strict=True)]

    def _some_key(self, place: int) -> int:
        return self.heights.key_at(place % len(self.heights))

    def _settle_without_moving(self) -> None:
        """Settle after a change that leaves the anchor's item as it was."""
        following = self.viewport.follow and self.viewport.at_bottom
        top = self.viewport.lines[0]
        self.viewport.settle()
        if following:
            assert self.viewport.at_bottom
        elif top is not None and not self.viewport.at_bottom:
            assert self.viewport.lines[0] == top

    @rule(place=_places, shapes=_pages)
    def somebody_puts_items_in(self, place: int, shapes: list[tuple[int, int]]) -> None:
        for_sure_full = None not in self.viewport.lines
        self.items.insert(place % (len(self.heights) + 1), self._new(shapes))
        top, following = self.viewport.lines[0], self.viewport.follow and self.viewport.at_bottom
        self._settle_without_moving()
        if for_sure_full and not following:
            assert self.viewport.lines[0] == top

    @precondition(lambda self: len(self.heights) > 0)
    @rule(place=_places, shape=_shapes)
    def somebody_changes_an_item(self, place: int, shape: tuple[int, int]) -> None:
        key = self._some_key(place)
        assume(self.viewport.anchor is not None and key != self.viewport.anchor[0])
        self.items.replace(key, _Item(key, *shape))
        self._settle_without_moving()

    @precondition(lambda self: len(self.heights) > 0)
    @rule(place=_places)
    def somebody_takes_an_item_out(self, place: int) -> None:
        key = self._some_key(place)
        assert self.viewport.anchor is not None
        was_anchor = key == self.viewport.anchor[0]
        screen = list(self.viewport.lines)
        following = self.viewport.follow and self.viewport.at_bottom
        self.viewport.leave(key)
        self.items.remove(key)
        if not was_anchor:
            self._settle_without_moving()
            return
        self.viewport.settle()
        at_an_end = self.viewport.at_bottom or self.viewport.rows_above == 0
        for line, now in zip(screen, self.viewport.lines, strict=True):
            if line is not None and line[0] != key and not following and not at_an_end:
                assert now == line

    @precondition(lambda self: len(self.heights) > 0)
    @rule(place=_places)
    def an_item_gets_another_key(self, place: int) -> None:
        key, new_key = self._some_key(place), self.next_key
        self.next_key += 1
        screen = [
            (new_key, line[1]) if line and line[0] == key else line for line in self.viewport.lines
        ]
        item = self.items[key]
        self.items.replace(key, _Item(new_key, item.guess, item.rows))
        self.viewport.rename(key, new_key)
        self.viewport.settle()
        assert self.viewport.lines == screen

    @rule()
    def the_strips_are_forgotten(self) -> None:
        screen = list(self.viewport.lines)
        self.items.invalidate()
        self.viewport.settle()
        assert self.viewport.lines == screen

    @rule(width=st.sampled_from([30, 80, 120]))
    def the_terminal_gets_another_width(self, width: int) -> None:
        anchor = self.viewport.anchor
        following = self.viewport.follow and self.viewport.at_bottom
        old_height = self.heights.height(anchor[0]) if anchor else 1
        self.items.reflow(width)
        self.viewport.rescale(old_height)
        self.viewport.settle()
        if following:
            assert self.viewport.at_bottom
        elif anchor and not self.viewport.at_bottom:
            top = self.viewport.lines[0]
            assert top is not None
            assert top[0] == anchor[0]
            assert top[1] == anchor[1] * self.heights.height(anchor[0]) // old_height

    @rule(height=st.integers(1, 12))
    def the_terminal_gets_another_height(self, height: int) -> None:
        self.viewport.height = height
        self._settle_without_moving()

    @rule(rows=st.integers(-15, 15))
    def the_reader_scrolls(self, rows: int) -> None:
        screen = list(self.viewport.lines)
        self.viewport.scroll(rows)
        both = set(screen) & set(self.viewport.lines) - {None}
        moved = {screen.index(line) - self.viewport.lines.index(line) for line in both}
        assert len(moved) <= 1, "the rows move together"
        at_an_end = self.viewport.at_bottom or self.viewport.rows_above == 0
        if moved and not at_an_end:
            assert moved == {rows}

    @precondition(lambda self: self.heights.rows > 0)
    @rule(place=_places)
    def the_reader_drags_the_bar(self, place: int) -> None:
        row = place % self.heights.rows
        wanted = self.heights.find(row)
        at_the_end = row >= self.heights.rows - self.viewport.height
        self.viewport.scroll_to_row(row)
        assert self.viewport.at_bottom or not at_the_end
        top = self.viewport.lines[0]
        if top is not None and not self.viewport.at_bottom:
            assert top[0] == wanted[0]

    @precondition(lambda self: len(self.heights) > 0)
    @rule(place=_places, where=st.sampled_from(["top", "center", "bottom", "nearest"]))
    def the_reader_jumps(self, place: int, where: str) -> None:
        key = self._some_key(place)
        self.viewport.show(key, where)  # type: ignore[arg-type]
        rows = {line[1] for line in self.viewport.lines if line and line[0] == key}
        assert len(rows) == min(self.heights.height(key), self.viewport.height)

    @rule(follow=st.booleans())
    def newer_items_are_missing_or_not(self, follow: bool) -> None:
        self.viewport.follow = follow

    @invariant()
    def the_screen_is_an_unbroken_piece_of_the_list(self) -> None:
        everything = [(key, row) for key in self.heights for row in range(self.heights.height(key))]
        shown = [line for line in self.viewport.lines if line is not None]
        assert len(self.viewport.lines) == self.viewport.height
        assert len(shown) == min(self.viewport.height, len(everything))
        above = self.viewport.rows_above
        assert everything[above : above + len(shown)] == shown
        assert self.viewport.rows_below == len(everything) - above - len(shown)
        assert self.viewport.at_bottom == (above + len(shown) == len(everything))

    @invariant()
    def what_is_in_view_is_measured(self) -> None:
        for key in self.viewport.keys:
            assert self.heights.height(key) == len(self.items.strips(key))


TestReading = _Reading.TestCase
TestReading.settings = settings(max_examples=150, stateful_step_count=25)


def test_a_view_that_is_not_laid_out_yet_can_be_sent_to_its_end() -> None:
    rendered = RenderedItems(_Renderer())
    rendered.width = 80
    rendered.insert(0, [_Item(key, 1, 1) for key in range(50)])
    viewport = Viewport(rendered.heights, rendered.measure, from_bottom=True)
    viewport.scroll_to_end()
    assert viewport.at_bottom
    viewport.height = 10
    viewport.settle()
    assert viewport.keys == list(range(40, 50))
