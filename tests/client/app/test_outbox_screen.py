"""The outbox screen: all that waits, of all rooms, and what can be done about it."""

from pathlib import Path
from uuid import UUID

from client_tui.core.outbox import OutboxState
from client_tui.screens.chat import ChatScreen
from client_tui.screens.outbox import OutboxScreen
from shared_models.realtime import Err
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.core.fakes import room

ELSEWHERE = UUID(int=5)


async def open_outbox(chat: Chat) -> OutboxScreen:
    chat.app.open_outbox()
    await chat.until(lambda: isinstance(chat.app.screen, OutboxScreen))
    screen = chat.app.screen
    assert isinstance(screen, OutboxScreen)
    await chat.until(lambda: len(screen.waiting) or screen.query_one("#nothing-waits").display)
    return screen


def rows(screen: OutboxScreen) -> list[str]:
    shown = screen.waiting
    drawn = [shown.render_line(y).text.strip(" ▌") for y in range(shown.size.height)]
    return [row for row in drawn if row]


async def write_everywhere(chat: Chat) -> None:
    chat.link.store.put_room(room(id=ELSEWHERE))
    await chat.write("here")
    await chat.until_shown("here")
    await chat.link.send_message(ELSEWHERE, "there")
    await chat.write("here again")
    await chat.until_shown("here again")


async def test_it_shows_what_waits_in_all_rooms_in_order(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await write_everywhere(chat)
        screen = await open_outbox(chat)
        said = [row for row in rows(screen) if "queued · offline" in row]
        assert [row.split("  ")[0] for row in said] == ["here", "there", "here again"]
        assert "3 queued" in chat.app.status_cell().plain


async def test_it_empties_itself_when_the_line_is_back(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await write_everywhere(chat)
        screen = await open_outbox(chat)
        chat.link.connect()
        await chat.until(lambda: screen.query_one("#nothing-waits").display)
        assert chat.server.asked("send")[0] == ("here", False)
        assert len(chat.server.asked("send")) == 3
        assert chat.link.queued_count == 0


async def test_one_is_discarded_there_and_gone_from_its_chat(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await write_everywhere(chat)
        screen = await open_outbox(chat)
        await chat.pilot.press("x", "y")
        await chat.until(lambda: len(screen.waiting) == 2)
        await chat.pilot.press("escape")
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen))
        assert [one.message.text for one in chat.screen.conversation.all_waiting()] == [
            "here again"
        ]


async def test_one_is_edited_in_its_chat(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await write_everywhere(chat)
        await open_outbox(chat)
        await chat.pilot.press("down", "down", "e")
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen) and chat.screen.editing)
        assert chat.screen.composer.text == "here again"
        chat.screen.composer.text = "here for good"
        await chat.pilot.press("enter")
        await chat.until_shown("here for good")
        texts = [one.text for one in await chat.link.outbox.waiting()]
        assert texts == ["here", "there", "here for good"]


async def test_one_of_a_room_that_is_not_open_is_edited_too(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await write_everywhere(chat)
        await open_outbox(chat)
        await chat.pilot.press("down", "e")
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen) and chat.screen.editing)
        assert chat.screen.room_id == ELSEWHERE
        assert chat.screen.composer.text == "there"


async def test_a_failed_one_says_why_and_is_sent_again(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        blocked = Err(id="1", code="message_blocked", retryable=False, detail="No links here.")
        chat.line.answer = lambda cid, text: blocked
        await chat.write("www.example.com")
        await chat.until(lambda: "failed" in chat.row("www.example.com"))
        screen = await open_outbox(chat)
        assert rows(screen)[1].endswith("failed · No links here.")
        chat.line.answer = lambda cid, text: None
        await chat.pilot.press("r")
        await chat.until(lambda: screen.query_one("#nothing-waits").display)
        assert chat.server.log[-1].text == "www.example.com"


async def test_what_is_on_its_way_can_be_changed_no_more(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await write_everywhere(chat)
        first = (await chat.link.outbox.waiting())[0]
        await chat.link.outbox.sending(first.cid)
        screen = await open_outbox(chat)
        assert screen.selected() is not None
        await chat.pilot.press("x")
        await chat.until(lambda: chat.toasts() == ["It may have been sent already."])
        assert (await chat.link.outbox.waiting())[0].state is OutboxState.SENDING
