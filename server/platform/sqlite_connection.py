"""A SQLite connection whose statements run where they are asked for.

aiosqlite hands every call to a thread that owns the connection, and SQLAlchemy's adapter makes
four of them a statement: open a cursor, execute, fetch, close. Each trip costs more CPU than the
statements of this server do (sending a message: 16 ms with four trips a statement, 5 ms with one,
2.7 ms with none). So only what may wait is left to the thread: taking the write lock from who holds
it, syncing a commit to the disk, and bulk inserts. Between the two nothing waits: a writer has its
lock, and in WAL mode a reader needs none, so it begins and ends where it is asked to.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiosqlite
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import immutabledict
from sqlalchemy.util.concurrency import await_

_BULK_ROWS = 50


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


class DirectCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that opens, executes, fetches and closes at once."""

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

    # SQLAlchemy wants an async driver to be awaited, also where there is nothing to wait for.
    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        values = () if parameters is None else parameters
        self._keep(
            _finish(lambda cursor: cursor.execute(operation, values), self._sqlite_connection)
        )

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        def run(cursor: sqlite3.Cursor) -> object:
            return cursor.executemany(operation, seq_of_parameters)

        if len(seq_of_parameters) < _BULK_ROWS:
            self._keep(_finish(run, self._sqlite_connection))
        else:
            self._keep(await self._in_thread(run))

    def execute_with_lock(self, operation: str) -> None:
        """Run a statement that takes a lock: at once if it is free, else in the thread, which waits
        for it.
        """
        try:
            self._keep(_finish(lambda cursor: cursor.execute(operation), self._sqlite_connection))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                self._adapt_connection._handle_exception(error)
            self._wait_in_thread(operation)

    def _wait_in_thread(self, operation: str) -> None:
        connection: Any = self._adapt_connection

        def run(cursor: sqlite3.Cursor) -> None:
            cursor.execute(f"PRAGMA busy_timeout = {connection.lock_ms}")
            try:
                cursor.execute(operation)
            finally:
                cursor.execute("PRAGMA busy_timeout = 0")

        connection.is_settled = False
        try:
            finished = await_(self._in_thread(run))
        except sqlite3.Error as error:
            connection.is_settled = True
            connection._handle_exception(error)
        connection.is_settled = True
        self._keep(finished)

    async def _in_thread(self, run: Callable[[sqlite3.Cursor], object]) -> Finished:
        connection: Any = self._connection
        finished: Finished = await connection._execute(_finish, run, self._sqlite_connection)
        return finished

    @property
    def _sqlite_connection(self) -> sqlite3.Connection:
        connection: Any = self._connection
        owned: sqlite3.Connection = connection._conn
        return owned

    def _keep(self, finished: Finished) -> None:
        self._cursor = finished
        self._rows = deque(finished.rows)


class DirectConnection(AsyncAdapt_aiosqlite_connection):
    """A connection with such cursors.

    ``is_settled`` is false while the thread may still be at a statement whose asker was cancelled:
    whether there is a transaction is then known only after it. ``lock_ms`` is how long the thread
    waits for a lock that somebody holds.
    """

    __slots__ = ("is_settled", "lock_ms", "only_reads")
    _cursor_cls = DirectCursor

    def __init__(self, dbapi: Any, connection: Any, *, only_reads: bool) -> None:
        super().__init__(dbapi, connection)
        self.is_settled = True
        self.lock_ms = 10_000
        self.only_reads = only_reads

    def rollback(self) -> None:
        """Roll back, if there is anything: the pool asks for it whenever a connection returns."""
        connection: Any = self._connection
        if not connection._connection:
            return
        if self.only_reads:
            connection._conn.rollback()
        elif not self.is_settled or connection._conn.in_transaction:
            super().rollback()
            self.is_settled = True


def driver_connection(connection: AsyncConnection) -> sqlite3.Connection:
    """The bare connection under one of these, in the transaction that SQLAlchemy has begun."""
    sync = connection.sync_connection
    assert sync is not None
    adapted: Any = sync.connection.dbapi_connection
    bare: sqlite3.Connection = adapted._connection._conn
    return bare


async def _opened(*args: Any, **options: Any) -> aiosqlite.Connection:
    """A connection; who is cancelled, or gets none, goes on when its thread has ended. Left alone,
    that would tell a loop how it went which may be closed by then.
    """
    connection = aiosqlite.connect(*args, **options)
    connection._thread.daemon = True
    opening = asyncio.ensure_future(connection)
    try:
        return await asyncio.shield(opening)
    except BaseException:
        try:
            with suppress(sqlite3.Error):
                await (await opening).close()
        finally:  # also when the loop ends, and with it all tasks, this one and that which opens
            if connection._thread.is_alive():
                connection.stop()
                connection._thread.join()
        raise


def use_direct_connections(engine: AsyncEngine, *, only_reads: bool) -> None:
    """Make all connections of a SQLite engine of this kind."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(dialect: Any, _record: Any, args: Any, options: Any) -> DirectConnection:
        plain = dialect.connect(*args, async_creator_fn=_opened, **options)
        return DirectConnection(plain.dbapi, plain._connection, only_reads=only_reads)
