"""A small SQLite file used from one thread of its own, so that the loop never waits for a disk."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal, TypeVar

from client_tui.core.errors import StorageFailed, StorageTooNew, StorageUnreadable
from client_tui.core.files import private_directory

Result = TypeVar("Result")

_UNREADABLE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""The file is no database, a broken one, or one with other tables. A full disk is none of these."""
_WAIT_S: Final = 10.0
"""So long another program may have the file for itself."""
_LOOK_AGAIN_S: Final = 0.01


class Database:
    """One file, one connection, one thread; every :meth:`run` is one transaction."""

    def __init__(
        self,
        path: Path,
        schema: Sequence[str],
        *,
        synchronous: Literal["FULL", "NORMAL"],
    ) -> None:
        """``schema`` is the script of each version; version n is ``schema[:n]`` (append only)."""
        self.path = path
        self._schema = schema
        self._synchronous = synchronous
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=path.stem)
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open and bring the schema up to date.

        Raises :class:`StorageFailed`, and of these :class:`StorageTooNew` for a file of a newer
        version.
        """
        await self._on_thread(self._open)

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``work`` in one transaction: all of it is on disk afterwards, or nothing.

        Raises :class:`StorageFailed`, for instance when the disk is full, and of these
        :class:`StorageUnreadable` when it is the file that is no good.
        """
        return await self._on_thread(lambda: self._transact(work))

    async def version(self) -> int:
        """A number that is another one once another program has changed the file.

        Asked without a transaction, so that it takes no lock from anybody.
        """
        return await self._on_thread(
            lambda: int(self._connected().execute("PRAGMA data_version").fetchone()[0])
        )

    async def replace(self) -> None:
        """Throw the file away and go on with an empty one."""
        await self._on_thread(self._replace)

    async def close(self) -> None:
        """Finish what was asked for, then close."""
        await self._on_thread(self._close)
        self._thread.shutdown()

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._thread, work)
        try:
            # What has begun on disk is finished even if nobody waits for it any more.
            return await asyncio.shield(running)
        except sqlite3.Error as error:
            kind = StorageUnreadable if _kind(error) in _UNREADABLE else StorageFailed
            raise kind(f"{self.path} cannot be used: {error}.") from error
        except OSError as error:
            raise StorageFailed(f"{self.path} cannot be used: {error.strerror}.") from error

    def _open(self) -> None:
        private_directory(self.path.parent)
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=_WAIT_S)
        try:
            self.path.chmod(0o600)
            _write_ahead(connection)
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            self._connection = connection
            self._transact(self._migrate)
        except BaseException:
            self._connection = None
            connection.close()
            raise

    def _migrate(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(self._schema):
            raise StorageTooNew(f"{self.path} was written by a newer version of Picky.")
        if version == len(self._schema):
            return  # without a write: a full disk can still be read
        for script in self._schema[version:]:
            for statement in script.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(self._schema)}")

    def _transact(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._connected()
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageFailed(f"{self.path} is closed.")
        return self._connection

    def _replace(self) -> None:
        self._close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self._open()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _kind(error: sqlite3.Error) -> int:
    """The lowest byte of its code; the rest says more than one needs to know."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log. For a program that has the file just when it changes to that, as one
    that makes it at the same moment, SQLite itself does not wait.
    """
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _kind(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_LOOK_AGAIN_S)
        else:
            return
