"""Applies the Alembic migrations in ``migrations/``, on both databases."""

import asyncio
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from server.platform.database import Database

MIGRATION_LOCK = 0x7069636B79
"""The advisory lock of who migrates a PostgreSQL database."""


def _config(connection: Any) -> Any:
    from alembic.config import Config  # costs 100 ms to import

    config = Config()
    config.set_main_option("script_location", str(Path(str(files("migrations")))))
    config.set_main_option("sourceless", str(getattr(sys, "frozen", False)).lower())
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Any) -> None:
    from alembic import command

    command.upgrade(_config(connection), "head")


@cache
def _newest() -> frozenset[str]:
    """The newest revision of this process's code: reading all of them costs 10 ms and more."""
    from alembic.script import ScriptDirectory

    return frozenset(ScriptDirectory.from_config(_config(None)).get_heads())


def _is_current(connection: Any) -> bool:
    from alembic.runtime.migration import MigrationContext

    return set(MigrationContext.configure(connection).get_current_heads()) == _newest()


async def schema_is_current(database: Database) -> bool:
    """Whether the database is reachable and has the newest schema."""
    try:
        async with database.reader.connect() as connection:
            return bool(await connection.run_sync(_is_current))
    except (SQLAlchemyError, OSError):
        return False


async def upgrade_database(database: Database) -> None:
    """Bring the schema to the newest revision; does nothing when it is there already.

    Nodes that start together do it one after the other, and it takes as long as it takes.
    """
    async with database.unlimited() as connection:
        if not database.is_sqlite:  # SQLite holds its one write lock by now
            await connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        await connection.run_sync(_upgrade)


def upgrade(database_url: str) -> None:
    """The same from outside an event loop, for the command line and the tests."""

    async def run() -> None:
        database = Database(database_url)
        try:
            await upgrade_database(database)
        finally:
            await database.close()

    asyncio.run(run())
