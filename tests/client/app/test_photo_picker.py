"""Pictures are chosen from folders: several at once, by keys, by mouse, by a name or a path."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Static

from client_tui.screens.photo_picker import PhotoPicker
from client_tui.widgets.picture_files import PictureFiles

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NAME = "\x1b]0;owned\x07\x1b[2Jchair.jpg"
Opened = tuple[Pilot[Any], list[list[Path] | None]]
Open = Callable[..., AbstractAsyncContextManager[Opened]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders, three pictures, a text, and a link that leads nowhere but to itself."""
    place = tmp_path / "photos"
    for name in "a-folder", "휴가":
        (place / name).mkdir(parents=True)
    for name in "chair.jpg", "table.png", "의자.webp", "notes.txt", ".hidden.jpg":
        (place / name).write_bytes(b"x" * 2000)
    (place / "휴가" / "sea.JPG").touch()
    (place / "gone.jpg").symlink_to("gone.jpg")
    return place


@pytest.fixture
def opened() -> Open:
    @asynccontextmanager
    async def opened(folder: Path | None, most: int = 3) -> AsyncIterator[Opened]:
        app: App[None] = App()
        answers: list[list[Path] | None] = []
        async with app.run_test(size=(80, 24)) as pilot:
            app.push_screen(PhotoPicker(most, NOW, folder), answers.append)
            await looked(pilot)
            yield pilot, answers

    return opened


