"""The whole database as one file, and back; whichever database it is.

SQLite is copied by its online backup, PostgreSQL dumped by its own programs. Neither stops who
reads and writes meanwhile.
"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, inspect, select, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform import event_days, postgres_programs, streams
from server.platform.context import Context
from server.platform.database import Database
from server.platform.disk import sync
from server.platform.holding import end_hold
from server.platform.migrate import migrating, upgrade_from
from server.platform.postgres_programs import ProgramFailed
from server.platform.sqlite_damage import damage
from server.platform.unit_of_work import UnitOfWork

__all__ = [
    "Dump",
    "NotRestored",
    "NotWritten",
    "ProgramFailed",
    "check_target",
    "count_rows",
    "dumped",
    "restore",
    "sqlite_file",
]

_VERSIONS = "alembic_version"
"""The table that names the schema's revision. No dump of PostgreSQL holds it: it is written when
all the rest is there, so that no server takes half a database for a whole one."""

_RESTORE = "Restore an earlier backup"


class NotWritten(Exception):
    """A file of SQLite could not be written or read; the message says why."""


class NotRestored(Exception):
    """The database was not filled; the message says why."""


@dataclass(frozen=True, slots=True)
class Dump:
    """A dumped database: its file, its schema's revision, and how many rows each table has."""

    file: Path
    revision: str
    rows: Mapping[str, int]


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database, None for a database server."""
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite"
    return Path(parsed.database or "") if is_file else None


async def count_rows(connection: AsyncConnection) -> dict[str, int]:
    """How many rows each table has."""
    names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    return {
        name: await connection.scalar(select(func.count()).select_from(table(name))) or 0
        for name in sorted(names)
        if name != _VERSIONS and not event_days.is_part(name)
    }


@asynccontextmanager
async def dumped(context: Context, url: str, target: Path) -> AsyncIterator[UnitOfWork]:
    """Dump the database to a file, and read it exactly as it is in there.

    Raises :class:`ProgramFailed` and :class:`NotWritten`.
    """
    file = sqlite_file(url)
    dumping = (
        _dumped_postgresql(context, url, target) if file is None else _copied(context, file, target)
    )
    async with dumping as work:
        yield work


@asynccontextmanager
async def _copied(context: Context, file: Path, target: Path) -> AsyncIterator[UnitOfWork]:
    def copy() -> None:
        with (
            _translated_errors(target),
            closing(sqlite3.connect(file)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)

    await asyncio.to_thread(copy)
    if wrong := await asyncio.to_thread(damage, target):
        raise NotWritten(f"{file} is damaged, and its backup would be too: {wrong}. {_RESTORE}")
    database = Database(f"sqlite:///{target}")
    try:
        async with database.reader.connect() as connection:
            yield UnitOfWork(context, connection, None)
    finally:
        await database.close()
    await asyncio.to_thread(_make_one_file, target)


@asynccontextmanager
async def _dumped_postgresql(context: Context, url: str, target: Path) -> AsyncIterator[UnitOfWork]:
    async with context.database.unlimited() as connection:
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        version = await postgres_programs.server_version(connection)
        snapshot = await connection.scalar(select(func.pg_export_snapshot()))
        await postgres_programs.dump(url, version, target, snapshot=str(snapshot), but=_VERSIONS)
        yield UnitOfWork(context, connection, None)


async def restore(context: Context, url: str, dump: Dump) -> None:
    """Fill an empty database from a dump; it ends with the newest schema and with new epochs.

    Raises :class:`NotRestored`, :class:`NotWritten` and :class:`ProgramFailed`. Who is killed in
    the midst leaves no database that a server takes.
    """
    file = sqlite_file(url)
    if file is None:
        await _restore_postgresql(context, url, dump)
    else:
        await _restore_sqlite(context, file, dump)


async def check_target(context: Context, url: str) -> None:
    """Raise :class:`NotRestored` unless a dump can be restored there, as far as is known before.

    :class:`ProgramFailed` when PostgreSQL's programs are missing.
    """
    file = sqlite_file(url)
    if file is not None:
        _refuse_existing(file)
        return
    async with context.database.reader.connect() as connection:
        await _refuse_tables(connection)
        version = await postgres_programs.server_version(connection)
    await postgres_programs.find("pg_restore", version)


async def _restore_postgresql(context: Context, url: str, dump: Dump) -> None:
    """Servers that start meanwhile wait to migrate until it is done."""
    is_filled = False
    try:
        async with migrating(context.database) as connection:
            await _refuse_tables(connection)
            version = await postgres_programs.server_version(connection)
            await postgres_programs.restore(url, version, dump.file)
            is_filled = True
            await _finish(context, connection, dump)
    except BaseException:
        if is_filled:
            await _drop_tables(context)
        raise


async def _drop_tables(context: Context) -> None:
    """Empty a database that was empty, but for what was restored."""
    async with context.database.unlimited() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        await connection.execute(text(f"DROP TABLE {', '.join(names)} CASCADE"))
        functions = ", ".join(event_days.FUNCTIONS)
        await connection.execute(text(f"DROP FUNCTION IF EXISTS {functions}"))


async def _restore_sqlite(context: Context, file: Path, dump: Dump) -> None:
    _refuse_existing(file)
    unfinished = file.with_name(f"{file.name}.restoring")
    try:
        await asyncio.to_thread(shutil.copyfile, dump.file, unfinished)
        database = Database(f"sqlite:///{unfinished}")
        try:
            async with migrating(database) as connection:
                await _finish(context, connection, dump)
        finally:
            await database.close()
        await asyncio.to_thread(_make_one_file, unfinished)
        if wrong := await asyncio.to_thread(damage, unfinished):
            raise NotRestored(f"the backup's database is damaged: {wrong}. {_RESTORE}")
        try:
            os.link(unfinished, file)
        except FileExistsError:
            _refuse_existing(file)
        await asyncio.to_thread(sync, file.parent)
    finally:
        for end in ("", "-wal", "-shm"):
            unfinished.with_name(unfinished.name + end).unlink(missing_ok=True)


async def _refuse_tables(connection: AsyncConnection) -> None:
    if await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
        raise NotRestored(
            "the database has tables already, of a market or of a restore that was interrupted. "
            "Name an empty one in PICKY_DATABASE_URL, or make this one anew"
        )


def _refuse_existing(file: Path) -> None:
    for end in ("", "-wal", "-shm"):
        there = file.with_name(file.name + end)
        if there.exists():
            raise NotRestored(f"{there} is there already. Name another --data-dir, or move it away")


async def _finish(context: Context, connection: AsyncConnection, dump: Dump) -> None:
    found = await count_rows(connection)
    wrong = [name for name in {**found, **dump.rows} if found.get(name) != dump.rows.get(name)]
    if wrong:
        raise NotRestored(f"the dump has not the rows it should have in {', '.join(wrong)}")
    await upgrade_from(connection, dump.revision)
    work = UnitOfWork(context, connection, None)
    await streams.renew_epochs(work)
    await end_hold(work)
    for day in await event_days.missing(work):
        await event_days.make(work, day)


def _make_one_file(path: Path) -> None:
    """Leave nothing in a log beside a database that nobody has open."""
    with _translated_errors(path), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    sync(path)


@contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise NotWritten(f"{path} cannot be written: {error}") from error
