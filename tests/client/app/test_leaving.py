"""A chat is left: it is off the list, its past is gone from here, and a message brings it back."""

from pathlib import Path
from typing import Any

from client_tui.screens.chat import ChatScreen
from client_tui.screens.chats import ChatsScreen
from client_tui.screens.confirm import ConfirmScreen
from shared_models.chat import ChatroomDetail
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.core.fakes import OTHER, ROOM
from tests.snapshots import scene


def changed(chat: Chat, **fields: Any) -> ChatroomDetail:
    """What the stream says of the room now."""
    detail = chat.server.detail().model_copy(update=fields)
    chat.link.event(detail, "chatroom.changed")
    return detail


async def leave(chat: Chat, answer: str = "y") -> None:
    await chat.press("X")
    await chat.until(lambda: isinstance(chat.app.screen, ConfirmScreen))
    await chat.pilot.press(answer)


async def test_a_chat_is_left_after_a_question_and_is_off_the_list(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(30), unread=2)) as chat:
        assert chat.link.store.unread_total() == 2
        await leave(chat)
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen | ConfirmScreen))
        assert chat.server.asked("leave") == [(ROOM,)]
        assert chat.link.store.rooms_by_activity() == []
        assert chat.link.store.unread_total() == 0
        assert await chat.link.cache.messages(ROOM) == []


async def test_who_says_no_stays(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await leave(chat, "n")
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen))
        assert chat.server.asked("leave") == []


async def test_a_new_message_brings_it_back_without_its_past(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(30))) as chat:
        changed(chat, left=True)
        note = chat.screen.query_one("#chat-note")
        await chat.until(lambda: "You left this chat" in str(note.render()))
        assert not chat.screen.history.display
        del chat.server.log[:30]
        chat.server.fields["last_seq"] = 31
        back = talk_of(31)[30].model_copy(update={"text": "are you there?", "sender_id": OTHER})
        chat.server.log.append(back)
        chat.link.event(back)
        changed(chat, left=False)
        await chat.until_shown("are you there?")
        assert not chat.row("word 30")
        assert [room.id for room in chat.link.store.rooms_by_activity()] == [ROOM]


async def test_copies_from_before_one_left_are_not_shown_again(tmp_path: Path) -> None:
    talk = talk_of(31)
    server = RoomServer(talk[30:], last_seq=31)
    async with open_chat(tmp_path, server, copies=talk[:30]) as chat:
        await chat.until_shown("word 31")
        assert not chat.row("word 30")


async def test_a_chat_with_an_open_trade_says_why_it_cannot_be_left(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.link.store.put_trade(scene.trade().model_copy(update={"chatroom_id": ROOM}))
        await chat.press("X")
        await chat.until(lambda: chat.toasts() == ["Finish or cancel the trade first."])


async def test_what_still_waits_is_asked_for_first(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await chat.write("later")
        await chat.until_shown("later")
        await chat.press("X")
        await chat.until(lambda: "still wait here" in " ".join(chat.toasts()))
        assert isinstance(chat.app.screen, ChatScreen)


async def test_it_can_be_left_from_the_list(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.app.push_screen(ChatsScreen())
        await chat.until(lambda: isinstance(chat.app.screen, ChatsScreen))
        await chat.until(lambda: len(chat.app.screen.rooms) == 1)  # type: ignore[attr-defined]
        await chat.pilot.press("X")
        await chat.until(lambda: isinstance(chat.app.screen, ConfirmScreen))
        await chat.pilot.press("y")
        await chat.until(lambda: chat.server.asked("leave") == [(ROOM,)])
        note = chat.app.screen.query_one("#no-rooms")
        await chat.until(lambda: note.display)
