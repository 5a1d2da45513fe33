import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from client_tui.app import PickyApp
from client_tui.core.errors import ServerUnreachable
from client_tui.core.status import LineState, Status
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.chat import ChatScreen
from client_tui.screens.listing import ListingScreen
from client_tui.themes import THEMES
from client_tui.widgets.key_bar import KeyBar
from client_tui.widgets.virtual_list import VirtualList
from tests.quiet import PATIENCE_S
from tests.snapshots import scene
from tests.snapshots.frozen import SERVER, FrozenApi, FrozenLink

GONE = ServerUnreachable(SERVER, "connection refused")
OFFLINE = Status(LineState.OFFLINE, 4.0)
CARD = scene.cards()[0]


class MovingApi(FrozenApi):
    """The frozen market, whose server comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = False
        self.liked: list[Any] = []

    def _page(self, items: list[Any]) -> Any:
        self.check()
        return super()._page(items)

    def check(self) -> None:
        if self.gone:
            raise GONE

    async def listing(self, listing_id: Any) -> Any:
        self.check()
        return await super().listing(listing_id)

    async def like(self, listing_id: Any) -> None:
        self.check()
        self.liked.append(listing_id)

    async def open_room(self, listing_id: Any) -> Any:
        return scene.room(1)


class MovingLink(FrozenLink):
    """A link whose server comes and goes."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.moving = MovingApi()
        self.retried = 0

    async def start(self) -> None:
        await super().start()
        self.api = self.moving  # type: ignore[assignment]
        self.session.retry_now = self._retried  # type: ignore[method-assign]

    def _retried(self) -> None:
        self.retried += 1

    def lose(self) -> None:
        self.moving.gone = True
        self.status_changed(OFFLINE)

    def find(self) -> None:
        self.moving.gone = False
        self.status_changed(Status(LineState.ONLINE))


class Shown:
    """The app on the screen."""

    def __init__(self, app: PickyApp, link: MovingLink, pilot: Pilot[Any]) -> None:
        self.app, self.link, self.pilot = app, link, pilot

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.pilot.pause(0.005)
        await self.pilot.pause()

    def toasts(self) -> list[str]:
        return [notice.message for notice in self.app._notifications]

    def note(self) -> str:
        note = self.app.screen.query("#browse-note, #listing-note").first(Static)
        return str(note.visual) if note.display else ""

    @property
    def footer(self) -> str:
        return self.app.screen.query_one(KeyBar).render().plain

    @property
    def stack(self) -> list[type]:
        return [type(one) for one in self.app.screen_stack]


@asynccontextmanager
async def market(home: Path) -> AsyncIterator[Shown]:
    link = MovingLink(home)
    app = PickyApp(link)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        shown = Shown(app, link, pilot)
        await shown.until(lambda: any(len(one) for one in app.screen.query(VirtualList)))
        yield shown


def front(shown: Shown) -> ListingScreen:
    assert isinstance(shown.app.screen, ListingScreen)
    return shown.app.screen


async def test_a_like_that_does_not_reach_the_server_is_said_and_the_app_lives(
    tmp_path: Path,
) -> None:
    async with market(tmp_path) as shown:
        shown.link.lose()
        await shown.pilot.press("l")
        await shown.until(lambda: shown.toasts() == [str(GONE)])
        shown.link.find()
        await shown.pilot.press("enter")
        await shown.until(lambda: front(shown).listing)
        shown.link.lose()
        await shown.pilot.press("l")
        await shown.until(lambda: shown.toasts() == [str(GONE), str(GONE)])


async def test_a_like_shows_at_once_in_the_list_behind_the_listing(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        browse = shown.app.screen
        assert isinstance(browse, BrowseScreen)
        await shown.pilot.press("enter")
        await shown.until(lambda: front(shown).listing)
        await shown.pilot.press("l")
        await shown.until(lambda: shown.link.moving.liked == [CARD.id])
        await shown.until(lambda: browse.cards.item(CARD.id.int).liked)
        assert browse.cards.item(CARD.id.int).like_count == CARD.like_count + 1


async def test_a_listing_that_was_seen_is_shown_without_a_server(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        await shown.pilot.press("enter")
        await shown.until(lambda: front(shown).listing)
        await shown.pilot.press("escape")
        shown.link.lose()
        await shown.pilot.press("enter")
        await shown.until(lambda: front(shown).listing)
        assert front(shown).heading().endswith("as it was when you last saw it")
        shown.link.find()
        await shown.until(lambda: not front(shown).heading().endswith("last saw it"))


async def test_what_could_not_be_read_is_read_when_the_server_is_back(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        shown.link.lose()
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: shown.toasts() == [str(GONE)])
        assert not shown.note(), "the list that is there stays"
        await shown.pilot.press("L")
        await shown.until(lambda: str(GONE) in shown.note())
        shown.link.find()
        await shown.until(lambda: not shown.note())


async def test_the_footer_has_the_key_that_tries_again_now(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        await shown.pilot.press("ctrl+r")
        assert shown.link.retried == 0
        assert "try now" not in shown.footer
        shown.link.lose()
        await shown.until(lambda: "ctrl+r try now" in shown.footer)
        await shown.pilot.press("ctrl+r")
        assert shown.link.retried == 1


async def test_a_listing_and_its_chat_lead_to_each_other_without_piling_up(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        await shown.pilot.press("enter")
        await shown.until(lambda: front(shown).listing)
        listing = front(shown)
        await shown.pilot.press("c", "c")
        await shown.until(lambda: isinstance(shown.app.screen, ChatScreen))
        await shown.pilot.pause()
        assert shown.stack.count(ChatScreen) == 1
        shown.app.open_listing(listing.listing_id)
        assert shown.app.screen is listing
        assert ChatScreen not in shown.stack


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_theme_draws_a_listing_in_all_its_parts(tmp_path: Path, theme: str) -> None:
    async with market(tmp_path) as shown:
        shown.app.use_theme(theme)
        await shown.pilot.press("enter")
        await shown.until(lambda: front(shown).listing)
        await shown.pilot.press("question_mark", "escape", "c")
        await shown.until(lambda: isinstance(shown.app.screen, ChatScreen))
        shown.link.lose()
        await shown.until(lambda: "ctrl+r try now" in shown.footer)