async def looked(pilot: Pilot[Any]) -> None:
    """The folder has been read, which is done beside the app, and drawn."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def drawn(pilot: Pilot[Any]) -> str:
    screen = pilot.app.screen
    return "\n".join(strip.text for strip in screen._compositor.render_strips(screen.size))


def keys(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one("#picker-keys", Static).content)


def wrong(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one(".field-error", Static).content)


async def test_names_of_files_command_nothing_and_are_still_chosen(
    tmp_path: Path, opened: Open
) -> None:
    folder = tmp_path / "\x1b[31m[b]photos"
    folder.mkdir()
    (folder / NAME).touch()
    async with opened(folder) as (pilot, answers):
        assert "chair.jpg" in drawn(pilot)
        assert "[b]photos" in "".join(drawn(pilot).split()), "the path is whole, on as many lines"
        assert "\x1b" not in drawn(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert answers == [[folder / NAME]]


async def test_folders_and_pictures_are_listed_with_size(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, _):
        seen = drawn(pilot)
        assert "a-folder/" in seen
        assert "휴가/" in seen
        assert "chair.jpg" in seen
        assert "2 kB" in seen
        assert "notes.txt" not in seen
        assert "hidden" not in seen
        assert "gone" not in seen


async def test_several_are_marked_and_added_in_their_order(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, answers):
        await pilot.press("end", "space", "up", "space")
        assert "enter add 2 photos" in keys(pilot)
        assert drawn(pilot).count("●") == 2
        await pilot.press("up", "enter")
        await pilot.pause()
        assert answers == [[folder / "의자.webp", folder / "table.png"]]


async def test_a_mark_is_taken_away_again_and_a_folder_takes_none(
    folder: Path, opened: Open
) -> None:
    async with opened(folder) as (pilot, _):
        await pilot.press("end", "space", "space")
        assert "enter add ·" in keys(pilot)
        await pilot.press("home", "space")
        await pilot.pause()
        assert "●" not in drawn(pilot)


async def test_no_more_are_marked_than_there_is_place_for(folder: Path, opened: Open) -> None:
    async with opened(folder, 1) as (pilot, _):
        await pilot.press("end", "space", "up", "space")
        assert wrong(pilot) == "There is place for 1 photo."
        assert drawn(pilot).count("●") == 1


async def test_marks_stay_from_folder_to_folder(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, answers):
        await pilot.press("end", "space", "home", "down", "down", "enter")
        await looked(pilot)
        assert "sea.JPG" in drawn(pilot)
        await pilot.press("end", "space", "enter")
        await pilot.pause()
        assert answers == [[folder / "의자.webp", folder / "휴가" / "sea.JPG"]]


async def test_the_folder_above_has_the_cursor_where_one_came_from(
    folder: Path, opened: Open
) -> None:
    async with opened(folder / "휴가") as (pilot, _):
        await pilot.press("left")
        await looked(pilot)
        files = pilot.app.screen.query_one(PictureFiles)
        assert files.highlighted_path == folder / "휴가"


async def test_a_part_of_a_name_narrows_the_list(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, answers):
        await pilot.press("T", "A")
        await pilot.pause()
        assert "table.png" in drawn(pilot)
        assert "chair.jpg" not in drawn(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert answers == [[folder / "table.png"]]


async def test_what_is_not_there_is_said(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, answers):
        for path in "nothing", "~nobody/x", "x" * 5000, "/no/such.jpg", str(folder / "notes.txt"):
            pilot.app.screen.query_one(Input).value = path
            await pilot.pause()
            pilot.app.screen.query_one(Input).focus()
            await pilot.press("enter")
            await pilot.pause()
            assert wrong(pilot).startswith("There is no picture ")
        assert answers == []


async def test_a_path_is_gone_to_or_taken(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, answers):
        field = pilot.app.screen.query_one(Input)
        field.focus()
        field.value = str(folder / "휴가")
        await pilot.press("enter")
        await looked(pilot)
        assert "sea.JPG" in drawn(pilot)
        field.focus()
        field.value = str(folder / "chair.jpg")
        await pilot.press("enter")
        await pilot.pause()
        assert answers == [[folder / "chair.jpg"]]


async def test_a_click_marks_and_two_take(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, answers):
        await pilot.click(PictureFiles, offset=(5, 4))
        await pilot.pause()
        assert drawn(pilot).count("●") == 1
        await pilot.click(PictureFiles, offset=(5, 5), times=2)
        await pilot.pause()
        assert answers == [[folder / "chair.jpg", folder / "table.png"]]


async def test_two_clicks_take_a_marked_picture_too(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, answers):
        await pilot.press("end", "space")
        await pilot.click(PictureFiles, offset=(5, 6), times=2)
        await pilot.pause()
        assert answers == [[folder / "의자.webp"]]


async def test_what_is_taken_by_name_after_a_click_is_added_once(
    folder: Path, opened: Open
) -> None:
    async with opened(folder) as (pilot, answers):
        await pilot.click(PictureFiles, offset=(5, 4))
        await pilot.press("c", "h", "a", "i", "r", "enter")
        await pilot.pause()
        assert answers == [[folder / "chair.jpg"]]


async def test_an_empty_field_adds_what_is_marked(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, answers):
        await pilot.press("end", "space", "tab", "enter")
        await pilot.pause()
        assert answers == [[folder / "의자.webp"]]


async def test_one_more_by_its_path_is_refused_as_by_its_mark(folder: Path, opened: Open) -> None:
    async with opened(folder, 1) as (pilot, answers):
        await pilot.press("end", "space")
        field = pilot.app.screen.query_one(Input)
        field.focus()
        field.value = str(folder / "chair.jpg")
        await pilot.press("enter")
        await pilot.pause()
        assert wrong(pilot) == "There is place for 1 photo."
        assert answers == []


async def test_a_name_of_decomposed_letters_is_found(tmp_path: Path, opened: Open) -> None:
    (tmp_path / normalize("NFD", "의자.jpg")).touch()
    (tmp_path / "other.jpg").touch()
    async with opened(tmp_path) as (pilot, _):
        pilot.app.screen.query_one(Input).value = "의자"
        await pilot.pause()
        assert "other.jpg" not in drawn(pilot)
        assert pilot.app.screen.query_one(PictureFiles).highlighted_path is not None


async def test_a_folder_that_is_gone_is_said_and_one_stays(folder: Path, opened: Open) -> None:
    async with opened(folder) as (pilot, answers):
        (folder / "a-folder").rmdir()
        await pilot.press("home", "down", "enter")
        await looked(pilot)
        assert wrong(pilot).endswith("a-folder: no such file or directory")
        assert "chair.jpg" in drawn(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert answers == [None]


async def test_a_first_folder_that_is_gone_leaves_a_path_to_be_typed(
    folder: Path, opened: Open
) -> None:
    async with opened(folder / "gone") as (pilot, _):
        assert wrong(pilot).endswith("no such file or directory")
        field = pilot.app.screen.query_one(Input)
        field.focus()
        field.value = str(folder)
        await pilot.press("enter")
        await looked(pilot)
        assert "chair.jpg" in drawn(pilot)
