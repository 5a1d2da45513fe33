"""A folder as a list: its folders and pictures, some of them marked."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar
from unicodedata import normalize

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from client_tui.dropped import PICTURES
from client_tui.format import date, file_size, fit, visible_line
from client_tui.work import start

_SIZE = 8
_DATE = 16
_BESIDE_THE_NAME = 2 + 2 + _SIZE + 2 + _DATE + 1


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    size: int = 0
    changed: datetime | None = None
    """None for a folder."""

    @property
    def is_folder(self) -> bool:
        return self.changed is None

    @property
    def key(self) -> str:
        """The name as it is looked for and sorted, however its letters are composed."""
        return normalize("NFC", self.path.name).casefold()


def _wanted(entry: os.DirEntry[str]) -> Iterator[_Entry]:
    path = Path(entry.path)
    if entry.name.startswith("."):
        return
    if entry.is_dir():
        yield _Entry(path)
    elif path.suffix.lower() in PICTURES and entry.is_file():
        facts = entry.stat()
        yield _Entry(path, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))


def _read(folder: Path) -> list[_Entry]:
    """The folders, then the pictures; raises ``OSError``."""
    found = [_Entry(folder / "..")] if folder != folder.parent else []
    inside: list[_Entry] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # gone by now, a link to itself, or not for us to look at
                inside += _wanted(entry)
    return found + sorted(inside, key=lambda entry: (not entry.is_folder, entry.key))


class PictureFiles(OptionList):
    """Folders and pictures. A click or space marks a picture; enter or a second click takes what is
    marked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,backspace", "folder_above", show=False),
        Binding("space", "mark", show=False),
    ]

    class Opened(Message):
        """Another folder is shown."""

    class Unreadable(Message):
        """A folder could not be looked into; the one before is still shown."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    class Marked(Message):
        """A picture is marked, or no longer."""

    class Full(Message):
        """As many are marked as there may be."""

    class Taken(Message):
        """The marked pictures are what is wanted."""

    def __init__(self, folder: Path, most: int, now: datetime) -> None:
        """``folder`` is shown first; ``most`` pictures can be marked; ``now`` dates them."""
        super().__init__()
        self.folder = folder
        self.marked: list[Path] = []
        """In the order in which they were marked."""
        self._most = most
        self._now = now
        self._part = ""
        self._entries: list[_Entry] = []
        self._shown: list[_Entry] = []
        self._clicks = 0

    def on_mount(self) -> None:
        """Look into the first folder."""
        self.open(self.folder)

    def open(self, folder: Path) -> None:
        """Show another folder, as soon as it is read; :class:`Unreadable` if it cannot be."""
        start(self, partial(self._open, folder), group="folder", exclusive=True)

    async def _open(self, folder: Path) -> None:
        try:
            self._entries = await asyncio.to_thread(_read, folder)
        except OSError as error:
            why = (error.strerror or "it cannot be read").lower()
            self.post_message(self.Unreadable(f"{visible_line(str(folder))}: {why}"))
            return
        before, self.folder, self._part = self.folder, folder, ""
        self._show(before)
        self.post_message(self.Opened())

    def narrow(self, part: str) -> None:
        """Show only names with ``part`` in them."""
        self._part = normalize("NFC", part).casefold()
        self._show(None)

    @property
    def highlighted_path(self) -> Path | None:
        """The folder or picture under the cursor."""
        return None if self._highlighted is None else self._highlighted.path

    @property
    def _highlighted(self) -> _Entry | None:
        return None if self.highlighted is None else self._shown[self.highlighted]

    def _show(self, cursor: Path | None) -> None:
        """Draw what is wanted of the folder, with the cursor there or on the first thing in it."""
        self._shown = [entry for entry in self._entries if self._part in entry.key]
        self.set_options(Option(self._row(entry)) for entry in self._shown)
        paths = [entry.path for entry in self._shown]
        if cursor in paths:
            self.highlighted = paths.index(cursor)
        elif paths:
            self.highlighted = 1 if paths[0].name == ".." and len(paths) > 1 else 0

    def _row(self, entry: _Entry) -> Content:
        mark = "● " if entry.path in self.marked else "  "
        name = visible_line(entry.path.name)
        if entry.changed is None:
            return Content(f"{mark}{name}/")
        width = max(8, self.scrollable_content_region.width - _BESIDE_THE_NAME)
        facts = f"  {file_size(entry.size):>{_SIZE}}  {date(entry.changed, self._now):<{_DATE}}"
        return Content.assemble(mark + fit(name, width), (facts, "dim"))

    def on_resize(self) -> None:
        """The names have another width."""
        self._show(self.highlighted_path)

    # Marking and taking

    def mark(self, path: Path) -> bool:
        """Mark a picture, if it is not yet; False, and :class:`Full`, if that is one too many."""
        if path in self.marked:
            return True
        if len(self.marked) == self._most:
            self.post_message(self.Full())
            return False
        self.marked.append(path)
        self._marks_changed()
        return True

    def _unmark(self, path: Path) -> None:
        self.marked.remove(path)
        self._marks_changed()

    def _marks_changed(self) -> None:
        self._show(self.highlighted_path)
        self.post_message(self.Marked())

    def take_highlighted(self) -> None:
        """The picture under the cursor, with what is marked; a folder is opened."""
        entry = self._highlighted
        if entry is not None and entry.is_folder:
            self.open(entry.path.resolve())
        elif entry is not None:
            self.take(entry.path)

    def take(self, picture: Path) -> None:
        """A picture, with what is marked."""
        if self.mark(picture):
            self.post_message(self.Taken())

    def action_folder_above(self) -> None:
        """To the folder that this one is in."""
        self.open(self.folder.parent)

    def action_mark(self) -> None:
        """Mark the picture under the cursor, or take its mark away."""
        entry = self._highlighted
        if entry is None or entry.is_folder:
            return
        if entry.path in self.marked:
            self._unmark(entry.path)
        else:
            self.mark(entry.path)

    def on_click(self, event: events.Click) -> None:
        """Remember how it was clicked, for what the list makes of it next."""
        self._clicks = event.chain

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """By enter, or by the click that was just remembered."""
        event.stop()
        clicks, self._clicks = self._clicks, 0
        is_picture = not self._shown[event.option_index].is_folder
        if is_picture and clicks == 1:
            self.action_mark()
        elif is_picture and clicks == 0 and self.marked:
            self.post_message(self.Taken())
        else:
            self.take_highlighted()
