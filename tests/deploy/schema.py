"""The number of the schema that a database says it has."""

from sqlalchemy import text

from server.platform.database import Database


async def set_version(database: Database, version: int) -> None:
    """Have the database say that it has been migrated to this version."""
    async with database.writer.begin() as connection:
        await connection.execute(
            text("UPDATE alembic_version SET version_num = :version"), {"version": f"{version:04}"}
        )


async def version_of(database: Database) -> int:
    """What it says."""
    async with database.reader.connect() as connection:
        found = await connection.execute(text("SELECT version_num FROM alembic_version"))
        return int(found.scalar_one())
