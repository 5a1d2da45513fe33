"""Keys as they are shown and as they work: remapped, in text fields, and without a keyboard."""

from functools import partial
from pathlib import Path

import pytest
from textual.widgets import Button, Input

from client_tui.screens.browse import BrowseScreen
from client_tui.screens.chat import ChatScreen
from client_tui.screens.help import HelpScreen
from client_tui.screens.jump import JumpScreen
from client_tui.screens.listing import ListingScreen
from client_tui.screens.outbox import OutboxScreen
from client_tui.screens.trades import TradesScreen
from client_tui.widgets.chat_header import ChatHeader
from client_tui.widgets.key_bar import KeyBar
from client_tui.widgets.top_bar import TopBar
from tests.client.app.chat_room import RoomServer, open_chat, talk_of
from tests.client.app.test_chat_deals import offered
from tests.client.app.test_without_a_server import Shown, market
from tests.snapshots import scene

CONFIG = """
[keys]
"composer.send" = ["ctrl+g"]
"chat.offer" = ["O"]
"browse.likes" = ["9"]
"sell.publish" = ["f5"]
"chat.nope" = ["z"]
"""


@pytest.fixture
def own_keys(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(CONFIG)


def is_in_front(shown: Shown, kind: type) -> bool:
    return isinstance(shown.app.screen, kind)


async def help_text(shown: Shown) -> str:
    await shown.until(lambda: isinstance(shown.app.screen, HelpScreen))
    await shown.pilot.pause()
    rows = shown.app.screen._compositor.render_strips(shown.app.screen.size)
    return "\n".join(row.text for row in rows)


@pytest.mark.usefixtures("own_keys")
async def test_remapped_keys_work_and_are_shown(tmp_path: Path) -> None:
    server = RoomServer(talk_of(3), allowed_actions=["send", "offer"])
    async with open_chat(tmp_path, server) as chat:
        assert any("there is no action chat.nope" in toast for toast in chat.toasts())
        assert "ctrl+g send" in chat.screen.query_one(KeyBar).render().plain
        assert chat.screen.query_one(ChatHeader).deal == "esc O makes an offer"
        await chat.write("one")
        assert chat.screen.composer.text == "one\n", "enter is an ordinary key now"
        await chat.pilot.press("ctrl+g")
        await chat.until(lambda: chat.server.asked("send"))
        await chat.press("o")
        assert isinstance(chat.app.screen, ChatScreen)
        assert "O offer" in chat.screen.query_one(KeyBar).render().plain
        await chat.pilot.press("O")
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))


@pytest.mark.usefixtures("own_keys")
async def test_the_form_names_the_keys_of_this_machine(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        shown.app.sell()
        await shown.until(lambda: shown.app.screen.query("#publish"))
        labels = [str(button.label) for button in shown.app.screen.query(Button)]
        assert "Put up for sale (f5)" in labels


async def test_a_card_says_how_one_gets_to_its_keys(tmp_path: Path) -> None:
    async with open_chat(tmp_path, offered("accept", "decline")) as chat:
        await chat.until(lambda: "esc a accept   d decline" in chat.row("accept"))
        chat.screen.history.focus()
        await chat.until(lambda: "esc a accept" not in chat.row("accept"))
        assert "    a accept   d decline" in chat.row("accept")


async def test_the_footer_has_no_letters_where_one_types(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        assert shown.footer.endswith("g go  ? help")
        await shown.pilot.press("slash")
        await shown.until(lambda: shown.footer.endswith("esc back  f1 help"))
        assert "enter to the list" in shown.footer
        assert "c chat" not in shown.footer
        await shown.pilot.press("f1")
        assert "Keys · browse" in await help_text(shown)
        await shown.pilot.press("escape", "escape")
        await shown.until(lambda: shown.footer.endswith("g go  ? help"))
        shown.app.sell()
        await shown.until(lambda: isinstance(shown.app.screen.focused, Input))
        await shown.until(lambda: shown.footer.endswith("esc back  f1 help"))


async def test_help_shows_how_it_is_closed_on_a_small_terminal(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.press("question_mark")
        await chat.until(lambda: isinstance(chat.app.screen, HelpScreen))
        await chat.pilot.pause()
        hint = chat.app.screen.query_one(".dialog-hint")
        assert hint.region.bottom <= 23


async def test_everything_can_be_reached_by_mouse(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:

        async def click(text: str) -> None:
            bar = shown.app.screen.query_one(KeyBar)
            await shown.pilot.click(KeyBar, offset=(bar.render().plain.index(text) + 1, 0))

        for dialog, text in ((JumpScreen, "g go"), (HelpScreen, "? help")):
            await click(text)
            await shown.until(partial(is_in_front, shown, dialog))
            await shown.pilot.click(offset=(1, 1))
            await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))
        await click("s sort")
        await shown.pilot.pause()
        await shown.pilot.click(offset=(1, 1))
        await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))
        for way_back in (TopBar, KeyBar):
            shown.app.open_listing(scene.cards()[0].id)
            await shown.until(lambda: getattr(shown.app.screen, "listing", None))
            await shown.pilot.pause()
            if way_back is TopBar:
                await shown.pilot.click(TopBar, offset=(1, 0))
            else:
                await click("esc back")
            await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))


async def test_a_long_listing_scrolls_with_the_keys_of_lists(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        await shown.pilot.press("enter")
        await shown.until(lambda: getattr(shown.app.screen, "listing", None))
        column = shown.app.screen.query_one("#listing")
        await shown.pilot.resize_terminal(80, 12)
        await shown.until(lambda: column.max_scroll_y > 3)
        await shown.pilot.press("j", "j")
        await shown.until(lambda: column.scroll_offset.y == 2)
        await shown.pilot.press("k")
        await shown.until(lambda: column.scroll_offset.y == 1)
        await shown.pilot.press("G")
        await shown.until(lambda: column.scroll_offset.y == column.max_scroll_y)
        await shown.pilot.press("g", "g")
        await shown.until(lambda: column.scroll_offset.y == 0)
        assert isinstance(shown.app.screen, ListingScreen)


async def test_the_title_is_cut_to_the_width_the_terminal_has_now(tmp_path: Path) -> None:
    fields = {"title": "아이패드 미니 6세대 64GB 스페이스그레이, 케이스와 펜슬까지 포함한 세트"}
    card = scene.cards()[2].model_copy(update=fields)
    async with market(tmp_path) as shown:
        shown.link.store.put_room(scene.room(1, listing=card))
        room = scene.room(1, listing=card)

        async def read(room_id: object) -> object:
            return room

        shown.link.moving.room = read  # type: ignore[method-assign]
        await shown.pilot.resize_terminal(60, 24)
        shown.app.open_chat(scene.ROOM)
        await shown.until(lambda: is_in_front(shown, ChatScreen) and shown.app.screen.query(TopBar))
        title = shown.app.screen.query_one(TopBar)
        await shown.until(lambda: "…" in title.title)
        await shown.pilot.resize_terminal(140, 24)
        await shown.until(lambda: "포함한 세트" in title.title)


async def test_g_then_a_letter_goes_there(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        await shown.pilot.press("g", "t")
        await shown.until(lambda: isinstance(shown.app.screen, TradesScreen))
        await shown.pilot.press("g", "o")
        await shown.until(lambda: isinstance(shown.app.screen, OutboxScreen))
