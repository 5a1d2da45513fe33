"""What only one program on this machine does at a time: a lock ends with the program that has it,
however that ends.
"""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from client_tui.core.files import private_directory

if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO, byte: int, *, wait: bool) -> None:
        file.seek(byte)
        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError as error:
                # Windows itself waits for ten tries only, one a second.
                if not wait or error.errno != errno.EDEADLK:
                    raise
            else:
                return
else:
    import fcntl

    def _lock(file: BinaryIO, byte: int, *, wait: bool) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)


def _open(path: Path) -> BinaryIO:
    private_directory(path.parent)
    return path.open("ab")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """No other program is in here for the same ``path``; it is waited for, however long it is."""
    with _open(path) as file:
        _lock(file, 0, wait=True)
        yield


class Claims:
    """Who does which of many numbered things: each is a byte of one file, locked or not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def take(self, number: int) -> bool:
        """Whether it is this program's until :meth:`close`; False while it is another's."""
        if self._file is None:
            self._file = _open(self._path)
        try:
            _lock(self._file, number, wait=False)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def close(self) -> None:
        """Let all of them go."""
        if self._file is not None:
            self._file.close()
            self._file = None
