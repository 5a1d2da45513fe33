import inspect
import re
from pathlib import Path
from typing import Any

from textual.widgets import OptionList

from client_tui.pictures import Pictures
from client_tui.screens.choose import ChooseScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.help import KeysScreen
from client_tui.screens.person import PersonScreen
from client_tui.screens.profile import ProfileScreen
from client_tui.widgets.half_block import draw_placeholder
from client_tui.widgets.key_bar import KeyBar
from client_tui.widgets.listing_cards import THUMB_COLUMNS, THUMB_ROWS
from client_tui.widgets.photo import PhotoView
from client_tui.widgets.retry_row import RetryRow
from server.notifications import subscribers
from shared_models.base import Page
from shared_models.listings import ListingCard
from shared_models.notifications import NotificationKind
from tests.client.app.test_without_a_server import Shown, market
from tests.snapshots import scene
from tests.snapshots.frozen import DrawnPhotos

SENT = inspect.getsource(subscribers)


def in_two_pages(shown: Shown, items: list[Any]) -> Any:
    """A call whose second page needs the server to be there."""

    async def read(*_: Any, cursor: str | None = None, **__: Any) -> Page[Any]:
        if cursor is None:
            return Page(items=items[:1], next_cursor="more")
        shown.link.moving.check()
        return Page(items=items, next_cursor=None)

    return read


def failed(shown: Shown) -> int:
    return sum(row.display for row in shown.app.screen.query(RetryRow))


async def test_own_listings_go_on_behind_the_first_page(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        shown.link.moving.listings = in_two_pages(shown, scene.cards())  # type: ignore[method-assign]
        shown.app.go_to("profile")

        def mine() -> int:
            screen = shown.app.screen
            return len(screen.mine) if isinstance(screen, ProfileScreen) else 0

        await shown.until(lambda: shown.app.screen.query("#mine") and mine() == len(scene.cards()))


async def test_listings_and_reviews_of_somebody_go_on_behind_the_first_page(
    tmp_path: Path,
) -> None:
    async with market(tmp_path) as shown:
        api: Any = shown.link.moving
        api.account_listings = in_two_pages(shown, scene.cards())
        api.reviews = in_two_pages(shown, scene.reviews())
        api.gone = True
        shown.app.open_profile(scene.MINJI.id)
        await shown.until(lambda: failed(shown) == 2)
        screen = shown.app.screen
        assert isinstance(screen, PersonScreen)
        assert (len(screen.listings), len(screen._reviewed)) == (1, 1)
        api.gone = False
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: len(screen.listings) == len(scene.cards()))
        await shown.until(lambda: len(screen._reviewed) == len(scene.reviews()))
        assert failed(shown) == 0


async def test_the_settings_show_all_keys_and_the_profile_its_picture(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        account = scene.ACCOUNT.model_copy(update={"avatar": scene.photo(40)})
        shown.link.store.put_account(account)
        shown.app.go_to("profile")
        await shown.until(lambda: shown.app.screen.query("#profile-avatar"))
        avatar = shown.app.screen.query_one("#profile-avatar", PhotoView)
        await shown.until(lambda: avatar.display and avatar.photo == scene.photo(40))
        settings = shown.app.screen.query_one("#settings", OptionList)
        settings.highlighted = settings.get_option_index("keys")
        settings.action_select()
        await shown.until(lambda: isinstance(shown.app.screen, KeysScreen))
        await shown.pilot.pause()
        rows = shown.app.screen._compositor.render_strips(shown.app.screen.size)
        drawn = "\n".join(row.text for row in rows)
        assert "*.help" in drawn
        assert "esc closes" in drawn
        await shown.pilot.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, ProfileScreen))


async def test_covers_come_on_a_persons_page(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        shown.link.pictures = Pictures(DrawnPhotos(tmp_path))  # type: ignore[arg-type]
        cards = [card for card in scene.cards() if card.cover is not None][:2]
        api: Any = shown.link.moving
        api.account_listings = in_two_pages(shown, cards)
        shown.app.open_profile(scene.MINJI.id)
        await shown.until(lambda: shown.app.screen.query("#person-listings"))
        screen = shown.app.screen
        assert isinstance(screen, PersonScreen)
        await shown.until(lambda: len(screen.listings) == 2)

        def shows_its_cover(card: ListingCard) -> bool:
            photo = card.cover
            assert photo is not None
            cover = shown.link.pictures.draw(photo, THUMB_COLUMNS, THUMB_ROWS)
            placeholder = draw_placeholder(photo.placeholder, THUMB_COLUMNS, THUMB_ROWS)
            drawn = screen.listings.row(card.id.int, 0)
            return cover != placeholder and list(cover[0]) == list(drawn)[1 : 1 + len(cover[0])]

        await shown.until(lambda: all(map(shows_its_cover, cards)))


async def test_the_footer_behind_a_dialog_has_no_back_where_it_leads_nowhere(
    tmp_path: Path,
) -> None:
    async with market(tmp_path) as shown:
        shown.app.go_to("profile")
        await shown.until(lambda: shown.app.screen.query("#settings"))
        profile = shown.app.screen
        assert isinstance(profile, ProfileScreen)
        await shown.app.push_screen(ConfirmScreen("Really?"))
        profile.redraw_bars()
        assert "back" not in profile.query_one(KeyBar).render().plain


async def test_only_notices_that_there_are_can_be_switched(tmp_path: Path) -> None:
    sent = {NotificationKind[name] for name in re.findall(r"NotificationKind\.(\w+)", SENT)}
    always = {NotificationKind.TRADE, NotificationKind.SYSTEM}
    async with market(tmp_path) as shown:
        shown.app.go_to("profile")
        await shown.until(lambda: shown.app.screen.query("#settings"))
        settings = shown.app.screen.query_one("#settings", OptionList)
        settings.highlighted = settings.get_option_index("switches")
        settings.action_select()
        await shown.until(lambda: isinstance(shown.app.screen, ChooseScreen))
        await shown.until(lambda: shown.app.screen.query(OptionList))
        offered = shown.app.screen.query_one(OptionList).options
        assert {option.id for option in offered} == sent - always
