"""Engines and column types for both databases. Nothing outside this file knows which one it is,
but for the text search and the message log, which ask :func:`is_sqlite`.
"""

import sqlite3
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    MetaData,
    Uuid,
    event,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator

from server.platform.pooler import Pooler
from server.platform.sqlite_connection import use_direct_connections

if TYPE_CHECKING:
    from server.platform.replica import Replica

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_IMPATIENT_MS = 250
"""How long a lock is waited for by what is written for many."""

Item = TypeVar("Item")


def microseconds(moment: datetime) -> int:
    """A moment as SQLite stores it: microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The moment that SQLite stores as these microseconds."""
    return _EPOCH + timedelta(microseconds=microseconds)


def stored_moment(stored: datetime | int) -> datetime:
    """A moment as a hand-written statement reads it: microseconds on SQLite."""
    return moment(stored) if isinstance(stored, int) else stored


def stored_id(id_: UUID | str) -> UUID:
    """An id as a hand-written statement reads it: hexadecimal digits on SQLite."""
    return UUID(id_) if isinstance(id_, str) else id_


def slices(items: Collection[Item], most: int = 10_000) -> Iterator[Sequence[Item]]:
    """``items`` in parts that one statement can name: a database takes 32,766 parameters."""
    items = list(items)
    return (items[start : start + most] for start in range(0, len(items), most))


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC: ``timestamptz`` on PostgreSQL, integer microseconds on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The column type of the dialect."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the database."""
        if value is None or dialect.name == "postgresql":
            return value
        return microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return moment(value)


JsonValue = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """The base of every table; declared as classes, always read by explicit columns."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime(),
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JsonValue,
        list[Any]: JsonValue,
    }


class Entity:
    """Base timestamps and soft delete, for every table of a domain."""

    created_at: Mapped[datetime] = mapped_column(sort_order=900)
    updated_at: Mapped[datetime] = mapped_column(sort_order=901)
    deleted_at: Mapped[datetime | None] = mapped_column(sort_order=902)


def refers_to(target: str, **options: Any) -> MappedColumn[Any]:
    """A column that refers to an id, ``table.column``.

    Its type is given here: SQLAlchemy would take it from the target, which is not known yet when a
    statement is built while the tables of the other room are still to be imported.
    """
    return mapped_column(Uuid(as_uuid=True), ForeignKey(target), **options)


def live(entity: type[Entity]) -> ColumnElement[bool]:
    """The condition of every ordinary read: not deleted."""
    return entity.deleted_at.is_(None)


class Database:
    """A writer and a pool of readers.

    On SQLite the writer is one connection whose transactions begin IMMEDIATE (H14), and readers
    are query-only. On PostgreSQL both are the same pool.

    ``snapshot`` reads all of a transaction as of one moment. ``impatient`` writes what is written
    together for many, and gives up on a lock that somebody holds for long: on SQLite there is one
    lock for all, and it is the writer. ``replica`` is there when PostgreSQL has one.
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
        itself, is taken for one that is away.
        """
        self._url = make_url(url)
        self._pooler = pooler
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self.replica: Replica | None = None
        if self.is_sqlite:
            target = self._url.set(drivername="sqlite+aiosqlite")
            self.writer = _sqlite_engine(target, pool_size=1, only_reads=False)
            self.reader = _sqlite_engine(target, pool_size=4, only_reads=True)
            self.snapshot, self.impatient = self.reader, self.writer
            return
        # asyncpg is not needed for SQLite
        from server.platform import postgresql, replica

        statement_ms, lock_ms = int(statement_s * 1000), int(lock_s * 1000)
        usual = postgresql.Limits(statement_ms, lock_ms)
        impatient = postgresql.Limits(statement_ms, min(lock_ms, _IMPATIENT_MS))

        def engine(url: URL, limits: postgresql.Limits, **options: Any) -> AsyncEngine:
            return postgresql.create_engine(
                url, limits, pooler=pooler, answer_s=answer_s, **options
            )

        self.writer = engine(self._url, usual, pool_size=pool_size)
        self.impatient = engine(self._url, impatient, pool_size=1)
        self.reader = postgresql.reading(self.writer, pooler)
        self.snapshot = self.writer.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        if replica_url is not None:
            # A connection that has died is noticed before it is used: the primary is there.
            copies = engine(make_url(replica_url), usual, pool_size=pool_size, pool_pre_ping=True)
            reader = postgresql.reading(copies, pooler)
            self.replica = replica.Replica(self.reader, reader, most_behind_s=replica_lag_s)

    @asynccontextmanager
    async def unlimited(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that takes as long as it takes: for migrations."""
        if self.is_sqlite:
            async with self.writer.begin() as connection:
                yield connection
            return
        from server.platform import postgresql

        engine = postgresql.create_engine(
            self._url, postgresql.Limits(0, 0), pooler=self._pooler, answer_s=None, pool_size=1
        )
        try:
            async with engine.begin() as connection:
                yield connection
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Close every connection."""
        await self.writer.dispose()
        await (self.reader if self.is_sqlite else self.impatient).dispose()
        if self.replica is not None:
            await self.replica.close()


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
        connection.connection.cursor().execute_in_thread(begin)
    except sqlite3.Error as error:  # SQLAlchemy wraps those of statements, but not of listeners
        raise sqlite_failure(begin, error) from error


def sqlite_failure(statement: str, error: sqlite3.Error) -> Exception:
    """An error of the bare driver as SQLAlchemy would raise it."""
    return DBAPIError.instance(statement, None, error, sqlite3.Error, hide_parameters=True)


def is_sqlite(connection: AsyncConnection) -> bool:
    """Whether this connection speaks to SQLite."""
    return connection.dialect.name == "sqlite"


DATABASE_FAILURES = (SQLAlchemyError, OSError, TimeoutError)
"""What a database that is away or overrun raises; what was asked may be asked again."""


_AWAY_OR_OVERRUN = ("08", "40", "53", "55", "57", "58")
"""Classes of PostgreSQL's codes: connection, rollback (of a read that a replica cancels, say),
resources, locks, operator and timeout, system.
"""
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


def why_unavailable(error: Exception) -> str | None:
    """One line for people about a database that is away or overrun; None for any other error."""
    if not is_unavailable(error):
        return None
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"the database cannot be used: {reason}"


class LostRace(Exception):
    """Another transaction was first; running this one again sees what it did."""


@contextmanager
def races_named() -> Iterator[None]:
    """Turn serialisation failures, deadlocks, locks that others hold for long and lost unique
    races into :class:`LostRace`.
    """
    try:
        yield
    except DBAPIError as error:
        if _is_race(error):
            raise LostRace(str(error.orig)) from error
        raise


def _is_race(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    if code is not None:
        return code in {"40001", "40P01", "55P03", "23505"}
    text = str(error.orig)
    return "UNIQUE constraint failed" in text or "database is locked" in text
