from pathlib import Path

from textual.widgets import Input

from client_tui.screens.browse import BrowseScreen
from tests.client.app.test_without_a_server import market


async def test_the_first_letter_after_the_search_key_belongs_to_the_search(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        browse = shown.app.screen
        assert isinstance(browse, BrowseScreen)
        browse.do_search()
        assert browse.focused is browse.query_one("#search", Input)


async def test_a_search_is_of_the_market_whatever_was_shown(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        browse = shown.app.screen
        assert isinstance(browse, BrowseScreen)
        await shown.pilot.press("slash")
        browse.do_recent()
        await shown.pilot.press("o", "a", "k")
        await shown.until(lambda: browse.filter.q == "oak")
        assert "oak" in browse.heading()
