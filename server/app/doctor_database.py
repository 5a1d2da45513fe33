"""Whether a PostgreSQL that answers is one to run a market on."""

from collections.abc import Iterator
from datetime import timedelta

from server.app.findings import Finding, bad, good, noted
from server.app.settings import Environment, Settings
from server.platform.clock import Clock
from server.platform.database import Database
from server.platform.database_rights import missing_rights
from server.platform.database_state import PostgresState, postgres_state
from server.platform.migration_steps import refused_from
from server.platform.postgres_programs import ProgramFailed, ProgramMissing, find, server_version

MOST_SKEW = timedelta(seconds=2)
"""Leases, tickets and signatures are held to this machine's clock, and to those of the others."""

_TIME_ENOUGH = timedelta(days=3)
"""For what is rightly under way to end by itself, before the day from which events are refused."""

_BESIDE_THE_POOL = 2
_PROGRAMS = ("pg_dump", "pg_restore")


async def examine_rights(database: Database) -> list[Finding]:
    """Whether the role that the settings name may do what a process does."""
    missing = await missing_rights(database)
    if not missing:
        return [good("rights", "the role may read and write rows, and make and drop days")]
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    mend = "run deploy/database/roles.sql, and let PICKY_DATABASE_URL name a role of it"
    return [bad("rights", f"the role lacks {missing[0]}{more}", mend)]


async def examine_postgres(database: Database, settings: Settings, clock: Clock) -> list[Finding]:
    """Its clock, its connections, and whether it keeps what it acknowledges."""
    state = await postgres_state(database, clock)
    return [
        *_writable(state),
        *await _refusals(database, clock),
        _clock(state),
        _connections(state, settings),
        _durability(state, settings),
        await _programs(database),
    ]


def _writable(state: PostgresState) -> Iterator[Finding]:
    if state.replica:
        mend = "let PICKY_DATABASE_URL name the primary"
        yield bad("database", "it is a replica, which takes no writes", mend)


async def _refusals(database: Database, clock: Clock) -> list[Finding]:
    async with database.reader.connect() as connection:
        day = await refused_from(connection)
    if day is None:
        return []
    tell = noted if day - clock.now().date() > _TIME_ENOUGH else bad
    state = (
        "a migration, or a worker making days, is under way or stopped half-way:"
        f" from {day} on events are refused"
    )
    return [tell("migration", state, "run `picky-server migrate`, and then a worker, before that")]


def _clock(state: PostgresState) -> Finding:
    seconds = state.ahead.total_seconds()
    if abs(state.ahead) > MOST_SKEW:
        which = "ahead of" if seconds > 0 else "behind"
        mend = "let both machines keep their time by NTP"
        return bad("clock", f"the database's is {abs(seconds):.1f} s {which} this machine's", mend)
    return good("clock", f"within {MOST_SKEW.total_seconds():.0f} s of the database's")


def _connections(state: PostgresState, settings: Settings) -> Finding:
    """Whether one more process like this one finds room."""
    needed = settings.database_pool + _BESIDE_THE_POOL
    free = state.connections - state.in_use
    counted = f"{state.in_use} of {state.connections} are in use, a process takes up to {needed}"
    if free < needed:
        mend = "raise PostgreSQL's max_connections, or lower PICKY_DATABASE_POOL"
        return bad("connections", counted, mend)
    return good("connections", f"{counted}: room for {free // needed} more")


def _durability(state: PostgresState, settings: Settings) -> Finding:
    if not state.switched_off:
        return good("durability", "what is acknowledged is on disk")
    names = ", ".join(state.switched_off)
    if settings.environment is Environment.TEST:
        return good("durability", f"{names} off, as tests may have it")
    mend = f"set {names} to on in PostgreSQL's configuration"
    return bad("durability", f"{names} off: a crash may lose what was acknowledged", mend)


async def _programs(database: Database) -> Finding:
    """What `picky-server backup` and `restore` need; a server works without."""
    async with database.reader.connect() as connection:
        version = await server_version(connection)
    try:
        for name in _PROGRAMS:
            await find(name, version)
    except ProgramMissing as missing:
        return noted("backup", missing.problem, f"to back up from here, {missing.mend}")
    except ProgramFailed as failed:
        return noted("backup", str(failed), "see why it does not run; backups from here need it")
    return good("backup", f"{' and '.join(_PROGRAMS)} are of version {version} or newer")
