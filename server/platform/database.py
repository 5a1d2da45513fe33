"""Engines for both databases. No rule knows which one it is: :func:`is_sqlite` is asked by
statements that are written by hand, by text search, and by what looks after a database.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.platform.failures import sqlite_failure
from server.platform.pooler import Pooler
from server.platform.sqlite_connection import use_direct_connections

if TYPE_CHECKING:
    from server.platform.replica import Replica

_IMPATIENT_MS = 250
"""How long a lock is waited for by what is written for many."""
_TRY_MS = 500
"""How long a lock is waited for at a time: who waits holds others', and gives them back."""
_CLOSES_S = 2.0
"""How long all connections together may take to close."""


class Database:
    """A writer and a pool of readers.

    On SQLite the writer is one connection whose transactions begin IMMEDIATE (H14), and readers
    are query-only. On PostgreSQL both are the same pool.

    ``snapshot`` reads all of a transaction as of one moment. ``impatient`` writes what is written
    together for many, by the same few statements, and gives up on a lock that somebody holds for
    long: on SQLite there is one lock for all, and it is the writer. ``probe`` is a connection of
    its own, by which is asked how the database is also when all others are in use. ``replica`` is
    there when PostgreSQL has one.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        answer_s: float = 15.0,
        statement_s: float = 10.0,
        lock_s: float = 5.0,
        pooler: Pooler = Pooler.NONE,
        replica_url: str | None = None,
        replica_lag_s: float = 2.0,
    ) -> None:
        """``url`` is ``sqlite:///path`` or ``postgresql://…``; the rest is for PostgreSQL.

        A server that says nothing for ``answer_s``, which must be longer than it gives a statement
        itself, is taken for one that is away. For a lock that somebody holds an action is tried
        ``lock_tries`` times, which makes ``lock_s`` together.
        """
        self._url = make_url(url)
        self.lock_tries = max(1, round(lock_s * 1000 / _TRY_MS))
        self._pooler = pooler
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self.replica: Replica | None = None
        if self.is_sqlite:
            self._open_sqlite()
        else:
            self._open_postgresql(pool_size, answer_s, statement_s, lock_s)
            if replica_url is not None:
                self.replica = self._copied_by(make_url(replica_url), pool_size, replica_lag_s)

    def _open_sqlite(self) -> None:
        target = self._url.set(drivername="sqlite+aiosqlite")
        self.writer = _sqlite_engine(target, pool_size=1, only_reads=False)
        self.reader = _sqlite_engine(target, pool_size=4, only_reads=True)
        self.probe = _sqlite_engine(target, pool_size=1, only_reads=True)
        self.snapshot, self.impatient = self.reader, self.writer

    def _open_postgresql(
        self, pool_size: int, answer_s: float, statement_s: float, lock_s: float
    ) -> None:
        from server.platform import postgresql  # asyncpg is not needed for SQLite

        statement_ms, lock_ms = int(statement_s * 1000), int(lock_s * 1000)
        impatient_ms = min(lock_ms, _IMPATIENT_MS)
        usual = postgresql.Limits(statement_ms, lock_ms, min(lock_ms, _TRY_MS))
        impatient = postgresql.Limits(statement_ms, impatient_ms, impatient_ms)
        self._engine: Callable[..., AsyncEngine] = partial(
            postgresql.create_engine, limits=usual, pooler=self._pooler, answer_s=answer_s
        )
        self.writer = self._engine(self._url, pool_size=pool_size)
        self.impatient = self._engine(self._url, limits=impatient, pool_size=1, keeps_plans=True)
        self.reader = postgresql.reading(self.writer, self._pooler)
        # a connection that has died is noticed before it is used
        probe = self._engine(self._url, pool_size=1, pool_pre_ping=True)
        self.probe = postgresql.reading(probe, self._pooler)
        self.snapshot = self.writer.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def _copied_by(self, url: URL, pool_size: int, most_behind_s: float) -> "Replica":
        from server.platform import postgresql, replica

        # a connection that has died is noticed before it is used: the primary is there
        engine = partial(self._engine, pool_pre_ping=True)
        copies, probe = (
            postgresql.reading(engine(url, pool_size=size), self._pooler) for size in (pool_size, 1)
        )
        probes = replica.Probes(self.probe, probe)
        return replica.Replica(self.reader, copies, probes, most_behind_s=most_behind_s)

    @asynccontextmanager
    async def unlimited(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that takes as long as it takes: for migrations."""
        if self.is_sqlite:
            async with self.writer.begin() as connection:
                yield connection
            return
        async with self.unlimited_engine() as engine, engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def unlimited_engine(
        self, *, lock_s: float = 0, name: str | None = None
    ) -> AsyncIterator[AsyncEngine]:
        """Connections to PostgreSQL for such transactions, which wait so long for a lock."""
        from server.platform import postgresql

        engine = postgresql.create_unlimited_engine(
            self._url,
            lock_ms=int(lock_s * 1000),
            pooler=self._pooler,
            name=name or postgresql.NAME,
        )
        try:
            yield engine
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Close every connection. A server that does not say goodbye in time is not waited for:
        one after another, its connections would take minutes.
        """
        try:
            async with asyncio.timeout(_CLOSES_S):
                await asyncio.gather(*(engine.dispose() for engine in self._engines()))
        except TimeoutError:
            for engine in self._engines():
                await engine.dispose(close=False)

    def _engines(self) -> list[AsyncEngine]:
        """One for each pool."""
        own = [self.writer, self.reader if self.is_sqlite else self.impatient, self.probe]
        return own if self.replica is None else [*own, *self.replica.engines]


def _sqlite_engine(url: URL, *, pool_size: int, only_reads: bool) -> AsyncEngine:
    """An engine whose errors do not tell values: they are logged, and values are texts."""
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, hide_parameters=True)
    _tune_sqlite(engine, only_reads=only_reads)
    return engine


def _tune_sqlite(engine: AsyncEngine, *, only_reads: bool) -> None:
    use_direct_connections(engine, only_reads=only_reads)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 10000")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -16000")
        if only_reads:
            cursor.execute("PRAGMA query_only = ON")
        else:  # the loop does not wait for the write lock
            cursor.execute("PRAGMA busy_timeout = 0")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        if only_reads:
            connection.exec_driver_sql("BEGIN")
        else:
            _take_the_write_lock(connection)


def _take_the_write_lock(connection: Any) -> None:
    begin = "BEGIN IMMEDIATE"
    try:
        connection.connection.cursor().execute_with_lock(begin)
    except sqlite3.Error as error:  # SQLAlchemy wraps those of statements, but not of listeners
        raise sqlite_failure(begin, error) from error


def is_sqlite(connection: AsyncConnection) -> bool:
    """Whether this connection speaks to SQLite."""
    return connection.dialect.name == "sqlite"
