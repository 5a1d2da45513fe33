"""Copies of the pictures of waiting messages, so that a file deleted meanwhile is still sent."""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from client_tui.core.errors import StorageFailed
from client_tui.core.files import write_atomically
from shared_models import bounds

KEPT_BYTES_MAX: Final = 200 * 1024 * 1024
_STRAY_AFTER_S: Final = 3600.0


class KeptPhotos:
    """One folder for each message, by its ``cid``; at most ``bytes_max`` in all of them."""

    def __init__(self, directory: Path, *, bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._directory = directory
        self._bytes_max = bytes_max

    async def keep(self, cid: UUID, paths: Sequence[Path]) -> list[Path]:
        """The files to upload: copies, or the files themselves where none can be had.

        That is a file which cannot be read or is no picture of a size that could be sent, which
        the upload will say, and one for which there is no room. Raises :class:`StorageFailed`.
        """
        return await asyncio.to_thread(self._keep, cid, paths)

    async def drop(self, cid: UUID) -> None:
        """Its message is sent or thrown away."""
        await asyncio.to_thread(self._drop, cid)

    async def sweep(self, waiting: Collection[UUID]) -> None:
        """Remove what no message waits for any more (the program ended in between)."""
        await asyncio.to_thread(self._sweep, {str(cid) for cid in waiting})

    def _keep(self, cid: UUID, paths: Sequence[Path]) -> list[Path]:
        spare = self._bytes_max - self._taken() if paths else 0
        files = []
        for index, path in enumerate(paths):
            content = _content(path, min(spare, bounds.PHOTO_BYTES_MAX))
            if content is None:
                files.append(path)
                continue
            # The name stays: the person knows the picture by it.
            copy = self._directory / str(cid) / str(index) / path.name
            try:
                write_atomically(copy, content)
            except OSError as error:
                self._drop(cid)
                raise StorageFailed(f"{copy} cannot be written: {error.strerror}.") from error
            spare -= len(content)
            files.append(copy)
        return files

    def _taken(self) -> int:
        taken = 0
        for folder, _, names in os.walk(self._directory):
            for name in names:
                with contextlib.suppress(FileNotFoundError):  # its message has gone meanwhile
                    taken += Path(folder, name).stat().st_size
        return taken

    def _drop(self, cid: UUID) -> None:
        shutil.rmtree(self._directory / str(cid), ignore_errors=True)

    def _sweep(self, waiting: Collection[str]) -> None:
        if not self._directory.is_dir():
            return
        for folder in self._directory.iterdir():
            with contextlib.suppress(FileNotFoundError):  # its message has gone meanwhile
                if folder.name not in waiting and not _is_young(folder):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_young(folder: Path) -> bool:
    """Whether it may belong to a message that another program is writing just now."""
    return time.time() - folder.stat().st_mtime < _STRAY_AFTER_S


def _content(path: Path, bytes_max: int) -> bytes | None:
    try:
        if not path.is_file() or path.stat().st_size > bytes_max:
            return None
        return path.read_bytes()
    except OSError:
        return None
