"""Photos of a message on their way: each has its own progress, and one may be tried again."""

from pathlib import Path

from PIL import Image
from textual import events

from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of


async def attach(chat: Chat, directory: Path, *names: str) -> None:
    paths = [directory / name for name in names]
    for path in paths:
        Image.new("RGB", (64, 48), "orange").save(path)
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
