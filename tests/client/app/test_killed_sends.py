"""A program that is killed while it sends what the composer held: it is there once, not twice."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from client_tui.core.outbox import Outbox
from client_tui.core.paths import Paths
from tests.client.app.test_chat_writing import picture
from tests.client.core.fakes import ME, ROOM

SENDER = """
import asyncio, os, signal, sys
from pathlib import Path
from client_tui.core.kept_photos import KeptPhotos
from client_tui.link import Link
from tests.client.app.chat_room import open_chat
from tests.client.app.room_server import RoomServer, talk_of

def be_killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

async def send():
    folder, moment, *photos = sys.argv[1:]
    async with open_chat(Path(folder), RoomServer(talk_of(3)), online=False) as chat:
        chat.screen.attach_photos([Path(photo) for photo in photos])
        await chat.until(lambda: len(chat.screen.attachments.files) == len(photos))
        await chat.write("only once", send=False)
        await chat.screen.keep_draft()
        if moment == "its pictures are copied":
            KeptPhotos._keep = be_killed
        else:
            Link.recount_queue = be_killed
        await chat.pilot.press("enter")
        await asyncio.Event().wait()

asyncio.run(send())
"""


def send_until_killed(folder: Path, moment: str, *photos: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SENDER, str(folder), moment, *map(str, photos)],
        cwd=Path(__file__).parents[3],
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL


def outbox_in(folder: Path) -> Outbox:
    paths = Paths(folder / "config", folder / "data", folder / "cache")
    return Outbox(paths.outbox_file(ME))


@pytest.mark.parametrize("moment", ["its pictures are copied", "it is written"])
async def test_what_was_being_sent_is_in_the_outbox_and_no_draft_any_more(
    tmp_path: Path, moment: str
) -> None:
    photos = [picture(tmp_path, "one.png")] if moment == "its pictures are copied" else []
    send_until_killed(tmp_path, moment, *photos)
    outbox = await outbox_in(tmp_path).open()
    assert [waiting.text for waiting in await outbox.waiting()] == ["only once"]
    assert not await outbox.drafts.read(ROOM)
    await outbox.close()


async def test_pictures_that_were_not_copied_are_copied_at_the_next_start(tmp_path: Path) -> None:
    chosen = [picture(tmp_path, "one.png"), picture(tmp_path, "two.png")]
    content = [path.read_bytes() for path in chosen]
    send_until_killed(tmp_path, "its pictures are copied", *chosen)
    await (await outbox_in(tmp_path).open()).close()
    for path in chosen:
        path.unlink()
    outbox = await outbox_in(tmp_path).open()
    [waiting] = await outbox.waiting()
    assert [photo.origin for photo in waiting.photos] == chosen
    assert [photo.path.read_bytes() for photo in waiting.photos] == content
    await outbox.close()
