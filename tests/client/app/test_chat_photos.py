"""Photos of a message on their way: each has its own progress, and one may be tried again."""

from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image
from textual import events
from textual.widgets import OptionList

from client_tui.screens.choose import ChooseScreen
from client_tui.screens.viewer import ViewerScreen
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.chat_rows import message, photo
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.core.fakes import ME, OTHER


async def attach(chat: Chat, directory: Path, *names: str) -> None:
    paths = [directory / name for name in names]
    for path in paths:
        Image.new("RGB", (64, 48), "orange").save(path)
    if paths:
        chat.app.post_message(events.Paste(" ".join(map(str, paths))))
    await chat.until(lambda: len(chat.screen.attachments.files) == len(names))


async def test_only_the_photo_that_failed_is_sent_again(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), size=(100, 30)) as chat:
        chat.link.uploads.broken = {"two.png"}
        await attach(chat, tmp_path, "one.png", "two.png", "three.png")
        await chat.write("look")
        row = await chat.until_shown("%")
        assert [share in row for share in ("40 %", "60 %", "80 %")] == [True, True, True]
        assert chat.row("▀"), "the pictures themselves are there at once"
        chat.link.uploads.go.set()
        await chat.until(lambda: chat.row("✕ failed").count("ready") == 2)
        assert chat.row("the photo did not arrive")
        chat.link.uploads.broken = set()
        chat.select(-1)
        await chat.press("r")
        await chat.until(lambda: chat.server.asked("send"))
        first, again = chat.link.uploads.asked
        assert len(first) == 3
        assert len(again) == 1
        assert again[0].endswith("two.png")
        await chat.until(lambda: not any(chat.screen.conversation.all_waiting()))
        assert len(chat.server.log[-1].photos) == 3


async def test_a_photo_that_never_comes_through_is_taken_out_and_the_others_go(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), size=(100, 30)) as chat:
        chat.link.uploads.broken = {"two.png"}
        chat.link.uploads.go.set()
        await attach(chat, tmp_path, "one.png", "two.png")
        await chat.write("look")
        await chat.until_shown("✕ failed")
        chat.select(-1)
        await chat.until_shown("r retry   e edit   - photo out   x discard")
        await chat.press("minus")
        await chat.until(lambda: isinstance(chat.app.screen, ChooseScreen))
        options = chat.app.screen.query_one(OptionList)
        assert [str(option.prompt).strip() for option in options.options] == [
            "two.png · the photo did not arrive",
            "one.png",
        ]
        await chat.pilot.press("enter")
        await chat.until(lambda: not any(chat.screen.conversation.all_waiting()))
        assert len(chat.server.log[-1].photos) == 1
        assert chat.server.log[-1].text == "look"


async def test_which_photo_failed_is_known_when_the_chat_is_opened_again(tmp_path: Path) -> None:
    server = RoomServer(talk_of(3))
    async with open_chat(tmp_path, server, size=(100, 30)) as chat:
        chat.link.uploads.broken = {"two.png"}
        chat.link.uploads.go.set()
        await attach(chat, tmp_path, "one.png", "two.png")
        await chat.write("look")
        await chat.until_shown("✕ failed")
    async with open_chat(tmp_path, server, size=(100, 30)) as chat:
        row = await chat.until_shown("✕ failed")
        assert row.index("ready") < row.index("✕ failed")
        assert "waiting" not in row


@pytest.mark.parametrize(
    ("names", "text", "why"),
    [
        ([], "look", "There are no photos in it."),
        (["one.png"], "", "There is nothing else in it. x discards it."),
        (["one.png"], "look", None),
        (["one.png", "two.png"], "", None),
    ],
)
async def test_a_photo_is_taken_out_only_where_something_is_left(
    tmp_path: Path, names: list[str], text: str, why: str | None
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await attach(chat, tmp_path, *names)
        await chat.write(text)
        await chat.until(lambda: any(chat.screen.conversation.all_waiting()))
        await chat.pilot.pause()
        chat.select(-1)
        assert chat.screen.why_not("photo_out") == why


@pytest.mark.parametrize(("sender", "whose"), [(ME, "‹ me "), (OTHER, "‹ 민지 ")])
async def test_a_photo_without_words_has_the_name_of_who_sent_it(
    tmp_path: Path, sender: UUID, whose: str
) -> None:
    shown = message(4, sender=sender, photos=[photo(1)]).model_copy(update={"text": ""})
    async with open_chat(tmp_path, RoomServer([*talk_of(3), shown])) as chat:
        chat.select(4)
        await chat.press("enter")
        await chat.until(lambda: isinstance(chat.app.screen, ViewerScreen))
        assert chat.app.screen.heading().startswith(whose)  # type: ignore[attr-defined]
