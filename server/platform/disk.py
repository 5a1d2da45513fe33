"""What is written is on the disk before anybody relies on it."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk.

    Folders cannot be synced on Windows.
    """
    if os.name != "posix" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(folder: Path) -> None:
    """The same for everything below a folder, and the folder itself."""
    for below, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(below, name))
        sync(Path(below))
