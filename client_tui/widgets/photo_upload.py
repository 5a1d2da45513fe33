"""A photo on its way to a listing: a small picture, its name, a progress bar of its own."""

from dataclasses import dataclass
from pathlib import Path

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, ProgressBar, Static

from client_tui.core.uploads import Phase, Progress
from client_tui.format import file_size, truncate, visible_line
from client_tui.widgets.photo import PhotoView
from client_tui.work import is_there
from shared_models.media import Photo

_WORDS = {
    Phase.CHECKING: "checking",
    Phase.SENDING: "sending",
    Phase.PROCESSING: "making copies",
    Phase.READY: "ready",
    Phase.FAILED: "failed",
}


class PhotoUpload(Horizontal):
    """One photo of the form. ``photo`` is there once it is ready."""

    @dataclass
    class Removed(Message):
        """It is not wanted any more."""

        upload: "PhotoUpload"

    @dataclass
    class Retried(Message):
        """Try it again."""

        upload: "PhotoUpload"

    @dataclass
    class MadeCover(Message):
        """It should be the first."""

        upload: "PhotoUpload"

    def __init__(self, *, path: Path | None = None, photo: Photo | None = None) -> None:
        super().__init__(classes="photo-upload")
        self.path = path
        self.photo = photo
        self._progress = Progress(
            0, path or Path("photo"), Phase.READY if photo else Phase.CHECKING
        )

    @property
    def failed(self) -> bool:
        """Whether it will not become a photo by itself."""
        return self._progress.phase is Phase.FAILED

    @property
    def name_shown(self) -> str:
        """The file's name, or that it is there already."""
        return visible_line(self.path.name) if self.path else "photo"

    @property
    def under_way(self) -> bool:
        """Whether its bytes are still moving."""
        return self.photo is None and not self.failed

    def compose(self) -> ComposeResult:
        """Picture, words and bar, buttons."""
        yield PhotoView(self.photo)
        with Vertical(classes="photo-words"):
            yield Static(markup=False, classes="photo-name")
            yield ProgressBar(total=1.0, show_eta=False)
        yield Button("Cover", classes="photo-cover", compact=True)
        yield Button("Retry", classes="photo-retry", compact=True)
        yield Button("Remove", classes="photo-remove", compact=True)

    def on_mount(self) -> None:
        """Show how it stands; a small photo can be ready before its row is."""
        self._draw()

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is."""
        self._progress = progress
        if is_there(self):
            self._draw()

    def _draw(self) -> None:
        progress = self._progress
        text = Text(truncate(self.name_shown, 32))
        dim = self.app.theme_variables.get("dim", "")
        if self.failed:
            text.append(f"\n{progress.reason}", self.app.theme_variables["error"])
        else:
            size = f" · {file_size(progress.size)}" if progress.size else ""
            text.append(f"  {_WORDS[progress.phase]}{size}", dim)
        self.query_one(".photo-name", Static).update(text)
        bar = self.query_one(ProgressBar)
        bar.update(progress=progress.share)
        bar.display = progress.phase not in (Phase.READY, Phase.FAILED)
        self.query_one(".photo-retry").display = self.failed
        self.query_one(PhotoView).show(self.photo)

    def show_ready(self, photo: Photo) -> None:
        """It is a photo now."""
        self.photo = photo
        self.show_progress(Progress(0, self.path or Path("photo"), Phase.READY))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Its three buttons."""
        event.stop()
        if event.button.has_class("photo-remove"):
            self.post_message(self.Removed(self))
        elif event.button.has_class("photo-retry"):
            self.post_message(self.Retried(self))
        else:
            self.post_message(self.MadeCover(self))
