import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from client_tui.core.errors import StorageFailed
from client_tui.core.kept_photos import KeptPhotos
from client_tui.core.outbox import Outbox, OutboxPhoto
from tests.client.core.fakes import ROOM


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    outbox = await Outbox(tmp_path / "data" / "outbox.db", photo_bytes_max=100).open()
    yield outbox
    await outbox.close()


def picture(folder: Path, content: bytes = b"pixels", name: str = "chair.jpg") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def copies(folder: Path) -> list[Path]:
    return [path for path in (folder / "data" / "outbox-photos").rglob("*") if path.is_file()]


async def test_a_picture_is_still_there_when_its_file_is_gone(
    outbox: Outbox, tmp_path: Path
) -> None:
    chosen = picture(tmp_path)
    await outbox.put(ROOM, "look", [chosen, chosen])
    chosen.unlink()
    [waiting] = await outbox.waiting()
    assert [photo.path.read_bytes() for photo in waiting.photos] == [b"pixels"] * 2
    assert [photo.path.name for photo in waiting.photos] == ["chair.jpg"] * 2
    assert [photo.origin for photo in waiting.photos] == [chosen] * 2
    assert {path.stat().st_mode & 0o077 for path in copies(tmp_path)} == {0}


async def test_copies_go_with_their_message(outbox: Outbox, tmp_path: Path) -> None:
    sent = await outbox.put(ROOM, "", [picture(tmp_path)])
    discarded = await outbox.put(ROOM, "", [picture(tmp_path)])
    assert len(copies(tmp_path)) == 2
    await outbox.done(sent.cid)
    await outbox.discard(discarded.cid)
    assert copies(tmp_path) == []


async def test_where_there_is_no_room_for_a_copy_the_file_itself_is_named(
    outbox: Outbox, tmp_path: Path
) -> None:
    first = picture(tmp_path, b"x" * 60, "first.jpg")
    second = picture(tmp_path, b"x" * 60, "second.jpg")
    gone = tmp_path / "gone.jpg"
    waiting = await outbox.put(ROOM, "", [first, second, gone])
    assert [photo.path == photo.origin for photo in waiting.photos] == [False, True, True]
    assert waiting.photos[1:] == (OutboxPhoto(second), OutboxPhoto(gone))
    assert sum(path.stat().st_size for path in copies(tmp_path)) == 60


async def test_copies_are_made_while_those_of_others_go(tmp_path: Path) -> None:
    kept, chosen = KeptPhotos(tmp_path / "kept"), picture(tmp_path)

    async def keep_and_drop() -> None:
        for _ in range(50):
            cid = uuid4()
            await kept.keep(cid, [chosen] * 3)
            await kept.drop(cid)

    await asyncio.gather(*(keep_and_drop() for _ in range(6)))


async def test_what_could_not_be_written_leaves_no_copy(outbox: Outbox, tmp_path: Path) -> None:
    await outbox._database.run(lambda db: db.execute("PRAGMA max_page_count = 1").fetchall())
    with pytest.raises(StorageFailed, match="full"):
        await outbox.put(ROOM, "x" * 200_000, [picture(tmp_path)])
    assert copies(tmp_path) == []


async def test_strays_of_a_program_that_was_killed_are_removed_later(
    outbox: Outbox, tmp_path: Path
) -> None:
    waiting = await outbox.put(ROOM, "", [picture(tmp_path)])
    kept = waiting.photos[0].path
    folders = kept.parents[2]
    for name in ("stray", "young"):
        picture_of_nobody = folders / name / "0"
        picture_of_nobody.mkdir(parents=True)
        picture(picture_of_nobody)
    for old in (folders / "stray", folders / str(waiting.cid)):
        os.utime(old, (0, 0))
    again = await Outbox(tmp_path / "data" / "outbox.db").open()
    await again.close()
    assert sorted(path.parents[1].name for path in copies(tmp_path)) == sorted(
        ["young", str(waiting.cid)]
    )


async def test_strays_that_go_while_one_looks_for_them_do_no_harm(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await outbox.put(ROOM, "", [picture(tmp_path)])
    look = Path.iterdir

    def see_one_that_goes(folder: Path) -> Iterator[Path]:
        yield folder / "gone"
        yield from look(folder)

    monkeypatch.setattr(Path, "iterdir", see_one_that_goes)
    again = await Outbox(tmp_path / "data" / "outbox.db").open()
    await again.close()
    assert len(copies(tmp_path)) == 1


async def test_messages_of_a_version_without_copies_are_read(outbox: Outbox) -> None:
    waiting = await outbox.put(ROOM, "hello")
    number = uuid4()
    photos = f'[["/a.jpg", "{number}"], ["/b.jpg", null]]'
    await outbox._database.run(
        lambda db: db.execute("UPDATE message SET photos = ?", (photos,)).fetchall()
    )
    [again] = await outbox.waiting()
    assert again.cid == waiting.cid
    assert again.photos == (OutboxPhoto(Path("/a.jpg"), number), OutboxPhoto(Path("/b.jpg")))
