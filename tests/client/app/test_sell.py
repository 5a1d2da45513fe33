import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual import events
from textual.widgets import Input, Static, TextArea

from client_tui.app import PickyApp
from client_tui.core.errors import ServerUnreachable
from client_tui.core.uploads import Outcome, Phase, Progress
from client_tui.screens import sell
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.listing import ListingScreen
from client_tui.screens.sell import SellScreen
from client_tui.widgets.field import ErrorLine, Field
from client_tui.widgets.photo_upload import PhotoUpload
from shared_models.listings import Listing
from shared_models.market import Limits
from tests.client.app.test_without_a_server import MovingLink, Shown
from tests.quiet import PATIENCE_S
from tests.snapshots import scene


class Desk:
    """Takes listings and photos, when the test lets it."""

    def __init__(self, link: MovingLink) -> None:
        self.link = link
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.keys: set[Any] = set()
        self.open = asyncio.Event()
        self.open.set()
        self.photo: list[Outcome] = []
        self.photo_open = asyncio.Event()
        self.listing: Listing | None = None

    async def create(self, form: Any, *, key: Any = None) -> Listing:
        return await self._take("create", form.model_dump(), key=key)

    async def update(self, listing_id: Any, patch: Any, *, version: int) -> Listing:
        return await self._take("update", patch.model_dump(exclude_unset=True))

    async def _take(self, name: str, fields: dict[str, Any], key: Any = None) -> Listing:
        self.asked.append((name, fields))
        self.keys.add(key)
        await self.open.wait()
        self.link.moving.check()
        state = fields.get("state") or (self.listing.state if self.listing else "draft")
        self.listing = scene.listing(6, mine=True, state=state, title=fields["title"])
        return self.listing

    async def upload(self, purpose: Any, paths: list[Path], tell: Any) -> list[Outcome]:
        tell(Progress(0, paths[0], Phase.SENDING, 40, 100))
        await self.photo_open.wait()
        self.photo_open.clear()
        return [self.photo.pop(0)]


@asynccontextmanager
async def form(home: Path) -> AsyncIterator[tuple[Shown, Desk, SellScreen]]:
    link = MovingLink(home)
    app = PickyApp(link)
    async with app.run_test(size=(80, 40), notifications=True) as pilot:
        shown, desk = Shown(app, link, pilot), Desk(link)
        await shown.until(lambda: app.screen.query("#cards") and len(browse(app).cards))
        api: Any = link.api
        api.create_listing, api.update_listing = desk.create, desk.update
        link.uploader = desk  # type: ignore[assignment]
        app.sell()
        # It may ask at once whether to go on with what is on the disk.
        await shown.until(lambda: any(one.is_mounted for one in sell_screens(app)))
        [screen] = sell_screens(app)
        await pilot.pause()
        yield shown, desk, screen


def browse(app: PickyApp) -> BrowseScreen:
    assert isinstance(app.screen, BrowseScreen)
    return app.screen


def sell_screens(app: PickyApp) -> list[SellScreen]:
    return [one for one in app.screen_stack if isinstance(one, SellScreen)]


def write(screen: SellScreen, title: str = "Oak chair", price: str = "45,000") -> None:
    screen.query_one("#title Input", Input).value = title
    screen.query_one("#price Input", Input).value = price
    screen.query_one(TextArea).text = "A good chair, as it was."


async def test_two_quick_presses_publish_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sell, "DRAFT_PAUSE_S", 60.0)
    async with form(tmp_path) as (shown, desk, screen):
        write(screen)
        desk.open.clear()
        await shown.pilot.press("ctrl+s", "ctrl+s")
        desk.open.set()
        await shown.until(lambda: isinstance(shown.app.screen, ListingScreen))
        assert [(name, fields["state"]) for name, fields in desk.asked] == [("create", "selling")]


async def test_publishing_while_the_draft_is_being_made_publishes_that_draft(
    tmp_path: Path,
) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        write(screen)
        desk.open.clear()
        await shown.until(lambda: desk.asked)
        await shown.pilot.press("ctrl+s")
        desk.open.set()
        await shown.until(lambda: isinstance(shown.app.screen, ListingScreen))
        assert [(name, fields["state"]) for name, fields in desk.asked] == [
            ("create", "draft"),
            ("update", "selling"),
        ]


async def test_leaving_saves_what_was_written_while_an_older_draft_is_being_saved(
    tmp_path: Path,
) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        write(screen)
        desk.open.clear()
        await shown.until(lambda: desk.asked)
        write(screen, title="Oak chair, pair")
        await shown.pilot.press("escape")
        desk.open.set()
        await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))
        assert [fields["title"] for _, fields in desk.asked] == ["Oak chair", "Oak chair, pair"]


async def test_a_draft_that_can_not_be_saved_is_not_thrown_away_unasked(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        write(screen)
        shown.link.lose()
        await shown.pilot.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, ConfirmScreen))
        await shown.pilot.press("n")
        assert shown.app.screen is screen
        await shown.pilot.press("ctrl+q")
        await shown.until(lambda: isinstance(shown.app.screen, ConfirmScreen))
        await shown.pilot.press("n")
        shown.link.find()
        await shown.pilot.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))
        assert desk.listing is not None
        assert desk.listing.title == "Oak chair"
        assert len(desk.keys) == 1, "the same form after a lost answer is the same request"


async def test_nothing_written_is_nothing_to_save(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, desk, _):
        await shown.pilot.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))
        assert desk.asked == []


