"""What a database fails with: it is away or overrun, or somebody else was first."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

DATABASE_FAILURES = (SQLAlchemyError, OSError, TimeoutError)
"""What a database that is away or overrun raises; what was asked may be asked again."""


_AWAY_OR_OVERRUN = ("08", "40", "53", "55", "57", "58")
"""Classes of PostgreSQL's codes: connection, rollback (of a read that a replica cancels, say),
resources, locks, operator and timeout, system.
"""
_FORBIDDEN = "42501"
_SQLITE_AWAY_OR_OVERRUN = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)

_SQLITE_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_unavailable(error: Exception) -> bool:
    """Whether the database is away or overrun, and not a statement that is wrong."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | TimeoutError | PoolTimeout)
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return str(code).startswith(_AWAY_OR_OVERRUN)
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_AWAY_OR_OVERRUN


def first_line(error: Exception) -> str:
    """What an error says, in one line; a driver's timeout says nothing itself."""
    said = str(error).strip().partition("\n")[0]
    return said or (
        "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    )


def why_unavailable(error: Exception) -> str | None:
    """One line for people about a database that is away or overrun, whose file is damaged, or that
    does not let this role do it; None for any other error.
    """
    reason = first_line(error)
    if isinstance(error, DBAPIError) and tells_damage(error.orig):
        return f"the database's file is damaged: restore a backup ({error.orig})"
    if is_forbidden(error):
        return f"the role lacks rights, which deploy/database/roles.sql gives: {reason}"
    return f"the database cannot be used: {reason}" if is_unavailable(error) else None


def tells_damage(error: BaseException | None) -> bool:
    """Whether this error of the bare driver says that SQLite's file is damaged, or none of its."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DAMAGED


def is_forbidden(error: Exception) -> bool:
    """Whether PostgreSQL does not let the role do this."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _FORBIDDEN


class LostRace(Exception):
    """Another transaction was first; running this one again sees what it did."""


class LockHeld(LostRace):
    """Another transaction holds a lock for longer than one is waited for at a time."""


@contextmanager
def races_named() -> Iterator[None]:
    """Turn serialisation failures, deadlocks and lost unique races into :class:`LostRace`, and
    locks that others hold for long into :class:`LockHeld`.
    """
    try:
        yield
    except DBAPIError as error:
        race = _race(error)
        if race is not None:
            raise race(str(error.orig)) from error
        raise


def _race(error: DBAPIError) -> type[LostRace] | None:
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    if code == "55P03":
        return LockHeld
    if code is not None:
        return LostRace if code in {"40001", "40P01", "23505"} else None
    text = str(error.orig)
    is_race = "UNIQUE constraint failed" in text or "database is locked" in text
    return LostRace if is_race else None


def sqlite_failure(statement: str, error: sqlite3.Error) -> Exception:
    """An error of the bare driver as SQLAlchemy would raise it."""
    return DBAPIError.instance(statement, None, error, sqlite3.Error, hide_parameters=True)
