"""Whether a PostgreSQL that answers is one to run a market on."""

from collections.abc import Iterator
from datetime import timedelta

from server.app.findings import Finding, bad, good
from server.app.settings import Environment, Settings
from server.platform.clock import Clock
from server.platform.database import Database
from server.platform.database_state import PostgresState, postgres_state

MOST_SKEW = timedelta(seconds=2)
"""Leases, tickets and signatures are held to this machine's clock, and to those of the others."""

_BESIDE_THE_POOL = 1


async def examine_postgres(database: Database, settings: Settings, clock: Clock) -> list[Finding]:
    """Its clock, its connections, and whether it keeps what it acknowledges."""
    state = await postgres_state(database, clock)
    return [
        *_writable(state),
        _clock(state),
        _connections(state, settings),
        _durability(state, settings),
    ]


def _writable(state: PostgresState) -> Iterator[Finding]:
    if state.replica:
        mend = "let PICKY_DATABASE_URL name the primary"
        yield bad("database", "it is a replica, which takes no writes", mend)


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
