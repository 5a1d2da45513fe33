import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from client_tui.core.drafts import Draft
from client_tui.core.errors import NotEditable, StorageFailed
from client_tui.core.outbox import Outbox, OutboxPhoto, OutboxState
from tests.client.core.fakes import ROOM

OTHER_ROOM = UUID(int=99)


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    outbox = await Outbox(tmp_path / "outbox.db").open()
    yield outbox
    await outbox.close()


async def test_messages_leave_a_room_in_the_order_they_were_written(outbox: Outbox) -> None:
    for text in ("one", "two"):
        await outbox.put(ROOM, text)
    await outbox.put(OTHER_ROOM, "elsewhere")
    assert [waiting.text for waiting in await outbox.waiting(ROOM)] == ["one", "two"]
    assert set(await outbox.rooms()) == {ROOM, OTHER_ROOM}
    first = await outbox.next(ROOM)
    assert first is not None
    assert first.text == "one"
    await outbox.done(first.cid)
    second = await outbox.next(ROOM)
    assert second is not None
    assert second.text == "two"


async def test_everything_is_there_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "outbox.db"
    outbox = await Outbox(path).open()
    sent = await outbox.put(ROOM, "한국어", [Path("/pictures/a.jpg")], confirmed=True)
    await outbox.sending(sent.cid)
    await outbox.drafts.save(ROOM, Draft("half a thou", (Path("/pictures/b.jpg"),)))
    await outbox.close()

    again = await Outbox(path).open()
    [waiting] = await again.waiting()
    assert (waiting.cid, waiting.text, waiting.confirmed) == (sent.cid, "한국어", True)
    assert waiting.photos == (OutboxPhoto(Path("/pictures/a.jpg")),)
    assert waiting.state is OutboxState.SENDING
    assert await again.drafts.read(ROOM) == Draft("half a thou", (Path("/pictures/b.jpg"),))
    await again.close()


async def test_a_queued_message_may_be_edited_and_discarded(outbox: Outbox) -> None:
    waiting = await outbox.put(ROOM, "helo")
    edited = await outbox.edit(waiting.cid, "hello")
    assert (edited.text, edited.cid, edited.number) == ("hello", waiting.cid, waiting.number)
    await outbox.discard(waiting.cid)
    assert await outbox.waiting() == []


async def test_what_may_have_reached_the_server_can_no_longer_be_changed(outbox: Outbox) -> None:
    waiting = await outbox.put(ROOM, "hello")
    await outbox.sending(waiting.cid)
    for change in (
        lambda: outbox.edit(waiting.cid, "bye"),
        lambda: outbox.discard(waiting.cid),
        lambda: outbox.retry(waiting.cid),
    ):
        with pytest.raises(NotEditable):
            await change()
    assert [kept.text for kept in await outbox.waiting()] == ["hello"]


async def test_a_failed_message_stands_aside_until_it_is_tried_again(outbox: Outbox) -> None:
    bad, good = await outbox.put(ROOM, "bad"), await outbox.put(ROOM, "good")
    await outbox.sending(bad.cid)
    failed = await outbox.failed(bad.cid, "message_blocked", "No links here.")
    assert failed is not None
    assert (failed.state, failed.reason) == (OutboxState.FAILED, "No links here.")
    following = await outbox.next(ROOM)
    assert following is not None
    assert following.cid == good.cid
    again = await outbox.retry(bad.cid, confirmed=True)
    assert (again.state, again.code, again.reason, again.confirmed) == (
        OutboxState.QUEUED,
        None,
        None,
        True,
    )
    first = await outbox.next(ROOM)
    assert first is not None
    assert first.cid == bad.cid


async def test_a_message_that_was_discarded_meanwhile_is_not_sent(outbox: Outbox) -> None:
    waiting = await outbox.put(ROOM, "never mind")
    await outbox.discard(waiting.cid)
    assert await outbox.sending(waiting.cid) is None


async def test_uploaded_photos_are_remembered(outbox: Outbox) -> None:
    waiting = await outbox.put(ROOM, "", [Path("/a.jpg"), Path("/b.jpg")])
    photos = (OutboxPhoto(Path("/a.jpg"), uuid4()), OutboxPhoto(Path("/b.jpg")))
    await outbox.uploaded(waiting.cid, photos)
    [kept] = await outbox.waiting()
    assert kept.photos == photos


async def test_of_two_uploads_of_a_photo_the_first_is_sent(outbox: Outbox) -> None:
    waiting = await outbox.put(ROOM, "", [Path("/a.jpg")])
    first, second = (OutboxPhoto(Path("/a.jpg"), uuid4()) for _ in range(2))
    await outbox.uploaded(waiting.cid, [first])
    for late in second, OutboxPhoto(Path("/a.jpg"), failure="it was too slow"):
        await outbox.uploaded(waiting.cid, [late])
        [kept] = await outbox.waiting()
        assert kept.photos == (first,)


