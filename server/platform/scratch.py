"""Folders for files that are needed for a moment, in the temporary folder of the machine."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server.platform.clock import SystemClock

_LEFT_BEHIND_S = 24 * 60 * 60
"""Nothing takes as long: whoever wrote there was killed."""


@contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A folder that is gone afterwards. What others of this prefix left behind goes too: the
    temporary folder may outlive its processes.
    """
    _sweep(prefix)
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        yield Path(name)


def _sweep(prefix: str) -> None:
    latest = SystemClock().now().timestamp() - _LEFT_BEHIND_S  # the machine's, as files have it
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):  # somebody else's, or gone by now
            if folder.stat(follow_symlinks=False).st_mtime < latest:
                shutil.rmtree(folder)
