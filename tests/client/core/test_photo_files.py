import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from client_tui.core.photos import PhotoFiles
from shared_models.media import Photo


def picture(number: int) -> Photo:
    return Photo(
        id=UUID(int=number),
        width=1,
        height=1,
        placeholder="",
        thumb_url=f"/v1/photos/{number}/thumb",
        full_url=f"/v1/photos/{number}/full",
    )


def bytes_in(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.iterdir())


async def test_a_picture_is_fetched_once_even_when_asked_for_twice_at_once(tmp_path: Path) -> None:
    fetched = []

    async def fetch(url: str) -> bytes:
        fetched.append(url)
        return b"pixels"

    photos = PhotoFiles(tmp_path, fetch, bytes_max=1000)
    first, second = await asyncio.gather(
        photos.get(picture(1), "thumb"), photos.get(picture(1), "thumb")
    )
    third = await photos.get(picture(1), "thumb")
    assert first == second == third
    assert first.read_bytes() == b"pixels"
    assert fetched == ["/v1/photos/1/thumb"]


async def test_a_picture_is_fetched_once_even_when_looking_for_it_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []
    looked = 0
    found_out = threading.Event()

    async def fetch(url: str) -> bytes:
        fetched.append(url)
        return b"pixels"

    def look(path: Path) -> None:
        nonlocal looked
        looked += 1
        held = looked == 2
        try:
            os_utime(path)
        finally:
            if held:
                assert found_out.wait(timeout=30)

    os_utime = os.utime
    monkeypatch.setattr(os, "utime", look)
    photos = PhotoFiles(tmp_path, fetch, bytes_max=1000)
    both = [asyncio.create_task(photos.get(picture(1), "thumb")) for _ in range(2)]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    found_out.set()
    await asyncio.gather(*both)
    assert fetched == ["/v1/photos/1/thumb"]


async def test_pictures_stay_within_their_bytes_and_the_least_used_go_first(
    tmp_path: Path,
) -> None:
    async def fetch(url: str) -> bytes:
        return b"x" * 100

    photos = PhotoFiles(tmp_path, fetch, bytes_max=300)
    paths = [await photos.get(picture(number), "full") for number in (1, 2, 3)]
    await photos.get(picture(1), "full")
    newest = await photos.get(picture(4), "full")
    assert [path.exists() for path in (*paths, newest)] == [True, False, True, True]
    again = PhotoFiles(tmp_path, fetch, bytes_max=300)
    await again.get(picture(5), "full")
    assert bytes_in(tmp_path) <= 300


async def test_a_picture_that_goes_while_one_looks_what_there_is_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another window drops it, or has just begun to write it under a name for the meantime."""

    async def fetch(url: str) -> bytes:
        return b"pixels"

    look = os.scandir

    @contextmanager
    def see_one_that_goes(folder: Path) -> Iterator[list[os.DirEntry[str]]]:
        gone = folder / "gone"
        gone.touch()
        with look(folder) as entries:
            found = list(entries)
        gone.unlink()
        yield found

    monkeypatch.setattr(os, "scandir", see_one_that_goes)
    photos = PhotoFiles(tmp_path, fetch, bytes_max=1000)
    assert (await photos.get(picture(1), "full")).read_bytes() == b"pixels"


async def test_a_picture_that_cannot_be_fetched_is_asked_for_again_next_time(
    tmp_path: Path,
) -> None:
    answers: list[bytes | Exception] = [ConnectionError("gone"), b"pixels"]

    async def fetch(url: str) -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    photos = PhotoFiles(tmp_path, fetch, bytes_max=300)
    with pytest.raises(ConnectionError):
        await photos.get(picture(1), "full")
    assert (await photos.get(picture(1), "full")).read_bytes() == b"pixels"


async def test_a_picture_the_person_left_before_it_came_does_no_harm(tmp_path: Path) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def fetch(url: str) -> bytes:
        asked.set()
        await answer.wait()
        return b"pixels"

    photos = PhotoFiles(tmp_path, fetch, bytes_max=300)
    waiting = asyncio.create_task(photos.get(picture(1), "full"))
    await asked.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    answer.set()
    assert (await photos.get(picture(1), "full")).read_bytes() == b"pixels"
