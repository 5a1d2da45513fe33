"""Lists page by page: what is known already is passed over, what fails is tried again."""

from pathlib import Path
from typing import Any

import pytest

from client_tui.core.status import LineState, Status
from client_tui.screens.browse import BrowseScreen, Source
from client_tui.widgets.key_bar import KeyBar
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.virtual_list import VirtualList
from shared_models.base import Page
from tests.client.app.test_without_a_server import GONE, Shown, market
from tests.snapshots import scene


def row(shown: Shown) -> str:
    rows = [one for one in shown.app.screen.query(RetryRow) if one.display]
    return rows[0].render().plain if rows else ""


def names_of_list(shown: Shown) -> int:
    return len(shown.app.screen.query_one(VirtualList))


@pytest.mark.parametrize("place", ["trades", "notifications", "browse"])
async def test_a_further_page_that_fails_says_so_below_the_list_and_is_tried_again(
    tmp_path: Path, place: str
) -> None:
    async with market(tmp_path) as shown:
        items: dict[str, list[Any]] = {
            "trades": scene.trades(),
            "notifications": scene.notifications(),
            "browse": scene.cards(),
        }
        all_of, asked = items[place], []

        async def read(*_: Any, cursor: str | None = None, **__: Any) -> Page[Any]:
            asked.append(cursor)
            if cursor is None:
                return Page(items=all_of[:2], next_cursor="second")
            shown.link.moving.check()
            return Page(items=all_of, next_cursor=None)

        name = "listings" if place == "browse" else place
        setattr(shown.link.moving, name, read)
        shown.link.moving.gone = True
        if place == "browse":
            shown.app.screen.do_refresh()  # type: ignore[attr-defined]
        else:
            shown.app.go_to(place)
        await shown.until(lambda: str(GONE)[:30] in row(shown))
        assert row(shown).endswith("ctrl+r tries again")
        assert names_of_list(shown) == 2
        assert shown.toasts() == []
        shown.link.moving.gone = False
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: names_of_list(shown) == len(all_of))
        assert asked == [None, "second", "second"], "the list does not begin anew"
        assert row(shown) == ""


async def test_rooms_beyond_pages_of_known_rooms_are_found(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        known = [scene.room(number) for number in (1, 2, 3)]
        pages: dict[str | None, Page[Any]] = {
            None: Page(items=known[:2], next_cursor="2"),
            "2": Page(items=known[2:], next_cursor="3"),
            "3": Page(items=[scene.room(4)], next_cursor=None),
        }

        async def rooms(*, cursor: str | None = None, **_: Any) -> Page[Any]:
            return pages[cursor]

        shown.link.moving.rooms = rooms  # type: ignore[method-assign]
        await shown.pilot.press("g", "c")
        await shown.until(lambda: shown.app.screen.query("#rooms"))
        await shown.until(lambda: names_of_list(shown) == 4)


async def test_known_rooms_are_read_again_when_asked(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        await shown.pilot.press("g", "c")
        await shown.until(lambda: shown.app.screen.query("#rooms"))
        muted = scene.room(1).model_copy(update={"muted": True})

        async def rooms(**_: Any) -> Page[Any]:
            return Page(items=[muted], next_cursor=None)

        shown.link.moving.rooms = rooms  # type: ignore[method-assign]
        assert not shown.link.store.state.rooms[muted.id].muted
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: shown.link.store.state.rooms[muted.id].muted)


async def test_chats_that_are_not_here_yet_are_not_said_to_be_none(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        shown.link.store.clear()
        shown.link.status_changed(Status(LineState.CONNECTING))
        await shown.pilot.press("g", "c")
        await shown.until(lambda: shown.app.screen.query("#no-rooms"))

        def note() -> str:
            return str(shown.app.screen.query_one("#no-rooms").render())

        await shown.until(lambda: note() == "One moment…")
        shown.link.status_changed(Status(LineState.OFFLINE, 4.0, "the server was not reached"))
        await shown.until(lambda: "not here yet: the server was not reached" in note())
        assert "ctrl+r tries again" in note()


async def test_a_search_from_what_one_likes_goes_back_to_the_market(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        browse = shown.app.screen
        assert isinstance(browse, BrowseScreen)
        await shown.pilot.press("L")
        await shown.until(lambda: len(browse.cards) == 1)
        footer = browse.query_one(KeyBar).render()
        strikes = [span for span in footer.spans if "strike" in str(span.style)]
        greyed = [footer.plain[span.start : span.end] for span in strikes]
        assert greyed == ["f filter", "s sort"]
        await shown.pilot.press("f")
        assert shown.app.screen is browse
        assert "esc leads back" in shown.toasts()[-1]
        await shown.pilot.press("slash")
        await shown.until(lambda: len(browse.cards) == len(scene.cards()))
        assert browse._source is Source.MARKET
