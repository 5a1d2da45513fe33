"""A SQLite connection that makes one trip to its thread a statement.

aiosqlite hands each call to the thread that owns the connection, and SQLAlchemy's adapter makes
four of them a statement: open a cursor, execute, fetch, close. A trip costs more than most
statements here, so they are made together.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
)
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import immutabledict


@dataclass(frozen=True, slots=True)
class Finished:
    """What is left of a cursor that was closed: all that its statement gave."""

    rows: Sequence[Any] = ()
    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None


def _finish(run: Callable[[sqlite3.Cursor], object], connection: sqlite3.Connection) -> Finished:
    cursor = connection.cursor()
    try:
        run(cursor)
        # The row count of a statement with RETURNING is known only after its rows.
        rows = cursor.fetchall() if cursor.description else ()
        return Finished(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()


class OneTripCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that opens, executes, fetches and closes in one call of the thread."""

    __slots__ = ()

    def __init__(self, adapt_connection: Any) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._cursor: Any = Finished()
        self._soft_closed_memoized = immutabledict()
        self._rows = deque()

    async def _async_soft_close(self) -> None:
        """It is closed already; its rows stay."""

    def close(self) -> None:
        """Forget the rows."""
        self._rows.clear()

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        values = () if parameters is None else parameters
        await self._finish(lambda cursor: cursor.execute(operation, values))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._finish(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    async def _finish(self, run: Callable[[sqlite3.Cursor], object]) -> None:
        connection: Any = self._connection
        self._cursor = await connection._execute(_finish, run, connection._conn)
        self._rows = deque(self._cursor.rows)


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """A connection with such cursors."""

    __slots__ = ()
    _cursor_cls = OneTripCursor


def use_one_trip(engine: AsyncEngine) -> None:
    """Make all connections of a SQLite engine of this kind."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(dialect: Any, _record: Any, args: Any, options: Any) -> OneTripConnection:
        plain = dialect.connect(*args, **options)
        return OneTripConnection(plain.dbapi, plain._connection)
