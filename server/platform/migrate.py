"""Applies the Alembic migrations in ``migrations/``, on both databases."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.database import DATABASE_FAILURES, Database
from server.platform.pooler import Pooler

MIGRATION_LOCK = 0x7069636B79
"""The advisory lock of who migrates a PostgreSQL database; it ends with the transaction."""

log = structlog.get_logger("migrate")


class SchemaTooOld(Exception):
    """This version needs a newer schema; the message says how to get it."""


class HalfRestored(Exception):
    """The database has tables, but no version of them: a restore has not come to its end."""


def _config(connection: Any) -> Any:
    from alembic.config import Config  # costs 100 ms to import

    config = Config()
    config.set_main_option("script_location", str(Path(str(files("migrations")))))
    config.set_main_option("sourceless", str(getattr(sys, "frozen", False)).lower())
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Any) -> None:
    from alembic import command

    present = _present(connection)
    if revision_of(connection) is None and inspect(connection).has_table("platform_stream"):
        raise HalfRestored(
            "a restore into this database was interrupted: its tables have no version yet. "
            "Empty the database and run `picky-server restore` again"
        )
    if present > newest_schema():
        log.warning("schema_is_newer", schema=present, known=newest_schema())
        return
    command.upgrade(_config(connection), "head")


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
    migration leaves what the version before it uses.
    """
    async with database.reader.connect() as connection:
        present = await connection.run_sync(_present)
    if present < newest_schema():
        raise SchemaTooOld(
            f"the database's schema is {present:04}, this version needs {newest_schema():04}: "
            "run `picky-server migrate`, then start again"
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
    """The one transaction that may change the schema now; it takes as long as it takes."""
    async with database.unlimited() as connection:
        if not database.is_sqlite:  # SQLite holds its one write lock by now
            await connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        yield connection


async def upgrade_database(database: Database) -> None:
    """Bring the schema to the newest revision; does nothing when it is there already.

    Nodes that start together do it one after the other. Raises :class:`HalfRestored`.
    """
    async with migrating(database) as connection:
        await connection.run_sync(_upgrade)


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
