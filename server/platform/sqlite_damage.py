"""Whether a file of SQLite is whole: pages are copied and rows counted also where it is not."""

import sqlite3
from contextlib import closing
from pathlib import Path

from server.platform.failures import tells_damage


def damage(file: Path, *, thorough: bool = True) -> str | None:
    """What is wrong with the file, in one line; None when it is whole.

    Reads all of it. ``thorough`` also compares indexes with their tables and looks for rows that
    name others which are not there, which takes longer. Raises :class:`OSError` where the file
    cannot be read.
    """
    try:
        with closing(sqlite3.connect(file)) as connection:
            return _broken(connection, "integrity" if thorough else "quick") or (
                _orphan(connection) if thorough else None
            )
    except sqlite3.DatabaseError as error:
        if tells_damage(error):
            return str(error)
        raise OSError(f"{file} cannot be used: {error}") from error


def _broken(connection: sqlite3.Connection, check: str) -> str | None:
    (told,) = connection.execute(f"PRAGMA {check}_check(1)").fetchone()
    return None if told == "ok" else str(told).splitlines()[-1]


def _orphan(connection: sqlite3.Connection) -> str | None:
    found = connection.execute("PRAGMA foreign_key_check").fetchone()
    return found and f"a row of {found[0]} names one of {found[2]} that is not there"
