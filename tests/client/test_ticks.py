"""Boxes to tick are told apart without colour."""

from textual.app import App, ComposeResult
from textual.widgets.selection_list import Selection

from client_tui.widgets.ticks import Tick, TickList


class Boxes(App[None]):
    def compose(self) -> ComposeResult:
        yield Tick("negotiable", id="tick")
        yield TickList(Selection("new", "new"), Selection("good", "good", True))


async def test_a_box_is_empty_until_it_is_ticked() -> None:
    app = Boxes()
    async with app.run_test() as pilot:
        tick = app.query_one("#tick", Tick)
        assert "✓" not in str(tick.render())
        tick.focus()
        await pilot.press("space")
        assert "✓" in str(tick.render())


async def test_a_list_shows_which_boxes_are_ticked() -> None:
    app = Boxes()
    async with app.run_test() as pilot:
        await pilot.pause()
        rows = app.query_one(TickList)
        first, second = (rows.render_line(y).text for y in (0, 1))
        assert "✓" not in first
        assert "✓" in second
