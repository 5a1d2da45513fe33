"""Choose picture files, several at once."""

from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from client_tui.dropped import PICTURES
from client_tui.format import counted, visible_line
from client_tui.screens.dialog import Dialog
from client_tui.widgets.field import ErrorLine
from client_tui.widgets.picture_files import PictureFiles


class PhotoPicker(Dialog[list[Path]]):
    """The answer is the pictures that were chosen, in their order; None for esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def __init__(self, most: int, now: datetime, folder: Path | None = None) -> None:
        """``most`` can be chosen; ``folder`` is shown first, the person's own when None."""
        super().__init__()
        self._most = most
        self._now = now
        self.folder = folder or Path.home()
        """The one that is shown."""

    @property
    def _files(self) -> PictureFiles:
        return self.query_one(PictureFiles)

    def compose(self) -> ComposeResult:
        """Where one is, what is there, a field for a name or path, and what the keys do."""
        with Vertical(classes="dialog wide picker"):
            yield Static("Add photos" if self._most > 1 else "Add a photo", classes="dialog-title")
            yield Static(id="folder", classes="dim", markup=False)
            yield PictureFiles(self.folder, self._most, self._now)
            yield Input(placeholder="type a part of a name, or a path", select_on_focus=False)
            yield ErrorLine()
            yield Static(id="picker-keys", classes="dialog-hint", markup=False)

    def on_mount(self) -> None:
        """The list has the focus."""
        self._files.focus()
        self._tell_folder()
        self._tell_keys()

    def on_key(self, event: events.Key) -> None:
        """A letter in the list begins a name; up and down in the name move in the list."""
        field = self.query_one(Input)
        if self.focused is field and event.key in ("up", "down"):
            event.stop()
            move = {"up": self._files.action_cursor_up, "down": self._files.action_cursor_down}
            move[event.key]()
        elif self.focused is self._files and event.is_printable and event.key != "space":
            event.stop()
            field.focus()
            field.insert_text_at_cursor(event.character or "")

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._say("")
        self._files.narrow("" if _is_path(event.value) else event.value)

    @on(PictureFiles.Opened)
    def _show_folder(self) -> None:
        self.folder = self._files.folder
        self.query_one(Input).clear()
        self._files.focus()
        self._tell_folder()
        self._say("")

    def _tell_folder(self) -> None:
        self.query_one("#folder", Static).update(Content(_shown(self.folder)))

    @on(PictureFiles.Unreadable)
    def _tell_unreadable(self, event: PictureFiles.Unreadable) -> None:
        self._say(event.why)

    @on(PictureFiles.Full)
    def _tell_full(self) -> None:
        self._say(f"There is place for {counted(self._most, 'photo')}.")

    @on(PictureFiles.Marked)
    def _tell_keys(self) -> None:
        self._say("")
        marked = len(self._files.marked)
        enter = f"add {counted(marked, 'photo')}" if marked else "add"
        self.query_one("#picker-keys", Static).update(
            f"enter {enter} · space mark · ← folder above · esc cancel"
        )

    @on(PictureFiles.Taken)
    def _take(self) -> None:
        self.dismiss(self._files.marked)

    @on(Input.Submitted)
    def _go_or_take(self, event: Input.Submitted) -> None:
        """A path is gone to or taken; a part of a name is of what the list has the cursor on."""
        if not event.value:
            self._files.action_select()
        elif _is_path(event.value):
            self._take_path(event.value)
        elif self._files.highlighted_path is None:
            self._tell_nothing(event.value)
        else:
            self._files.take_highlighted()

    def _take_path(self, written: str) -> None:
        try:
            path = (self.folder / Path(written).expanduser()).resolve()
            is_folder, is_file = path.is_dir(), path.is_file()
        except (OSError, ValueError, RuntimeError):  # ~nobody, too long, not to be looked at
            is_folder = is_file = False
        if is_folder:
            self._files.open(path)
        elif is_file and path.suffix.lower() in PICTURES:
            self._files.take(path)
        else:
            self._tell_nothing(written)

    def _tell_nothing(self, written: str) -> None:
        self._say(f"There is no picture {visible_line(written)} here.")

    def _say(self, text: str) -> None:
        self.query_one(ErrorLine).say(text)


def _is_path(text: str) -> bool:
    return not {"/", "\\", "~"}.isdisjoint(text)


def _shown(folder: Path) -> str:
    home = Path.home()
    short = Path("~", folder.relative_to(home)) if folder.is_relative_to(home) else folder
    return visible_line(str(short))
