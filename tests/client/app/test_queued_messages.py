import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from client_tui.core.errors import ServerUnreachable, StorageFailed
from client_tui.core.kept_photos import KeptPhotos
from client_tui.core.uploads import OnProgress, Outcome, Phase, Progress
from client_tui.screens.chat import ChatScreen
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.app.test_chat_writing import picture
from tests.client.core.fakes import ROOM


async def texts(chat: Chat) -> list[str]:
    return [waiting.text for waiting in await chat.link.outbox.waiting()]


async def test_a_message_is_not_edited_down_to_nothing(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await chat.write("hello")
        await chat.until_shown("hello")
        chat.select(-1)
        await chat.press("e")
        await chat.pilot.press("ctrl+u", "enter")
        assert chat.toasts() == ["There is nothing in it. esc leaves it as it was."]
        assert chat.screen.editing
        await chat.pilot.press("escape")
        await chat.until(lambda: not chat.screen.editing)
        assert chat.row("hello")


async def test_an_empty_one_of_an_earlier_time_is_drawn_and_can_be_discarded(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await chat.write("hello")
        await chat.until_shown("hello")
        [waiting] = await chat.link.outbox.waiting()
        await chat.link.queued_again(await chat.link.outbox.edit(waiting.cid, ""))
        await chat.until(lambda: not chat.row("hello"))
        assert chat.row("queued")
        chat.select(-1)
        await chat.press("x")
        await chat.pilot.press("y")
        await chat.until(lambda: not chat.row("queued"))


async def test_what_is_discarded_while_its_photo_goes_up_stays_away(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        sent = await chat.link.send_message(ROOM, "look", [picture(tmp_path, "one.png")])
        await chat.until_shown("sending")
        chat.select(-sent.number)
        await chat.press("x")
        await chat.pilot.press("y")
        await chat.until(lambda: not chat.row("look"))
        chat.link.progressed(sent, Progress(0, tmp_path, Phase.PROCESSING))
        await chat.pilot.pause()
        assert list(chat.screen.conversation.all_waiting()) == []


async def test_an_edit_outlives_the_progress_of_its_photo(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        sent = await chat.link.send_message(ROOM, "look", [picture(tmp_path, "one.png")])
        await chat.until_shown("sending")
        await chat.link.queued_again(await chat.link.outbox.edit(sent.cid, "look here"))
        chat.link.progressed(sent, Progress(0, tmp_path, Phase.PROCESSING))
        await chat.until_shown("look here")


async def test_photos_are_shown_at_once_and_keep_their_place_while_they_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, keep = asyncio.Event(), KeptPhotos.keep

    async def slow(*values: Any) -> list[Path]:
        await gate.wait()
        return await keep(*values)

    monkeypatch.setattr(KeptPhotos, "keep", slow)
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.link.uploads.go.set()
        chat.screen.attach_photos([picture(tmp_path, "one.png")])
        await chat.until(lambda: len(chat.screen.attachments.files) == 1)
        await chat.write("photos first")
        await chat.until_shown("photos first")
        await chat.write("ok")
        await chat.until_shown("ok")
        assert chat.server.asked("send") == []
        gate.set()
        await chat.until(lambda: len(chat.server.asked("send")) == 2)
        assert [text for text, _ in chat.server.asked("send")] == ["photos first", "ok"]


async def test_what_is_discarded_while_its_photo_is_copied_stays_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, keep = asyncio.Event(), KeptPhotos.keep

    async def slow(*values: Any) -> list[Path]:
        await gate.wait()
        return await keep(*values)

    monkeypatch.setattr(KeptPhotos, "keep", slow)
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.screen.attach_photos([picture(tmp_path, "one.png")])
        await chat.until(lambda: len(chat.screen.attachments.files) == 1)
        await chat.write("look")
        await chat.until_shown("look")
        chat.select(-1)
        await chat.press("x")
        await chat.pilot.press("y")
        await chat.until(lambda: not chat.row("look"))
        gate.set()
        await chat.app.workers.wait_for_complete(
            [worker for worker in chat.app.workers if worker.group == "send"]
        )
        await chat.pilot.pause()
        assert await texts(chat) == []
        assert list(chat.screen.conversation.all_waiting()) == []


async def test_up_goes_through_a_wrapped_text_before_it_leaves(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        composer = chat.screen.composer
        composer.focus()
        composer.insert("a text that fills more than one row " * 3)
        await chat.pilot.pause()
        assert composer.wrapped_document.height == 2
        await chat.pilot.press("up")
        assert composer.has_focus
        await chat.pilot.press("up")
        await chat.until(lambda: chat.screen.history.has_focus)


@pytest.mark.parametrize("away", ["to another", "out of the chat"])
async def test_an_edit_is_kept_when_one_goes_on_elsewhere(tmp_path: Path, away: str) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        for text in "one", "two":
            await chat.write(text)
            await chat.until_shown(text)
        chat.select(-2)
        await chat.press("e")
        await chat.write(" with a careful change", send=False)
        if away == "to another":
            chat.select(-1)
            await chat.press("e")
            await chat.until(lambda: chat.screen.composer.text == "one")
        else:
            chat.app.pop_screen()
            await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))
            await chat.pilot.pause()
        assert await texts(chat) == ["one", "two with a careful change"]


async def test_an_edit_that_a_full_disk_does_not_take_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StorageFailed("The disk is full.")

    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        for text in "one", "two":
            await chat.write(text)
            await chat.until_shown(text)
        chat.select(-1)
        await chat.press("e")
        await chat.write(" with a careful change", send=False)
        monkeypatch.setattr(chat.link.outbox, "edit", full)
        chat.app.pop_screen()
        told = ["The message stays as it was: The disk is full."]
        await chat.until(lambda: chat.toasts() == told)
        chat.link.connect()
        await chat.until(lambda: len(chat.server.asked("send")) == 2)


async def test_the_photos_of_an_older_message_stay_as_they_are(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await chat.write("hello")
        await chat.until_shown("hello")
        chat.select(-1)
        await chat.press("e")
        chat.screen.attach_photos([picture(tmp_path, "one.png")])
        only = "Only the text of an older message can be changed."
        await chat.until(lambda: chat.toasts() == [only])
        assert chat.screen.attachments.files == []


async def test_a_store_that_is_away_is_told_and_can_be_tried_at_once(tmp_path: Path) -> None:
    asked = []

    async def upload(_purpose: object, paths: Sequence[Path], tell: OnProgress) -> list[Outcome]:
        asked.append(paths)
        tell(Progress(0, paths[0], Phase.FAILED, reason="The photo store is away."))
        return [Outcome(paths[0], error=ServerUnreachable("The photo store", "away"))]

    async with open_chat(tmp_path, RoomServer(talk_of(3)), size=(80, 30)) as chat:
        chat.link.uploads.upload = upload  # type: ignore[method-assign, assignment]
        await chat.link.send_message(ROOM, "look", [picture(tmp_path, "one.png")])
        await chat.until_shown("The photo store is away. It is tried again.")
        assert "queued" in chat.row("✕")
        chat.select(-1)
        await chat.until_shown("r retry now   x discard")
        tries = len(asked)
        await chat.press("r")
        await chat.until(lambda: len(asked) > tries)
