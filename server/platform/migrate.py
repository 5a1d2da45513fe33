"""Applies the Alembic migrations in ``migrations/``, on both databases."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.platform.database import Database
from server.platform.failures import DATABASE_FAILURES
from server.platform.migration_steps import (
    MIGRATES,
    MigrationBlocked,
    Patience,
    Steps,
    refused_from,
)
from server.platform.pooler import Pooler

__all__ = [
    "MIGRATION_LOCK",
    "HalfRestored",
    "MigrationBlocked",
    "SchemaTooOld",
    "knows_revision",
    "migrating",
    "newest_schema",
    "require_schema",
    "revision_of",
    "schema_is_current",
    "upgrade",
    "upgrade_database",
    "upgrade_from",
]

MIGRATION_LOCK = 0x7069636B79
"""The advisory lock of who migrates a PostgreSQL database; it ends with the transaction, which may
go through a pooler.
"""
_TRY_TO_LOCK = select(func.pg_try_advisory_xact_lock(MIGRATION_LOCK))
_LOOK_AGAIN_S = 0.5

PATIENCE = Patience()

Result = TypeVar("Result")

log = structlog.get_logger("migrate")


class SchemaTooOld(Exception):
    """This version needs a newer schema; the message says how to get it."""


class HalfRestored(Exception):
    """The database has tables, but no version of them: a restore has not come to its end."""


def _config(connection: Any, *, is_alone: bool = True) -> Any:
    """``is_alone``: the connection is in a transaction, and nobody uses the tables meanwhile."""
    from alembic.config import Config  # costs 100 ms to import

    config = Config()
    config.set_main_option("script_location", str(Path(str(files("migrations")))))
    config.set_main_option("sourceless", str(getattr(sys, "frozen", False)).lower())
    config.attributes["connection"] = connection
    config.attributes["is_alone"] = is_alone
    return config


def _next(connection: Any) -> str | None:
    """The revision that is to come next, None when it is the newest already, or a newer one."""
    present = _present(connection)
    if revision_of(connection) is None and inspect(connection).has_table("platform_stream"):
        raise HalfRestored(
            "a restore into this database was interrupted: its tables have no version yet. "
            "Empty the database and run `picky-server restore` again"
        )
    if present > newest_schema():
        log.warning("schema_is_newer", schema=present, known=newest_schema())
    return f"{present + 1:04}" if present < newest_schema() else None


def _upgrade(connection: Any) -> None:
    from alembic import command

    if _next(connection) is not None:
        command.upgrade(_config(connection), "head")


def _take_a_step(connection: Any, revision: str) -> None:
    from alembic import command

    command.upgrade(_config(connection, is_alone=False), revision)


def _stamp_and_upgrade(connection: Any, revision: str) -> None:
    from alembic import command

    if revision_of(connection) is None:
        command.stamp(_config(connection), revision)
    _upgrade(connection)


def revision_of(connection: Any) -> str | None:
    """The revision of the schema in a database, None where there is none."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def knows_revision(revision: str) -> bool:
    """Whether this process's code can bring a schema of that revision to the newest."""
    from alembic.script import ScriptDirectory

    known = ScriptDirectory.from_config(_config(None)).walk_revisions()
    return revision in {script.revision for script in known}


@cache
def newest_schema() -> int:
    """The newest revision of this process's code: reading all of them costs 10 ms and more."""
    from alembic.script import ScriptDirectory

    return _number(ScriptDirectory.from_config(_config(None)).get_current_head())


def _number(revision: str | None) -> int:
    """Revisions are numbered; 0 is a database without a schema, or with somebody else's."""
    return int(revision) if revision and revision.isdecimal() else 0


def _present(connection: Any) -> int:
    return _number(revision_of(connection))


async def require_schema(database: Database) -> None:
    """Raise :class:`SchemaTooOld` unless the schema is what this version needs, or newer.

    A newer one is that of the version to come, which migrates before its processes start: every
    migration leaves what the version before it uses. Asked on a connection of its own: where all
    others are in use, nothing is wrong with the schema.
    """
    async with database.probe.connect() as connection:
        present = await connection.run_sync(_present)
        if present >= newest_schema():
            return
        day = None if database.is_sqlite else await refused_from(connection)
    before = f" before {day}, from when on events would be refused" if day else ""
    raise SchemaTooOld(
        f"the database's schema is {present:04}, this version needs {newest_schema():04}: "
        f"run `picky-server migrate`{before}, then start again"
    )


async def schema_is_current(database: Database) -> bool:
    """Whether the database is reachable and has the schema that this version needs, or a newer."""
    try:
        await require_schema(database)
    except (SchemaTooOld, *DATABASE_FAILURES):
        return False
    return True


@asynccontextmanager
async def migrating(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction in which nobody else changes the schema; it takes as long as it takes.

    Who waits for it is in no transaction on PostgreSQL: building an index would wait for that.
    """
    while True:
        async with database.unlimited() as connection:
            # SQLite holds its one write lock by now
            if database.is_sqlite or await connection.scalar(_TRY_TO_LOCK):
                yield connection
                return
        log.info("another_process_migrates")
        await asyncio.sleep(_LOOK_AGAIN_S)


async def upgrade_database(database: Database, patience: Patience | None = None) -> None:
    """Bring the schema to the newest revision; does nothing when it is there already.

    Nodes that start together do it one after the other. On PostgreSQL each revision is there when
    it is done, and whoever comes next goes on after it. Raises :class:`HalfRestored` and
    :class:`MigrationBlocked`.
    """
    async with migrating(database) as guard:
        if database.is_sqlite:
            await guard.run_sync(_upgrade)
            return
        patience = patience or PATIENCE
        async with database.unlimited_engine(lock_s=patience.lock_s, name=MIGRATES) as engine:
            steps = Steps(guard, engine, patience)
            while (revision := await _asked(engine, _next)) is not None:
                await steps.take(revision, partial(_asked, engine, _take_a_step, revision))


async def _asked(engine: AsyncEngine, question: Callable[..., Result], *arguments: Any) -> Result:
    """Whatever it begins on the connection that it does not commit itself is rolled back."""
    async with engine.connect() as connection:
        return await connection.run_sync(question, *arguments)


async def upgrade_from(connection: AsyncConnection, revision: str) -> None:
    """The same for tables that were restored, which have that revision and may not say so yet."""
    await connection.run_sync(_stamp_and_upgrade, revision)


def upgrade(database_url: str, *, pooler: Pooler = Pooler.NONE) -> None:
    """The same from outside an event loop, for the command line and the tests."""

    async def run() -> None:
        database = Database(database_url, pooler=pooler)
        try:
            await upgrade_database(database)
        finally:
            await database.close()

    asyncio.run(run())
