"""The list of blocked people."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from textual.widgets import OptionList, Static

from client_tui.screens.blocked import BlockedScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.person import PersonScreen
from client_tui.screens.profile import ProfileScreen
from client_tui.widgets.retry_row import RetryRow
from shared_models.base import Page
from tests.client.app.test_without_a_server import GONE, Shown, market
from tests.snapshots import scene


class Blocks:
    """Whom the server says one blocks; ``paged`` has the first person on a page of its own."""

    def __init__(self, shown: Shown, *, paged: bool = False) -> None:
        api: Any = shown.link.moving
        api.blocks, api.unblock = self.read, self.unblock
        self.api = api
        self.people = scene.blocked()
        self.paged = paged

    async def read(self, *, cursor: str | None = None, **_: Any) -> Page[Any]:
        if cursor is None and self.paged:
            return Page(items=self.people[:1], next_cursor="rest")
        self.api.check()
        rest = [card for card in self.people if card.id != scene.TOM.id]
        return Page(items=rest if self.paged else self.people, next_cursor=None)

    async def unblock(self, account_id: UUID) -> None:
        self.api.check()
        self.people = [card for card in self.people if card.id != account_id]


def front(shown: Shown) -> BlockedScreen:
    assert isinstance(shown.app.screen, BlockedScreen)
    return shown.app.screen


def has(shown: Shown, people: int) -> bool:
    return len(front(shown).entries) == people


def note(shown: Shown) -> str:
    note = front(shown).query_one("#list-note", Static)
    return str(note.visual) if note.display else ""


def drawn(shown: Shown) -> str:
    rows = front(shown)._compositor.render_strips(front(shown).size)
    return "\n".join(row.text for row in rows)


async def open_list(shown: Shown) -> None:
    shown.app.go_to("profile")
    await shown.until(lambda: isinstance(shown.app.screen, ProfileScreen))
    await shown.pilot.press("B")
    await shown.until(lambda: isinstance(shown.app.screen, BlockedScreen))


async def answer(shown: Shown, key: str) -> None:
    await shown.pilot.press("u")
    await shown.until(lambda: isinstance(shown.app.screen, ConfirmScreen))
    await shown.pilot.press(key)
    await shown.until(lambda: isinstance(shown.app.screen, BlockedScreen))


async def test_the_settings_lead_to_the_list_of_blocked_people(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        Blocks(shown)
        shown.app.go_to("profile")
        await shown.until(lambda: shown.app.screen.query("#settings"))
        settings = shown.app.screen.query_one("#settings", OptionList)
        settings.highlighted = settings.get_option_index("blocked")
        settings.action_select()
        await shown.until(lambda: isinstance(shown.app.screen, BlockedScreen))
        await shown.until(lambda: has(shown, 3))
        await shown.until(lambda: "Tom Reyes  @tom_r" in drawn(shown))
        assert "★ 36.5" in drawn(shown)
        assert "Deleted account  " in drawn(shown)
        assert drawn(shown).count("★") == 2, "a deleted account has no score"


async def test_somebody_is_unblocked_after_a_question_and_leaves_the_list(
    tmp_path: Path,
) -> None:
    async with market(tmp_path) as shown:
        blocks = Blocks(shown)
        await open_list(shown)
        await shown.until(lambda: has(shown, 3))
        await answer(shown, "n")
        assert len(blocks.people) == 3
        for left in (2, 1, 0):
            await answer(shown, "y")
            await shown.until(partial(has, shown, left))
        assert blocks.people == []
        assert note(shown).startswith("You block nobody.")
        await shown.pilot.press("u")
        assert shown.toasts()[-1] == "There is nobody here."


async def test_unblocking_without_a_server_is_said_and_changes_nothing(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        blocks = Blocks(shown)
        await open_list(shown)
        await shown.until(lambda: has(shown, 3))
        shown.link.moving.gone = True
        await answer(shown, "y")
        await shown.until(lambda: shown.toasts() == [str(GONE)])
        assert len(front(shown).entries) == len(blocks.people) == 3


async def test_the_list_is_read_again_when_one_comes_back_from_a_profile(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        blocks = Blocks(shown)
        await open_list(shown)
        await shown.until(lambda: has(shown, 3))
        await shown.pilot.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, PersonScreen))
        blocks.people = blocks.people[1:]
        await shown.pilot.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, BlockedScreen))
        await shown.until(lambda: has(shown, 2))


async def test_a_list_that_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        Blocks(shown)
        shown.link.moving.gone = True
        await open_list(shown)
        await shown.until(lambda: str(GONE) in note(shown))
        shown.link.moving.gone = False
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: has(shown, 3))
        assert note(shown) == ""
        await shown.until(lambda: front(shown).focused is front(shown).entries)


async def test_a_further_page_that_fails_has_a_row_that_tries_again(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        blocks = Blocks(shown, paged=True)
        blocks.api.gone = True
        await open_list(shown)
        await shown.until(lambda: front(shown).query_one(RetryRow).display)
        assert len(front(shown).entries) == 1
        blocks.api.gone = False
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: has(shown, 3))
        assert not front(shown).query_one(RetryRow).display


async def test_nobody_is_said_to_be_blocked_only_once_all_pages_are_read(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        blocks = Blocks(shown, paged=True)
        blocks.api.gone = True
        await open_list(shown)
        await shown.until(lambda: front(shown).query_one(RetryRow).display)
        blocks.api.gone = False
        await answer(shown, "y")
        await shown.until(lambda: note(shown) == "One moment…")
        assert front(shown).query_one(RetryRow).display
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: has(shown, 2))
        assert note(shown) == ""
