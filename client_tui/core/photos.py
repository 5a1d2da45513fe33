"""Copies of pictures on disk: each is fetched once, the least recently used go first."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from client_tui.core.errors import StorageFailed
from client_tui.core.files import private_directory, write_atomically
from shared_models.media import Photo

AT_ONCE: Final = 4
Size = Literal["thumb", "full"]
Fetch = Callable[[str], Awaitable[bytes]]


class PhotoFiles:
    """Pictures as files, at most ``bytes_max`` of them on disk."""

    def __init__(self, directory: Path, fetch: Fetch, *, bytes_max: int) -> None:
        """``fetch`` gets the bytes behind a photo's URL (:meth:`Api.photo`)."""
        self._directory = directory
        self._fetch = fetch
        self._bytes_max = bytes_max
        self._sizes: dict[str, int] | None = None
        self._lock = threading.Lock()
        self._under_way: dict[str, asyncio.Task[Path]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def get(self, photo: Photo, size: Size) -> Path:
        """The file with the picture, fetched if need be, four at a time, each only once.

        Raises what ``fetch`` raises, and :class:`StorageFailed` when the disk does not take it.
        """
        url = photo.thumb_url if size == "thumb" else photo.full_url
        name = _name(photo.id, size)
        task = self._under_way.get(name)
        if task is None:
            task = asyncio.create_task(self._find_or_fetch(url, name))
            self._under_way[name] = task
            task.add_done_callback(lambda done: self._finished(name, done))
        return await asyncio.shield(task)

    def _finished(self, name: str, task: asyncio.Task[Path]) -> None:
        del self._under_way[name]
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; nobody else needs to hear of it

    async def _find_or_fetch(self, url: str, name: str) -> Path:
        found = await asyncio.to_thread(self._find, name)
        if found is not None:
            return found
        async with self._slots:
            content = await self._fetch(url)
        return await asyncio.to_thread(self._keep, name, content)

    def _find(self, name: str) -> Path | None:
        path = self._directory / name
        try:
            os.utime(path)
            size = path.stat().st_size
        except OSError:
            return None
        with self._lock:
            sizes = self._known()
            sizes.pop(name, None)
            sizes[name] = size
        return path

    def _keep(self, name: str, content: bytes) -> Path:
        path = self._directory / name
        try:
            write_atomically(path, content, durable=False)
        except OSError as error:
            raise StorageFailed(f"{path} cannot be written: {error.strerror}.") from error
        with self._lock:
            sizes = self._known()
            sizes.pop(name, None)
            sizes[name] = len(content)
            self._shrink(sizes, keep=name)
        return path

    def _shrink(self, sizes: dict[str, int], keep: str) -> None:
        total = sum(sizes.values())
        for name in list(sizes):
            if total <= self._bytes_max or name == keep:
                return
            total -= sizes.pop(name)
            (self._directory / name).unlink(missing_ok=True)

    def _known(self) -> dict[str, int]:
        """Sizes by name, the least recently used first."""
        if self._sizes is None:
            private_directory(self._directory)
            by_age = sorted(self._on_disk(), key=lambda file: file[0].st_mtime)
            self._sizes = {name: stat.st_size for stat, name in by_age}
        return self._sizes

    def _on_disk(self) -> Iterator[tuple[os.stat_result, str]]:
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # written, or dropped, just now
                    yield entry.stat(), entry.name


def _name(photo_id: UUID, size: Size) -> str:
    return f"{photo_id}-{size}"
