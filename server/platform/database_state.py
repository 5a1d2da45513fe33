"""What PostgreSQL says of itself, for whoever runs the server."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from server.platform.clock import Clock
from server.platform.database import Database

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
"""With one of these off, what was acknowledged may be lost when the machine fails."""

_STATE = text(
    "SELECT clock_timestamp() AS now, pg_is_in_recovery() AS replica,"
    " current_setting('fsync') AS fsync,"
    " current_setting('synchronous_commit') AS synchronous_commit,"
    " current_setting('full_page_writes') AS full_page_writes,"
    " current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int"
    " - coalesce(current_setting('reserved_connections', true), '0')::int AS connections,"
    " (SELECT count(*) FROM pg_stat_activity"
    "  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS in_use"
)


@dataclass(frozen=True, slots=True)
class PostgresState:
    """``ahead`` is by how much its clock is before this machine's. ``switched_off`` are those of
    :data:`DURABLE` that are. ``connections`` are there for all that connect, ``in_use`` by others.
    """

    ahead: timedelta
    replica: bool
    switched_off: tuple[str, ...]
    connections: int
    in_use: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Which database this is. A server and its replicas have one number, which is None where it is
    not told to everybody.
    """

    replica: bool
    database: str
    system: int | None


_IDENTITY = text(
    "SELECT pg_is_in_recovery() AS replica, current_database() AS database,"
    " has_function_privilege('pg_control_system()', 'EXECUTE') AS tells_system"
)
_SYSTEM = text("SELECT system_identifier FROM pg_control_system()")


async def identity(engine: AsyncEngine) -> Identity:
    """Ask a PostgreSQL that can be reached who it is."""
    async with engine.connect() as connection:
        row = (await connection.execute(_IDENTITY)).one()
        system = await connection.scalar(_SYSTEM) if row.tells_system else None
    return Identity(row.replica, row.database, system)


async def postgres_state(database: Database, clock: Clock) -> PostgresState:
    """Ask a PostgreSQL that can be reached."""
    async with database.reader.connect() as connection:
        before = clock.now()
        row = (await connection.execute(_STATE)).one()
        asked = before + (clock.now() - before) / 2
    return PostgresState(
        ahead=row.now - asked,
        replica=row.replica,
        switched_off=tuple(name for name in DURABLE if getattr(row, name) == "off"),
        connections=row.connections,
        in_use=row.in_use,
    )
