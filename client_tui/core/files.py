"""Files that are either the old ones or the new ones, never half of one."""

import os
import tempfile
from pathlib import Path


def private_directory(path: Path) -> Path:
    """Make ``path`` (and what is above it), readable by its owner only."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace ``path`` in one step by a file of mode 0600.

    A durable file survives a power cut; for what can be fetched again that is not worth an fsync.
    """
    private_directory(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
