import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from textual import events

from client_tui.core.drafts import Draft
from client_tui.core.errors import StorageFailed
from client_tui.screens.chat import ChatScreen
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.app.test_chat_writing import picture
from tests.client.core.fakes import ROOM
from tests.quiet import PATIENCE_S


@pytest.mark.parametrize("fails", [True, False])
async def test_what_the_disk_takes_slowly_is_not_lost_when_one_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        gate, put = asyncio.Event(), chat.link.outbox.put

        async def slow(*values: Any, **others: Any) -> Any:
            await gate.wait()
            if fails:
                raise StorageFailed("The disk is full.")
            return await put(*values, **others)

        monkeypatch.setattr(chat.link.outbox, "put", slow)
        await chat.write("do not lose me")
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))
        gate.set()
        await chat.app.workers.wait_for_complete(
            [worker for worker in chat.app.workers if worker.group == "send"]
        )
        await chat.pilot.pause()
        draft = await chat.link.outbox.drafts.read(ROOM)
        if fails:
            assert chat.toasts() == ["Not sent, and not lost: The disk is full."]
            assert draft.text == "do not lose me"
        else:
            await chat.until(lambda: chat.server.asked("send"))
            assert chat.toasts() == []
            assert not draft


async def edit_unsent(chat: Chat, *texts: str) -> None:
    """Write without a line, and edit the first."""
    chat.link.cut()
    for text in texts:
        await chat.write(text)
    await chat.until_shown(texts[-1])
    chat.select(-1)
    await chat.press("e")


async def test_a_message_does_not_go_while_it_is_edited_nor_what_is_behind_it(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await edit_unsent(chat, "first", "second")
        await chat.write(" and more", send=False)
        chat.link.connect()
        await chat.pilot.pause(0.1)
        assert chat.server.asked("send") == []
        await chat.pilot.press("enter")
        await chat.until(lambda: len(chat.server.asked("send")) == 2)
        assert [text for text, _ in chat.server.asked("send")] == ["first and more", "second"]


@pytest.mark.parametrize("keys", [["escape"], ["escape", "escape", "escape"]])
async def test_an_edit_that_is_left_lets_the_message_go(tmp_path: Path, keys: list[str]) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await edit_unsent(chat, "first")
        await chat.pilot.press("x", *keys)
        chat.link.connect()
        await chat.until(lambda: chat.server.asked("send") == [("first", False)])


async def test_a_message_that_is_edited_already_is_edited_on(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await edit_unsent(chat, "one")
        await chat.write(", better", send=False)
        chat.select(-1)
        await chat.press("e")
        assert chat.screen.composer.text == "one, better"


async def test_an_edit_that_comes_too_late_is_kept_as_a_new_message(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await chat.write("first")
        await chat.until_shown("first")
        await chat.write("a draft", send=False)
        chat.select(-1)
        await chat.press("e")
        await chat.write(", better", send=False)
        [waiting] = await chat.link.outbox.waiting()
        chat.link.outbox.release(waiting.cid)
        await chat.link.outbox.sending(waiting.cid)  # by another program on this machine
        await chat.pilot.press("enter")
        await chat.until(lambda: not chat.screen.editing and chat.toasts())
        await chat.until(lambda: chat.screen.composer.text == "first, better\na draft")


async def test_pictures_stay_with_the_draft(tmp_path: Path) -> None:
    one, two = picture(tmp_path, "one.png"), picture(tmp_path, "two.png")
    server = RoomServer(talk_of(3))
    async with open_chat(tmp_path, server) as chat:
        chat.app.post_message(events.Paste(f"{one} {two}"))
        await chat.until(lambda: len(chat.screen.attachments.files) == 2)
        await chat.write("look", send=False)
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))
        chat.app.open_chat(ROOM)
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen) and chat.screen.loaded)
        await chat.until(lambda: chat.screen.composer.text == "look")
        assert [file.path for file in chat.screen.attachments.files] == [one, two]
    two.unlink()
    async with open_chat(tmp_path, server) as chat:
        await chat.until(lambda: chat.screen.composer.text == "look")
        assert [file.path for file in chat.screen.attachments.files] == [one]
        assert chat.toasts() == [f"There is no file {two}."]


@pytest.mark.parametrize("away", ["nowhere", "to a dialog", "out of the chat"])
async def test_a_draft_that_a_full_disk_does_not_take_is_told_once_and_kept_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    tried = 0

    async def full(*_: object) -> None:
        nonlocal tried
        tried += 1
        raise StorageFailed("The disk is full.")

    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        drafts = chat.link.outbox.drafts
        monkeypatch.setattr(drafts, "save", full)
        await chat.write("hello", send=False)
        if away == "to a dialog":
            chat.screen.do_search()
        elif away == "out of the chat":
            chat.app.pop_screen()
        told = ["What you write is not kept: The disk is full."]
        await chat.until(lambda: chat.toasts() == told)
        if away == "nowhere":
            await chat.write(" again", send=False)
            await chat.until(lambda: tried > 1)
            assert chat.toasts() == told
            monkeypatch.undo()
            await chat.screen.keep_draft()
            assert (await drafts.read(ROOM)).text == "hello again"


async def test_what_is_typed_while_the_chat_opens_is_written(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))
        chat.app.open_chat(ROOM)
        for key in ["enter", *"zq hello zq"]:
            name = "space" if key == " " else key
            chat.app.post_message(events.Key(name, None if key == "enter" else key))
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen) and chat.screen.loaded)
        await chat.until(lambda: chat.screen.composer.text)
        assert chat.screen.composer.text == "zq hello zq"
        assert chat.toasts() == []


async def test_what_is_typed_while_the_draft_is_read_does_not_replace_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.write("begun before", send=False)
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))
        drafts, gate = chat.link.outbox.drafts, asyncio.Event()
        read, reading = drafts.read, asyncio.Event()

        async def slow(room_id: UUID) -> Draft:
            reading.set()
            await gate.wait()
            return await read(room_id)

        monkeypatch.setattr(drafts, "read", slow)
        chat.app.open_chat(ROOM)
        await asyncio.wait_for(reading.wait(), PATIENCE_S)
        chat.screen.composer.insert("now")
        gate.set()
        await chat.until(lambda: chat.screen.composer.text == "begun before\nnow")
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))
        assert (await read(ROOM)).text == "begun before\nnow"
