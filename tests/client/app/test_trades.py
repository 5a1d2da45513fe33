from pathlib import Path
from typing import Any

from textual.widgets import Static

from client_tui.screens.trades import TradesScreen
from client_tui.widgets.virtual_list import VirtualList
from shared_models.base import Page
from tests.client.app.test_without_a_server import GONE, Shown, market


async def trades(shown: Shown) -> TradesScreen:
    shown.app.go_to("trades")
    await shown.until(
        lambda: (
            isinstance(shown.app.screen, TradesScreen)
            and any(len(one) for one in shown.app.screen.query(VirtualList))
        )
    )
    screen = shown.app.screen
    assert isinstance(screen, TradesScreen)
    return screen


def note(screen: TradesScreen) -> str:
    shown = screen.query_one("#list-note", Static)
    return str(shown.visual) if shown.display else ""


async def test_a_narrowing_that_can_not_be_read_says_so_in_place_of_other_rows(
    tmp_path: Path,
) -> None:
    async with market(tmp_path) as shown:
        screen = await trades(shown)
        shown.link.lose()
        screen._narrowed("buyer")
        await shown.until(lambda: str(GONE) in note(screen))
        assert "ctrl+r tries again" in note(screen)
        assert screen.selected() is None
        shown.link.find()
        await shown.until(lambda: not note(screen) and screen.selected())


async def test_a_narrowed_list_with_nothing_in_it_names_the_key(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        screen = await trades(shown)

        async def none(**_: Any) -> Page[Any]:
            return Page(items=[])

        shown.link.moving.trades = none  # type: ignore[method-assign]
        screen._narrowed("seller")
        await shown.until(lambda: "f shows others" in note(screen))
        assert "what I sell" in note(screen)
