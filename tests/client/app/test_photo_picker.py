from pathlib import Path

from textual.app import App
from textual.widgets import Select

from client_tui.screens.photo_picker import PhotoPicker

NAME = "\x1b]0;owned\x07\x1b[2Jchair.jpg"


async def test_names_of_files_command_nothing_and_are_still_chosen(tmp_path: Path) -> None:
    folder = tmp_path / "\x1b[31m[b]photos"
    folder.mkdir()
    (folder / NAME).touch()
    (folder / "notes.txt").touch()
    app: App[None] = App()
    picked: list[Path | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(PhotoPicker(folder), picked.append)
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        drawn = "\n".join(
            strip.text for strip in app.screen._compositor.render_strips(app.screen.size)
        )
        assert "chair.jpg" in drawn
        assert "[b]photos" in drawn
        assert "notes.txt" not in drawn
        assert not app.screen.query(Select), "there is one kind of files to choose"
        assert "\x1b" not in drawn
        await pilot.press("down", "enter")
        await pilot.pause()
        assert picked == [folder / NAME]
