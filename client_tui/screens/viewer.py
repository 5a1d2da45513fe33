"""Photos full-screen, one after the other."""

from collections.abc import Iterable, Sequence

from textual.widget import Widget

from client_tui.core.errors import ClientError
from client_tui.format import visible_line
from client_tui.outside import open_outside
from client_tui.screens.base import PickyScreen
from client_tui.widgets.big_photo import BigPhoto
from client_tui.widgets.retry_row import RetryRow
from client_tui.work import start
from shared_models.media import Photo


class ViewerScreen(PickyScreen):
    """A photo as large as the terminal; arrows go through the others."""

    context = "viewer"

    def __init__(self, title: str, photos: Sequence[Photo], start: int = 0) -> None:
        super().__init__()
        self._title_of = title
        self._photos = photos
        self._at = start

    def heading(self) -> str:
        """What it is of, and which one."""
        return f"‹ {visible_line(self._title_of)}   photo {self._at + 1} of {len(self._photos)}"

    def content(self) -> Iterable[Widget]:
        """The photo, and why it is only its colours."""
        yield BigPhoto(self._photos[self._at], id="viewer-photo")
        yield RetryRow(id="viewer-problem")

    def on_mount(self) -> None:
        """Hear of a photo that does not come."""
        super().on_mount()
        self.link.pictures.on_missing = lambda _: self._show_problem()
        self._forget_pictures = self.link.pictures.subscribe(lambda _: self._show_problem())

    def on_unmount(self) -> None:
        """Hear no more."""
        self.link.pictures.on_missing = lambda _: None
        self._forget_pictures()
        super().on_unmount()

    def _show_problem(self) -> None:
        photo = self._photos[self._at]
        self.query_one(RetryRow).show(self.link.pictures.missing.get(photo.id, ""))

    def do_refresh(self) -> None:
        """Try to get it again."""
        self.query_one(RetryRow).show("")
        self.query_one(BigPhoto).show(self._photos[self._at])

    def why_not(self, action_id: str) -> str | None:
        """The ends."""
        if action_id == "next" and self._at == len(self._photos) - 1:
            return "This is the last photo."
        if action_id == "previous" and self._at == 0:
            return "This is the first photo."
        return None

    def do_next(self) -> None:
        """The next photo."""
        self._turn(1)

    def do_previous(self) -> None:
        """The photo before."""
        self._turn(-1)

    def _turn(self, step: int) -> None:
        self._at += step
        self.query_one(BigPhoto).show(self._photos[self._at])
        self._show_problem()
        self.redraw_bars()

    def do_outside(self) -> None:
        """Open the file in the system's viewer."""
        start(self, self._open_outside, group="outside")

    async def _open_outside(self) -> None:
        try:
            path = await self.link.photo_files.get(self._photos[self._at], "full")
        except ClientError as error:
            self.say(str(error), severity="error")
            return
        if not open_outside(path):
            self.say(f"No viewer was found. The file is {path}", severity="warning")