async def test_a_price_that_is_none_keeps_the_draft_on_the_screen(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        write(screen, price="a lot")
        await shown.pilot.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, ConfirmScreen))
        assert desk.asked == []


async def test_a_failed_photo_is_retried_and_holds_publishing_back_until_then(
    tmp_path: Path,
) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        write(screen)
        path = tmp_path / "chair.jpg"
        failed = ServerUnreachable("http://server", "cut")
        desk.photo = [Outcome(path, error=failed), Outcome(path, scene.photo(1))]
        screen.add_photos([path])
        await shown.pilot.press("ctrl+s")
        await shown.until(lambda: "still on their way" in photo_error(screen))
        desk.photo_open.set()
        await shown.until(lambda: screen.query(PhotoUpload).first().failed)
        await shown.pilot.press("ctrl+s")
        await shown.until(lambda: "has failed" in photo_error(screen))
        assert "selling" not in [fields.get("state") for _, fields in desk.asked]
        upload = screen.query_one(PhotoUpload)
        upload.post_message(PhotoUpload.Retried(upload))
        desk.photo_open.set()
        await shown.until(lambda: upload.photo is not None)
        await shown.pilot.press("ctrl+s")
        await shown.until(lambda: isinstance(shown.app.screen, ListingScreen))
        assert desk.asked[-1][1]["photo_ids"] == [scene.photo(1).id]


def photo_error(screen: SellScreen) -> str:
    return str(screen.query_one("#photo_ids", Field).query_one(ErrorLine).visual)


async def test_a_file_dropped_while_one_writes_is_a_photo_and_no_text(tmp_path: Path) -> None:
    path = tmp_path / "chair.jpg"
    path.write_bytes(b"any")
    async with form(tmp_path) as (shown, _, screen):
        for field in (screen.query_one("#title Input", Input), screen.query_one(TextArea)):
            field.focus()
            await shown.pilot.pause()
            shown.app.post_message(events.Paste(str(path)))
            await shown.pilot.pause()
        await shown.until(lambda: len(screen.query(PhotoUpload)) == 2)
        assert screen.query_one("#title Input", Input).value == ""
        assert screen.query_one(TextArea).text == ""
        screen.query_one("#title Input", Input).focus()
        await shown.pilot.pause()
        shown.app.post_message(events.Paste("words"))
        await shown.until(lambda: screen.query_one("#title Input", Input).value == "words")


async def test_a_photo_that_is_ready_before_its_row_is_drawn_is_shown_ready(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        path, known = tmp_path / "chair.png", scene.photo(1)
        Image.new("RGB", (8, 6), "orange").save(path)
        desk.photo = [Outcome(path, known)]
        desk.photo_open.set()
        upload = PhotoUpload(path=path)
        screen._photo_list.mount(upload)
        await screen._send(upload)
        assert not upload.is_mounted, "the row is not there yet"
        await shown.until(lambda: upload.is_mounted)
        words = str(upload.query_one(".photo-name", Static).visual)
        assert words.startswith("chair.png  ready")
        assert shown.link.pictures._uploaded[known.id] == path, "it need not be fetched"


async def test_a_draft_that_was_not_saved_is_saved_when_the_line_is_back(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        shown.link.lose()
        write(screen)
        await shown.until(lambda: "draft not saved" in screen.heading())
        shown.link.find()
        await shown.until(lambda: "draft saved" in screen.heading())
        assert desk.listing is not None


async def test_who_types_on_and_on_has_the_draft_saved_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sell, "DRAFT_MOST_S", 0.0)
    monkeypatch.setattr(sell, "DRAFT_PAUSE_S", 0.3)
    async with form(tmp_path) as (shown, desk, screen):
        title = screen.query_one("#title Input", Input)
        async with asyncio.timeout(PATIENCE_S):
            while not desk.asked:
                title.value = f"{title.value[:40]}a"
                await shown.pilot.pause(0.02)


async def test_a_form_outlives_its_terminal_and_is_offered_again(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        shown.link.lose()
        write(screen)
        await shown.until(lambda: "draft not saved" in screen.heading())
    async with form(tmp_path) as (shown, desk, screen):
        await shown.until(lambda: isinstance(shown.app.screen, ConfirmScreen))
        await shown.pilot.press("y")
        title = screen.query_one("#title Input", Input)
        await shown.until(lambda: title.value == "Oak chair")
        assert screen.query_one(TextArea).text == "A good chair, as it was."
        await shown.until(lambda: "draft saved" in screen.heading())
        assert [name for name, _ in desk.asked] == ["create"]
        assert await shown.link.outbox.drafts.read_form("new") is None


async def test_while_it_is_being_published_it_says_so(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        write(screen)
        desk.open.clear()
        await shown.pilot.press("ctrl+s")
        await shown.until(lambda: "saving…" in screen.heading())
        desk.open.set()
        await shown.until(lambda: isinstance(shown.app.screen, ListingScreen))


async def test_the_form_says_the_limits_of_this_market(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, _, _screen):
        await shown.pilot.press("escape")
        await shown.until(lambda: not sell_screens(shown.app))
        limits = Limits(description_publish_min=25, description_max=1_500, title_max=30)
        strict = shown.link.market.model_copy(update={"limits": limits})
        shown.link.store.market = strict
        shown.app.sell()
        await shown.until(lambda: shown.app.screen.query("#description .field-label"))
        label = shown.app.screen.query_one("#description .field-label", Static)
        assert str(label.visual) == "description (25 to 1,500 characters)"
        assert shown.app.screen.query_one("#title Input", Input).max_length == 30
