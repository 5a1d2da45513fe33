"""Pictures for the screens: a placeholder at once, the picture when it has been fetched."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from textual.cache import LRUCache
from textual.strip import Strip

from client_tui.core.errors import ClientError
from client_tui.core.photos import PhotoFiles, Size
from client_tui.widgets.half_block import draw_file, draw_placeholder
from shared_models.media import Photo

_KEPT_DRAWINGS = 400
_THUMB_COLUMNS_MOST = 60
"""Above this many columns the 320-pixel copy looks coarse and the full one is fetched."""

Ready = Callable[[UUID], None]


class Pictures:
    """Draws photos as half-blocks. Drawing never waits: what is not here yet is fetched."""

    def __init__(self, files: PhotoFiles | None) -> None:
        """``files`` is None where there is nothing to fetch from; then placeholders stay."""
        self._files = files
        self._drawn: LRUCache[tuple[UUID, int, int], list[Strip]] = LRUCache(_KEPT_DRAWINGS)
        self._under_way: dict[tuple[UUID, int, int], asyncio.Task[None]] = {}
        self._listeners: list[Ready] = []

    def subscribe(self, ready: Ready) -> Callable[[], None]:
        """Call ``ready(photo_id)`` whenever a picture can be drawn; the answer ends it."""
        self._listeners.append(ready)
        return lambda: self._listeners.remove(ready) if ready in self._listeners else None

    def draw(self, photo: Photo, columns: int, rows: int) -> list[Strip]:
        """``rows`` strips of ``columns`` cells: the picture, or its placeholder for now."""
        key = (photo.id, columns, rows)
        drawn = self._drawn.get(key)
        if drawn is not None:
            return drawn
        if self._files is not None and key not in self._under_way:
            self._under_way[key] = asyncio.create_task(self._fetch(photo, columns, rows))
        return draw_placeholder(photo.placeholder, columns, rows)

    async def _fetch(self, photo: Photo, columns: int, rows: int) -> None:
        assert self._files is not None
        size: Size = "thumb" if columns <= _THUMB_COLUMNS_MOST else "full"
        try:
            path = await self._files.get(photo, size)
            strips = await asyncio.to_thread(draw_file, path, columns, rows)
        except (ClientError, OSError):
            return
        finally:
            self._under_way.pop((photo.id, columns, rows), None)
        self._drawn[(photo.id, columns, rows)] = strips
        for ready in list(self._listeners):
            ready(photo.id)

    def close(self) -> None:
        """Fetch no more."""
        for task in self._under_way.values():
            task.cancel()
