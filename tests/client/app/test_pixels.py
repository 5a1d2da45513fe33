"""Photos in real pixels: a stand-in takes the place of the optional package."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Static

import client_tui.app
from client_tui.app import PickyApp
from client_tui.pixels import BLOCKS, Pixels, find_pixels
from client_tui.screens.viewer import ViewerScreen
from client_tui.widgets.photo import PhotoView
from tests.client.app.chat_rows import photo
from tests.snapshots.frozen import FrozenLink

RED = (200, 30, 40)


class Sharp(Static):
    """Stands for a widget of the package; remembers its picture."""

    def __init__(self, image: Image.Image) -> None:
        super().__init__("pixels")
        self.image = image


class SharpSixel(Sharp):
    pass


class Unwilling(Sharp):
    def __init__(self, image: Image.Image) -> None:
        raise ValueError("not this one")


class RedFiles:
    """Every photo is a red file, twice as wide as high."""

    def __init__(self, directory: Path, content: bytes = b"") -> None:
        self._path = directory / "red.png"
        Image.new("RGB", (64, 32), RED).save(self._path)
        if content:
            self._path.write_bytes(content)

    async def get(self, photo: object, size: str) -> Path:
        return self._path


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process has a terminal on both sides."""
    outer, inner = os.openpty()
    with os.fdopen(outer, "wb", buffering=0), os.fdopen(inner, "rb", buffering=0) as stream:
        monkeypatch.setattr(sys, "__stdin__", stream)
        monkeypatch.setattr(sys, "__stdout__", stream)
        yield


def install(patch: pytest.MonkeyPatch, best: str, *, kitty: bool = False) -> None:
    """The package is there, and finds ``best`` to be what the terminal knows."""
    package, widget, renderable, tgp = (
        ModuleType(f"textual_image{name}")
        for name in ("", ".widget", ".renderable", ".renderable.tgp")
    )
    for module in (package, widget, renderable, tgp):
        patch.setitem(sys.modules, module.__name__, module)
    kinds = {name: type(name, (), {}) for name in ("SixelImage", "TGPImage", "HalfcellImage")}
    vars(renderable).update(kinds, Image=kinds[best])
    vars(widget).update(SixelImage=SharpSixel, TGPImage=Sharp, get_cell_size=lambda: (10, 20))
    vars(tgp).update(query_terminal_support=lambda: kitty)


def uninstall(patch: pytest.MonkeyPatch) -> None:
    """The package is not there."""
    patch.setitem(sys.modules, "textual_image", None)
    patch.setitem(sys.modules, "textual_image.widget", None)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("way", "best", "kitty", "widget"),
    [
        ("auto", "SixelImage", False, SharpSixel),
        ("auto", "TGPImage", False, Sharp),
        ("auto", "HalfcellImage", False, None),
        ("kitty", "TGPImage", False, Sharp),
        ("kitty", "SixelImage", True, Sharp),
        ("kitty", "SixelImage", False, None),
        ("sixel", "SixelImage", False, SharpSixel),
        ("sixel", "HalfcellImage", False, None),
    ],
)
def test_the_setting_and_the_terminal_choose(
    monkeypatch: pytest.MonkeyPatch, way: str, best: str, kitty: bool, widget: type | None
) -> None:
    install(monkeypatch, best, kitty=kitty)
    pixels = find_pixels(way)
    assert pixels.widget is widget
    assert bool(pixels.notice) == (widget is None and way != "auto")


@pytest.mark.usefixtures("terminal")
def test_blocks_never_import_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    monkeypatch.setattr("client_tui.pixels.importlib.import_module", imported.append)
    assert find_pixels("blocks") is BLOCKS
    assert imported == []


def test_nothing_is_asked_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nowhere:
        monkeypatch.setattr(sys, "__stdin__", nowhere)
        install(monkeypatch, "TGPImage")
        assert find_pixels("kitty") is BLOCKS