async def test_an_upload_is_forgotten_but_not_one_that_came_after_it(outbox: Outbox) -> None:
    waiting = await outbox.put(ROOM, "", [Path("/a.jpg")])
    first, second = (OutboxPhoto(Path("/a.jpg"), uuid4()) for _ in range(2))
    await outbox.uploaded(waiting.cid, [first])
    await outbox.forget_uploads(waiting.cid, [first])
    await outbox.uploaded(waiting.cid, [second])
    await outbox.forget_uploads(waiting.cid, [first])
    [kept] = await outbox.waiting()
    assert kept.photos == (second,)


async def test_an_empty_draft_is_forgotten(outbox: Outbox) -> None:
    await outbox.drafts.save(ROOM, Draft("hm"))
    await outbox.drafts.save(ROOM, Draft())
    assert not await outbox.drafts.read(ROOM)


async def test_a_message_is_on_disk_with_a_full_sync_before_put_returns(tmp_path: Path) -> None:
    outbox = await Outbox(tmp_path / "outbox.db").open()
    mode = await outbox._database.run(lambda db: db.execute("PRAGMA synchronous").fetchone()[0])
    await outbox.close()
    full = 2
    assert mode == full


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StorageFailed, match="newer version"):
        await Outbox(path).open()


async def test_a_full_disk_is_said_and_loses_nothing_written_before(outbox: Outbox) -> None:
    await outbox.put(ROOM, "before")
    await outbox._database.run(lambda db: db.execute("PRAGMA max_page_count = 1").fetchall())
    with pytest.raises(StorageFailed, match="full"):
        await outbox.put(ROOM, "x" * 200_000)
    assert [waiting.text for waiting in await outbox.waiting()] == ["before"]


WRITER = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from client_tui.core.outbox import Outbox

async def write():
    outbox = await Outbox(Path(sys.argv[1])).open()
    number = 0
    while True:
        number += 1
        message = await outbox.put(UUID(int=3), f"message {number}")
        if number % 3 == 0:
            await outbox.sending(message.cid)
        print(message.cid, flush=True)

asyncio.run(write())
"""


def write_until_killed(path: Path, after: int) -> list[str]:
    """Kill a writing program after so many messages; what it reported as written."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        written = [child.stdout.readline().strip() for _ in range(after)]
        child.send_signal(signal.SIGKILL)
        return written + child.stdout.read().split()


@pytest.mark.parametrize("after", [1, 7, 40])
async def test_no_message_is_lost_when_the_program_is_killed_while_writing(
    tmp_path: Path, after: int
) -> None:
    path = tmp_path / "outbox.db"
    written = write_until_killed(path, after)
    outbox = await Outbox(path).open()
    kept = await outbox.waiting()
    await outbox.close()
    assert [str(waiting.cid) for waiting in kept[: len(written)]] == written
    assert len(kept) <= len(written) + 1
    assert [waiting.text for waiting in kept] == [f"message {n + 1}" for n in range(len(kept))]


async def test_a_held_message_holds_the_rest_of_its_room_until_it_is_released(
    outbox: Outbox,
) -> None:
    first, _ = await outbox.put(ROOM, "one"), await outbox.put(ROOM, "two")
    await outbox.put(OTHER_ROOM, "elsewhere")
    await outbox.hold(first.cid)
    assert (await outbox.rooms(), await outbox.next(ROOM)) == ([OTHER_ROOM], None)
    assert await outbox.sending(first.cid) is None
    outbox.release(first.cid)
    assert await outbox.next(ROOM) == first
    await outbox.sending(first.cid)
    with pytest.raises(NotEditable):
        await outbox.hold(first.cid)


async def test_what_nobody_came_to_edit_is_not_held(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, message = asyncio.Event(), await outbox.put(ROOM, "one")

    async def slow(*_: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as disk:
        disk.setattr(outbox._database, "run", slow)
        holding = asyncio.create_task(outbox.hold(message.cid))
        await asked.wait()
        holding.cancel()
        await asyncio.wait([holding])
    assert await outbox.next(ROOM) == message


async def test_a_draft_that_the_disk_does_not_take_is_there_while_the_program_runs(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFailed("full")

    with monkeypatch.context() as disk:
        disk.setattr(outbox._database, "run", full)
        with pytest.raises(StorageFailed):
            await outbox.drafts.save(ROOM, Draft("precious"))
        assert await outbox.drafts.read(ROOM) == Draft("precious")
    await outbox.drafts.save(ROOM, Draft())
    assert not await outbox.drafts.read(ROOM)


async def test_a_message_takes_the_place_of_its_draft_wherever_that_was(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFailed("full")

    await outbox.drafts.save(ROOM, Draft("hello"))
    with monkeypatch.context() as disk:
        disk.setattr(outbox._database, "run", full)
        with pytest.raises(StorageFailed):
            await outbox.drafts.save(ROOM, Draft("hello you"))
        with pytest.raises(StorageFailed):
            await outbox.put(ROOM, "hello you", clears_draft=True)
        assert await outbox.drafts.read(ROOM) == Draft("hello you")
    await outbox.put(ROOM, "hello you", clears_draft=True)
    assert not await outbox.drafts.read(ROOM)
    await outbox.drafts.save(OTHER_ROOM, Draft("elsewhere"))
    await outbox.put(ROOM, "and you there", clears_draft=True)
    assert await outbox.drafts.read(OTHER_ROOM) == Draft("elsewhere")
