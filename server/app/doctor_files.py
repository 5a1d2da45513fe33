"""Whether the files of a data dir can be used, and by nobody else."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from server.app.findings import Finding, bad, good
from server.app.secret_file import SecretUnusable, read_secret
from server.app.settings import Settings
from server.platform.sqlite_damage import damage


def examine_folder(what: str, path: Path) -> Finding:
    """Whether files can be written there, or the folder made."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    mend = f"make {path} writable for this user, or choose another with --data-dir"
    if not there.is_dir():
        return bad(what, f"{there} is no folder", mend)
    if there != path:
        if os.access(there, os.W_OK | os.X_OK):
            return good(what, f"{path} is made at the first start")
        return bad(what, f"{path} cannot be made", mend)
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        return bad(what, f"{path} cannot be written: {error.strerror}", mend)
    return good(what, f"{path} can be written")


def examine_secret(settings: Settings) -> Iterator[Finding]:
    """The key of the data dir, where one is used."""
    if settings.secret_key is not None:
        return
    try:
        if read_secret(settings.secret_path) is not None:
            yield good("secret key", f"{settings.secret_path} can be read by its owner only")
    except SecretUnusable as error:
        yield bad("secret key", error.problem, error.mend)


def examine_privacy(file: Path) -> Iterator[Finding]:
    """Whether others of this machine may read SQLite's file, in a folder that they may enter."""
    if os.name == "posix" and file.stat().st_mode & 0o077 and file.parent.stat().st_mode & 0o011:
        yield bad("database", f"{file} can be read by others", f"chmod 600 {file}*")


def examine_sqlite(file: Path) -> Finding | None:
    """What is wrong with SQLite's file, None when it can be opened."""
    if not file.is_file():
        return bad("database", f"{file} is no file", "move it away, or name another --data-dir")
    try:
        wrong = damage(file, thorough=False)
    except OSError as error:
        mend = f"make {file} and its folder readable and writable for this user"
        return bad("database", str(error), mend)
    if wrong is None:
        return None
    return bad("database", f"{file} is damaged: {wrong}", "move it away and restore a backup")
