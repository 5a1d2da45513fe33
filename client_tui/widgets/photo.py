"""One photo in a box, as large as the box allows, its shape kept."""

from uuid import UUID

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from client_tui.app_of import link_of
from client_tui.pictures import Pictures
from shared_models.media import Photo


def fit_cells(photo: Photo, box: Size) -> Size:
    """The largest cells of the photo's shape in a box; a cell is twice as high as wide."""
    return fit_shape(photo.width, photo.height, box)


def fit_shape(width: int, height: int, box: Size) -> Size:
    """The same for any width and height in pixels."""
    if not (width and height and box.width and box.height):
        return Size(0, 0)
    scale = min(box.width / width, box.height * 2 / height)
    columns = max(1, min(box.width, round(width * scale)))
    rows = max(1, min(box.height, round(height * scale / 2)))
    return Size(columns, rows)


class PhotoView(Widget):
    """Draws a photo centred; nothing when there is none."""

    def __init__(self, photo: Photo | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._photo = photo

    @property
    def photo(self) -> Photo | None:
        """What is shown."""
        return self._photo

    @property
    def _pictures(self) -> Pictures:
        return link_of(self).pictures

    def show(self, photo: Photo | None) -> None:
        """Show this one."""
        self._photo = photo
        self.refresh()

    def on_mount(self) -> None:
        """Hear when the picture has come."""
        self._unsubscribe = self._pictures.subscribe(self._ready)

    def on_unmount(self) -> None:
        """No more."""
        self._unsubscribe()

    def _ready(self, photo_id: UUID) -> None:
        if self._photo is not None and photo_id == self._photo.id:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """A row of the picture between blanks."""
        width, height = self.size
        if self._photo is None:
            return Strip.blank(width, self.rich_style)
        cells = fit_cells(self._photo, self.size)
        top = (height - cells.height) // 2
        if not top <= y < top + cells.height:
            return Strip.blank(width, self.rich_style)
        strip = self._pictures.draw(self._photo, cells.width, cells.height)[y - top]
        left = (width - cells.width) // 2
        blank = Strip.blank(left, self.rich_style)
        return Strip.join([blank, strip]).adjust_cell_length(width, self.rich_style)