@pytest.mark.usefixtures("terminal")
def test_a_terminal_that_answers_nonsense_gets_half_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "TGPImage")
    monkeypatch.setattr(sys.modules["textual_image.widget"], "get_cell_size", lambda: 1 / 0)
    assert find_pixels("auto") is BLOCKS


@asynccontextmanager
async def viewer(home: Path, pixels: Pixels, content: bytes = b"") -> AsyncIterator[Pilot[Any]]:
    """Two photos in the viewer, drawn to the end."""
    app = PickyApp(FrozenLink(home, photos=RedFiles(home, content)), pixels=pixels)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        while app.current_mode != "browse":
            await pilot.pause(0.005)
        await app.push_screen(ViewerScreen("Chair", [photo(1), photo(2)]))
        await drawn(pilot)
        yield pilot


async def drawn(pilot: Pilot[Any]) -> None:
    """Everything that was begun is on the screen."""
    pictures = pilot.app.link.pictures  # type: ignore[attr-defined]
    await pilot.pause()
    if waiting := [worker for worker in pilot.app.workers if worker.group == "pixels"]:
        await pilot.app.workers.wait_for_complete(waiting)
    while pictures.busy:
        await pilot.pause(0.005)
    await pilot.pause()


def blocks(pilot: Pilot[Any]) -> str:
    """The half-blocks in the middle of the screen; empty when they are not shown."""
    view = pilot.app.screen.query_one(PhotoView)
    return view.render_line(view.size.height // 2).text.strip() if view.display else ""


async def test_the_viewer_shows_the_file_in_pixels(tmp_path: Path) -> None:
    async with viewer(tmp_path, Pixels(Sharp, (10, 20))) as pilot:
        sharp = pilot.app.screen.query_one(Sharp)
        assert (sharp.image.size, sharp.image.getpixel((5, 5))) == ((64, 32), RED)
        assert sharp.size.width == 4 * sharp.size.height > 60
        assert blocks(pilot) == ""


async def test_the_shape_is_kept_whatever_the_cells_are(tmp_path: Path) -> None:
    async with viewer(tmp_path, Pixels(Sharp, (10, 10))) as pilot:
        size = pilot.app.screen.query_one(Sharp).size
        assert size.width == 2 * size.height


async def test_the_next_photo_takes_the_place_of_the_last(tmp_path: Path) -> None:
    async with viewer(tmp_path, Pixels(Sharp, (10, 20))) as pilot:
        first = pilot.app.screen.query_one(Sharp)
        await pilot.press("right")
        await drawn(pilot)
        assert pilot.app.screen.query_one(Sharp) is not first
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        assert pilot.app.screen.query_one(Sharp).size.width <= 40


async def test_a_widget_that_fails_leaves_the_half_blocks(tmp_path: Path) -> None:
    async with viewer(tmp_path, Pixels(Unwilling)) as pilot:
        assert "▀" in blocks(pilot)


async def test_a_file_that_is_no_picture_is_not_given_to_the_package(tmp_path: Path) -> None:
    async with viewer(tmp_path, Pixels(Sharp), b"no picture") as pilot:
        assert not pilot.app.screen.query(Sharp)
        assert "▀" in blocks(pilot)


@pytest.mark.usefixtures("terminal")
async def test_without_the_package_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uninstall(monkeypatch)
    assert find_pixels("auto") is BLOCKS
    async with viewer(tmp_path, find_pixels("kitty")) as pilot:
        (notice,) = pilot.app._notifications
        assert 'extra "pixels"' in notice.message
        assert "▀" in blocks(pilot)


@pytest.mark.usefixtures("terminal")
def test_the_app_runs_with_what_the_settings_ask_for_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uninstall(monkeypatch)
    paths = FrozenLink(tmp_path).paths
    paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    paths.config_file.write_text('images = "sixel"\n')
    told: list[str] = []

    def ran(app: PickyApp) -> str | None:
        told.append(app.pixels.notice)
        return "again" if len(told) == 1 else None

    monkeypatch.setattr(PickyApp, "run", ran)
    client_tui.app.run(paths)
    assert [bool(notice) for notice in told] == [True, False]
