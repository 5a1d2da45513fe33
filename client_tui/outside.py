"""Programs of the system: a viewer for a file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def open_outside(path: Path) -> bool:
    """Open a file in the system's viewer; False when there is none (as over ssh)."""
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606 - that is how Windows opens a file
        return True
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    if sys.platform != "darwin" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    found = shutil.which(opener)
    if found is None:
        return False
    subprocess.Popen(
        [found, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return True
