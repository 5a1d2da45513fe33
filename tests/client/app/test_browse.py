from pathlib import Path

import pytest
from textual.widgets import Input

from client_tui.screens import browse as browse_module
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.filters import FilterScreen
from client_tui.store import ListingChanged
from client_tui.widgets.palette import color_style
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


async def test_a_card_that_changes_says_so_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with market(tmp_path) as shown:
        browse = shown.app.screen
        assert isinstance(browse, BrowseScreen)

        def badges() -> int:
            rows = [browse.cards.render_line(y).text for y in range(browse.cards.size.height)]
            return sum("✱ changed just now" in row for row in rows)

        card = browse.cards.item(browse.cards.keys[0])
        liked = card.model_copy(update={"like_count": card.like_count + 1})
        shown.link.store.publish(ListingChanged(liked))
        await shown.pilot.pause()
        assert badges() == 0, "likes are counted all the time"
        shown.link.store.publish(ListingChanged(card.model_copy(update={"price": 1})))
        await shown.until(lambda: badges() == 1)
        monkeypatch.setattr(browse_module, "CHANGED_S", 0.01)
        shown.link.store.publish(ListingChanged(card.model_copy(update={"price": 2})))
        await shown.until(lambda: badges() == 0)


async def test_a_filter_is_left_as_it_is_by_a_button_and_a_click_beside_it(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        for target, offset in (("#cancel", (2, 0)), (None, (0, 0))):
            await shown.pilot.press("f")
            await shown.until(lambda: isinstance(shown.app.screen, FilterScreen))
            await shown.pilot.pause()
            await shown.pilot.click(target, offset=offset)
            await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))


async def test_the_palette_has_no_back_where_it_leads_nowhere(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:

        def titles() -> list[str]:
            return [one.title for one in shown.app.get_system_commands(shown.app.screen)]

        assert "Back" not in titles()
        await shown.pilot.press("enter")
        assert "Back" in titles()


async def test_nothing_blinks(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        await shown.pilot.press("slash")
        assert not shown.app.screen.query_one("#search", Input).cursor_blink
        await shown.pilot.press("escape", "f")
        await shown.until(lambda: isinstance(shown.app.screen, FilterScreen))
        price = shown.app.screen.query_one("#min", Input)
        price.focus()
        await shown.until(lambda: price.has_focus)
        await shown.until(lambda: not price.cursor_blink)


async def test_cards_take_the_colours_of_another_theme(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        browse = shown.app.screen
        assert isinstance(browse, BrowseScreen)

        def price_color() -> object:
            row = browse.cards.row(browse.cards.keys[0], 0)
            return next(part.style.color for part in row if "45,000" in part.text and part.style)

        before = price_color()
        shown.app.use_theme("picky-light")
        await shown.until(lambda: price_color() != before)
        assert price_color() == color_style(shown.app.theme_variables["primary"]).color
