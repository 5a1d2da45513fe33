from pathlib import Path
from typing import Any

from textual.widgets import Input

from client_tui.screens.chat import ChatScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.sell import SellScreen
from tests.client.app.chat_room import RoomServer, open_chat, talk_of
from tests.client.app.test_sell import form, write
from tests.client.app.test_without_a_server import Shown, market
from tests.client.core.fakes import ROOM
from tests.snapshots import scene


def chats_in(shown: Shown) -> list[ChatScreen]:
    return [one for one in shown.app._all_screens() if isinstance(one, ChatScreen)]


async def test_a_room_that_is_open_in_another_part_of_the_market_is_gone_back_to(
    tmp_path: Path,
) -> None:
    async with market(tmp_path) as shown:
        shown.app.open_chat(scene.ROOM)
        await shown.until(lambda: isinstance(shown.app.screen, ChatScreen))
        shown.app.go_to("trades")
        await shown.pilot.pause()
        shown.app.open_trade(scene.trade().id)
        await shown.pilot.pause()
        shown.app.open_chat(scene.ROOM)
        await shown.until(lambda: isinstance(shown.app.screen, ChatScreen))
        assert shown.app.current_mode == "browse"
        assert len(chats_in(shown)) == 1


async def test_an_edit_above_the_room_is_asked_about_before_going_back_to_it(
    tmp_path: Path,
) -> None:
    async with market(tmp_path) as shown:
        shown.app.open_chat(scene.ROOM)
        shown.app.sell(scene.listing(0, mine=True))
        sell = await sell_form(shown)
        sell.query_one("#title Input", Input).value = "Another title"
        shown.app.go_to("trades")
        await shown.pilot.pause()
        shown.app.open_chat(scene.ROOM)
        await shown.until(lambda: isinstance(shown.app.screen, ConfirmScreen))
        await shown.pilot.press("n")
        assert shown.app.screen is sell


async def sell_form(shown: Shown) -> SellScreen:
    def is_drawn() -> Any:
        screen = shown.app.screen
        return isinstance(screen, SellScreen) and screen._saved is not None

    await shown.until(is_drawn)
    assert isinstance(shown.app.screen, SellScreen)
    return shown.app.screen


async def test_leaving_asks_for_every_edit_also_behind_other_screens(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        shown.app.sell(scene.listing(0, mine=True))
        sell = await sell_form(shown)
        sell.query_one("#title Input", Input).value = "Another title"
        shown.app.go_to("trades")
        for leave in (shown.app.do_quit, shown.app.sign_out):
            shown.app.go_to("trades")
            await shown.pilot.pause()
            leave()
            await shown.until(lambda: isinstance(shown.app.screen, ConfirmScreen))
            await shown.pilot.press("n")
            assert shown.app.screen is sell, "one sees what would be lost"


async def test_leaving_saves_a_draft_behind_other_screens(tmp_path: Path) -> None:
    async with form(tmp_path) as (shown, desk, screen):
        await shown.until(lambda: screen._saved is not None)
        write(screen)
        shown.app.go_to("trades")
        await shown.pilot.pause()
        shown.app.do_quit()
        await shown.until(lambda: shown.app.return_value is not None or shown.app._exit)
        assert [fields["title"] for _, fields in desk.asked] == ["Oak chair"]


async def test_two_screens_of_a_room_go_on_with_the_same_draft(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        first = chat.screen
        await chat.write("on the first", send=False)
        second = ChatScreen(ROOM)
        chat.app.push_screen(second)
        await chat.until(lambda: second.is_mounted and second.composer.text == "on the first")
        await chat.write(" and more", send=False)
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: first.composer.text == "on the first and more")
        await chat.until(lambda: not second.is_running)
        assert "close" not in chat.line.opened, "the room is still looked at"
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: "close" in chat.line.opened)
        assert (await chat.link.outbox.drafts.read(ROOM)).text == "on the first and more"
