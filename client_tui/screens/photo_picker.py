"""Choose a picture file; names of files are drawn like all text from elsewhere."""

from collections.abc import Iterable
from pathlib import Path

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Input
from textual.widgets.option_list import Option
from textual_fspicker import FileOpen, Filters
from textual_fspicker.parts import CurrentDirectory, DirectoryNavigation
from textual_fspicker.parts.directory_navigation import DirectoryEntry

from client_tui.dropped import PICTURES
from client_tui.format import visible_line


class _Entry(DirectoryEntry):
    @classmethod
    def _name(cls, location: Path) -> Text:
        return Text(visible_line(location.name))


class _Navigation(DirectoryNavigation):
    """The list of files."""

    def add_options(self, new_options: "Iterable[Option | VisualType | None]") -> "_Navigation":
        """Each as it may be drawn."""
        super().add_options(
            _Entry(option.location, self._styles) if isinstance(option, DirectoryEntry) else option
            for option in new_options
        )
        return self


class _Where(CurrentDirectory):
    """The folder that is shown."""

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Its path as text."""
        super().update(Content(visible_line(str(content))), layout=layout)


class PhotoPicker(FileOpen):
    """Folders and pictures; enter on a picture takes it."""

    def __init__(self, location: Path | None = None) -> None:
        """``location`` is the first folder; the person's own when None."""
        filters = Filters(("Pictures", lambda path: path.suffix.lower() in PICTURES))
        super().__init__(location or Path.home(), "Add a photo", filters=filters)

    def _header_area(self) -> ComposeResult:
        yield _Where()

    def _input_bar(self) -> ComposeResult:
        """Without the choice among filters, of which there is one."""
        yield Input(suggester=self._suggest_path)

    def compose(self) -> ComposeResult:
        """The dialog with a list of its own."""
        for widget in super().compose():
            yield _Navigation(self._location) if type(widget) is DirectoryNavigation else widget

    @on(DirectoryNavigation.Selected)
    def _picked(self, event: DirectoryNavigation.Selected) -> None:
        event.prevent_default()  # it would write the name into the field, unread
        self.dismiss(event.path)
