from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from textual.widgets import Input, Select, Static, TextArea

from client_tui.core.errors import ServerUnreachable
from client_tui.core.uploads import Outcome
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.sell import SellScreen
from client_tui.screens.sell_preview import SellPreviewScreen
from client_tui.widgets.photo_strip import PhotoStrip
from client_tui.widgets.photo_upload import PhotoUpload
from client_tui.widgets.ticks import Tick
from server.app.demo.pictures import listing_pictures
from shared_models.listings import Listing
from tests.client.app.test_sell import Desk, write
from tests.client.app.test_without_a_server import Shown, market
from tests.snapshots import scene


@asynccontextmanager
async def form(
    home: Path, listing: Listing | None = None
) -> AsyncIterator[tuple[Shown, Desk, SellScreen]]:
    async with market(home) as shown:
        desk, api = Desk(shown.link), shown.link.api
        anything: Any = api
        anything.create_listing, anything.update_listing = desk.create, desk.update
        shown.link.uploader = desk  # type: ignore[assignment]
        shown.app.animation_level = "none"
        shown.app.sell(listing)
        await shown.until(lambda: isinstance(shown.app.screen, SellScreen))
        screen = shown.app.screen
        assert isinstance(screen, SellScreen)
        await shown.until(lambda: screen._saved is not None)
        yield shown, desk, screen


async def preview(shown: Shown) -> SellPreviewScreen:
    await shown.pilot.press("f2")
    await shown.until(lambda: isinstance(shown.app.screen, SellPreviewScreen))
    screen = shown.app.screen
    assert isinstance(screen, SellPreviewScreen)
    await shown.until(lambda: said(screen, "#listing-facts"))
    return screen


def said(screen: SellPreviewScreen, where: str) -> str:
    return str(screen.query_one(where, Static).visual)


async def test_the_form_is_shown_as_buyers_will_see_it_and_is_there_afterwards(
    tmp_path: Path,
) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        write(screen)
        screen.query_one("#category Select", Select).value = "furniture"
        screen.query_one("#condition Select", Select).value = "good"
        screen.query_one("#method Select", Select).value = "both"
        screen.query_one("#negotiable", Tick).value = True
        path = tmp_path / "chair.jpg"
        path.write_bytes(b"any")
        desk.photo = [Outcome(path, scene.photo(1))]
        screen.add_photos([path])
        await shown.until(lambda: screen.query_one(PhotoUpload).is_mounted)
        desk.photo_open.set()
        await shown.until(lambda: screen.query_one(PhotoUpload).photo)
        area = screen.query_one(TextArea)
        area.focus()
        await shown.pilot.pause()
        before, scrolled = screen._form(), screen.query_one("#sell").scroll_y
        assert "f2 preview" in shown.footer

        seen = await preview(shown)
        title, price, choices, _ = said(seen, "#listing-facts").split("\n")
        assert title == "Oak chair"
        assert "45,000" in price
        assert "negotiable   ● selling" in price
        assert choices.startswith("Furniture · good · meet or post · Mapo")
        assert said(seen, "#listing-text") == "A good chair, as it was."
        assert said(seen, "#listing-seller") == "sold by Jun @jun   ★ 38.2"
        assert said(seen, "#sell-preview-note") == "preview: nobody sees this yet"
        strip = seen.query_one(PhotoStrip)
        assert strip.display
        assert list(strip._photos) == [scene.photo(1)]
        assert seen.query_one("#listing-seller").region.bottom < 24, "all of it on one screen"

        await shown.pilot.press("escape")
        assert shown.app.screen is screen
        assert screen._form() == before
        assert screen.focused is area
        assert screen.query_one("#sell").scroll_y == scrolled
        assert "selling" not in [fields.get("state") for _, fields in desk.asked]


async def test_what_is_missing_is_said(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, _, _screen):
        seen = await preview(shown)
        assert "(no title yet)" in said(seen, "#listing-facts")
        assert "no price yet" in said(seen, "#listing-facts")
        note = said(seen, "#sell-preview-note")
        assert note.startswith("preview: nobody sees this yet\nStill to do: ")
        for missing in ("Choose a price.", "Choose a category.", "Add at least one photo."):
            assert missing in note
        assert not seen.query_one(PhotoStrip).display
        await shown.pilot.press("f2")
        assert isinstance(shown.app.screen, SellScreen)


@pytest.mark.parametrize("price", ["a lot", "-1", "9" * 30])
async def test_a_price_that_is_none_is_something_to_do(tmp_path: Path, price: str) -> None:
    async with form(tmp_path) as (shown, _, screen):
        write(screen, price=price)
        seen = await preview(shown)
        assert "no price yet" in said(seen, "#listing-facts")
        assert "price" in said(seen, "#sell-preview-note").lower()
        assert "Choose a category." in said(seen, "#sell-preview-note")
        await shown.pilot.press("escape")
        assert screen.query_one("#price Input", Input).value == price


async def test_photos_that_are_not_uploaded_are_drawn_from_their_files(tmp_path: Path) -> None:
    picture = listing_pictures(Random(1), "chair", "oak", 1, "1")[0]
    path = tmp_path / "chair.jpg"
    path.write_bytes(picture.data)
    async with form(tmp_path) as (shown, desk, screen):
        desk.photo = [Outcome(path, error=ServerUnreachable("http://server", "cut"))]
        screen.add_photos([path])
        await shown.until(lambda: screen.query_one(PhotoUpload).is_mounted)
        seen = await preview(shown)
        assert "Some photos are still on their way." in said(seen, "#sell-preview-note")
        strip, pictures = seen.query_one(PhotoStrip), shown.link.pictures
        await shown.until(lambda: (path, strip._columns, 8) in pictures._drawn)
        picture_row = pictures.draw_local(path, strip._columns, 8)[0]
        assert [*strip.render_line(0)][:4] == [*picture_row][:4]
        await shown.pilot.press("escape")
        desk.photo_open.set()
        await shown.until(lambda: screen.query_one(PhotoUpload).failed)
        seen = await preview(shown)
        assert "A photo has failed. Retry it, or remove it." in said(seen, "#sell-preview-note")


async def test_a_change_of_what_is_for_sale_is_seen_before_it_is_saved(tmp_path: Path) -> None:
    own = scene.listing(1, mine=True)
    async with form(tmp_path, own) as (shown, desk, screen):
        screen.query_one("#price Input", Input).value = "0"
        seen = await preview(shown)
        facts = said(seen, "#listing-facts")
        assert "free" in facts
        assert "◐ reserved" in facts
        assert f"♡ {own.like_count}" in facts or f"♥ {own.like_count}" in facts
        assert len(seen.query_one(PhotoStrip)._photos) == 3
        await shown.pilot.press("ctrl+q")
        await shown.until(lambda: shown.app.screen is not seen)
        assert desk.asked == []


async def test_another_part_of_the_market_is_reached_with_the_draft_saved(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        write(screen)
        await preview(shown)
        await shown.pilot.press("g", "b")
        await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))
        assert desk.asked[-1][1]["title"] == "Oak chair"
