"""Pictures for the screens: a placeholder at once, the picture when it has been fetched."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from textual.cache import LRUCache
from textual.strip import Strip

from client_tui.core.errors import ClientError
from client_tui.core.photos import PhotoFiles, Size
from client_tui.widgets.half_block import draw_file, draw_placeholder, picture_size
from shared_models.media import Photo

_KEPT_DRAWINGS = 400
_GREY = ""
"""No placeholder is drawn as plain grey."""
_THUMB_COLUMNS_MOST = 60
"""Above this many columns the 320-pixel copy looks coarse and the full one is fetched."""

Ready = Callable[[UUID], None]
Source = UUID | Path
"""A photo of the market, or a file of this machine."""
AnyPhoto = Photo | Path
"""The same with what is needed to draw it."""
Drawing = tuple[Source, int, int]
"""What is drawn, in how many columns and rows."""
Get = Callable[[], Awaitable[Path]]
"""Begins only when it is called: what is closed at once leaves nothing behind."""


class Pictures:
    """Draws photos as half-blocks. Drawing never waits: what is not here yet is fetched."""

    def __init__(self, files: PhotoFiles | None) -> None:
        """``files`` is None where there is nothing to fetch from; then placeholders stay."""
        self._files = files
        self._drawn: LRUCache[Drawing, list[Strip]] = LRUCache(_KEPT_DRAWINGS)
        self._under_way: dict[Drawing, asyncio.Task[None]] = {}
        self._sizes: dict[Path, tuple[int, int]] = {}
        self._uploaded: dict[UUID, Path] = {}
        self._listeners: list[Ready] = []
        self.missing: dict[UUID, str] = {}
        """Why a photo is not here, for those that were tried and did not come."""
        self.on_missing: Callable[[UUID], None] = lambda _: None

    def subscribe(self, ready: Ready) -> Callable[[], None]:
        """Call ``ready(photo_id)`` whenever a picture can be drawn; the answer ends it."""
        self._listeners.append(ready)
        return lambda: self._listeners.remove(ready) if ready in self._listeners else None

    @property
    def busy(self) -> bool:
        """Whether pictures are still on their way."""
        return bool(self._under_way)

    def draw(self, photo: Photo, columns: int, rows: int) -> list[Strip]:
        """``rows`` strips of ``columns`` cells: the picture, or its placeholder for now."""
        path = self._uploaded.get(photo.id)
        if path is not None:
            return self.draw_local(path, columns, rows)
        key = (photo.id, columns, rows)
        drawn = self._drawn.get(key)
        if drawn is not None:
            return drawn
        if self._files is not None and key not in self._under_way:
            size: Size = "thumb" if columns <= _THUMB_COLUMNS_MOST else "full"
            self._begin(key, photo.id, partial(self._files.get, photo, size))
        return draw_placeholder(photo.placeholder, columns, rows)

    def draw_any(self, photo: AnyPhoto, columns: int, rows: int) -> list[Strip]:
        """Either of the two."""
        if isinstance(photo, Path):
            return self.draw_local(photo, columns, rows)
        return self.draw(photo, columns, rows)

    def draw_local(self, path: Path, columns: int, rows: int) -> list[Strip]:
        """The same for a file of this machine; grey for now."""
        key = (path, columns, rows)
        drawn = self._drawn.get(key)
        if drawn is None and key not in self._under_way:
            self._begin(key, local_id(path), partial(_is, path))
        return drawn or draw_placeholder(_GREY, columns, rows)

    async def file(self, photo: Photo) -> Path | None:
        """The file with the full picture; raises :class:`ClientError` when it does not come."""
        path = self._uploaded.get(photo.id)
        if path is None and self._files is not None:
            path = await self._files.get(photo, "full")
        return path

    def local_size(self, path: Path) -> tuple[int, int]:
        """Width and height in pixels, the right way up; 4 to 3 when the file can't be read."""
        if path not in self._sizes:
            self._sizes[path] = picture_size(path) or (4, 3)
        return self._sizes[path]

    def is_uploaded(self, path: Path, photo_id: UUID) -> None:
        """A file became a photo: it need not be fetched to be drawn."""
        self._uploaded[photo_id] = path

    def _begin(self, key: Drawing, photo_id: UUID, get: Get) -> None:
        self._under_way[key] = asyncio.create_task(self._get(key, photo_id, get))

    async def _get(self, key: Drawing, photo_id: UUID, get: Get) -> None:
        source, columns, rows = key
        try:
            strips = await asyncio.to_thread(draw_file, await get(), columns, rows)
        except (ClientError, OSError) as error:
            self._forget(source)
            self.missing[photo_id] = str(error)
            self.on_missing(photo_id)
            return
        finally:
            self._under_way.pop(key, None)
        self._drawn[key] = strips
        self.missing.pop(photo_id, None)
        for photo, path in self._uploaded.items():
            if path == source:
                self._tell(photo)
        self._tell(photo_id)

    def _forget(self, source: Source) -> None:
        """A file that is gone is no longer drawn instead of the photo it became."""
        for photo in [photo for photo, path in self._uploaded.items() if path == source]:
            del self._uploaded[photo]
            self._tell(photo)

    def _tell(self, photo_id: UUID) -> None:
        for ready in list(self._listeners):
            ready(photo_id)

    def close(self) -> None:
        """Fetch no more."""
        for task in self._under_way.values():
            task.cancel()


def any_id(photo: AnyPhoto) -> UUID:
    """What listeners are told when this can be drawn."""
    return local_id(photo) if isinstance(photo, Path) else photo.id


def local_id(path: Path) -> UUID:
    """What listeners are told when a file of this machine can be drawn."""
    return uuid5(NAMESPACE_URL, str(path))


async def _is(path: Path) -> Path:
    return path
