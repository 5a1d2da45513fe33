"""One photo as good as the terminal shows it: in half-blocks at once, then in pixels if it can."""

import asyncio

from PIL.Image import Image
from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from client_tui.app_of import app_of, link_of
from client_tui.core.errors import ClientError
from client_tui.pictures import Pictures
from client_tui.pixels import Pixels
from client_tui.widgets.half_block import PictureError, load_picture
from client_tui.widgets.photo import PhotoView, fit_shape
from client_tui.work import start
from shared_models.media import Photo


class BigPhoto(Container):
    """A photo in all the room there is. Whatever fails with pixels, the half-blocks stay."""

    def __init__(self, photo: Photo, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._photo = photo
        self._shape = (0, 0)
        self._sharp: Widget | None = None

    @property
    def _pixels(self) -> Pixels:
        return app_of(self).pixels

    @property
    def _pictures(self) -> Pictures:
        return link_of(self).pictures

    def compose(self) -> ComposeResult:
        """The half-blocks."""
        yield PhotoView(self._photo)

    def on_mount(self) -> None:
        """Get the pixels."""
        self._sharpen()

    def show(self, photo: Photo) -> None:
        """Show this one, or the same once more from the beginning."""
        self._photo = photo
        self.workers.cancel_node(self)
        blocks = self.query_one(PhotoView)
        blocks.show(photo)
        blocks.display = True
        old, self._sharp = self._sharp, None
        if old is not None:
            old.remove()
        self._sharpen()

    def _sharpen(self) -> None:
        if self._pixels.widget is not None:
            start(self, self._get_pixels, group="pixels", exclusive=True)

    async def _get_pixels(self) -> None:
        try:
            path = await self._pictures.file(self._photo)
            if path is None:
                return
            picture = await asyncio.to_thread(load_picture, path)
        except (ClientError, PictureError):
            return  # the half-blocks are of the same file, and say why it is not here
        try:
            sharp = self._make(picture)
        except Exception as error:  # noqa: BLE001 - not our package; without it there is a picture
            self.log.error(error)
            return
        self._sharp = sharp
        self._fit()
        await self.mount(sharp)
        self.query_one(PhotoView).display = False

    def _make(self, picture: Image) -> Widget:
        assert self._pixels.widget is not None
        sharp = self._pixels.widget(picture)
        self._shape = picture.size
        return sharp

    def on_resize(self, event: events.Resize) -> None:
        """As large as the new size allows."""
        self._fit()

    def _fit(self) -> None:
        if self._sharp is None:
            return
        (width, height), (across, down) = self._shape, self._pixels.cell
        cells = fit_shape(width * down, height * across * 2, self.size)
        self._sharp.display = bool(cells)
        self._sharp.styles.width, self._sharp.styles.height = cells
