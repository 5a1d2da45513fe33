"""Engines for PostgreSQL: reached directly, or through a pooler that shares connections.

Through a pooler, two transactions of one connection may run in two sessions. So nothing there may
outlive its transaction: no named statement, no setting of a session, no advisory lock but those of
transactions, no LISTEN; and each statement is in a transaction, also one that only reads, because
what was parsed would otherwise be run somewhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.engine import URL, Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.platform.pooler import Pooler
from server.platform.postgres_address import for_asyncpg, without_tls

NAME = "picky"
"""What connections call themselves."""

_CONNECTS_S = 5.0
"""Who has not let one in by then is taken for away, or stands at an address that leads nowhere."""
_TURN_S = 8.0
"""How long one waits for a connection while all are in use."""
_KEEP_PLANS = {"plan_cache_mode": "force_generic_plan"}
"""Left to itself, PostgreSQL plans a statement anew for the values of each time where it believes
that the rest will then cost less; for what is found by its key, planning is most of the cost.
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """When PostgreSQL gives up, in milliseconds; 0 is never.

    What writes waits for a lock for ``try_ms`` at a time, because it holds others meanwhile.
    """

    statement_ms: int
    lock_ms: int
    try_ms: int
    idle_ms: int = 30_000

    @property
    def settings(self) -> Mapping[str, str]:
        """As PostgreSQL names them."""
        return {
            "statement_timeout": str(self.statement_ms),
            "lock_timeout": str(self.lock_ms),
            "idle_in_transaction_session_timeout": str(self.idle_ms),
        }

    @property
    def while_writing(self) -> Mapping[str, str]:
        """The one that differs for what writes."""
        return {"lock_timeout": str(self.try_ms)}


class _LimitedConnection(asyncpg.Connection):  # type: ignore[misc]  # it has no types
    """A connection whose transactions are begun and limited in one round trip."""

    reading, writing = "", ""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        if query.startswith("BEGIN"):
            query += self.reading if "READ ONLY" in query else self.writing
        status: str = await super().execute(query, *args, timeout=timeout)
        return status


def create_engine(
    url: URL,
    limits: Limits,
    *,
    pooler: Pooler,
    answer_s: float | None,
    keeps_plans: bool = False,
    **options: Any,
) -> AsyncEngine:
    """An engine whose errors do not tell values: they are logged, and values are texts.

    A server that says nothing for ``answer_s`` is taken for one that is away. What ``keeps_plans``
    plans each statement once a connection; through a pooler nothing is kept.
    """
    if pooler is Pooler.TRANSACTION:
        connect_args = _shared(limits)
    else:
        connect_args = _limited({}, limits.while_writing)
        plans = _KEEP_PLANS if keeps_plans else {}
        connect_args["server_settings"] = {"application_name": NAME, **limits.settings, **plans}
    connect_args["command_timeout"] = answer_s
    if answer_s is not None:
        connect_args["timeout"] = min(answer_s, _CONNECTS_S)
    return _create_engine(url, connect_args, pool_timeout=_TURN_S, **options)


def create_unlimited_engine(url: URL, *, lock_ms: int, pooler: Pooler, name: str) -> AsyncEngine:
    """An engine for what takes as long as it takes; also to wait for a lock, if ``lock_ms`` is 0.

    The limit comes with each transaction, also without a pooler: what must be outside of one
    waits for everybody and takes no lock that others wait for.
    """
    connect_args = _shared(Limits(0, lock_ms, lock_ms, idle_ms=0))
    settings = Limits(0, 0, 0, idle_ms=0).settings if pooler is Pooler.NONE else {}
    connect_args["server_settings"] = {"application_name": name, **settings}
    return _create_engine(url, connect_args, pool_size=2)


async def hold_no_snapshot(connection: AsyncConnection) -> None:
    """Leave a transaction as one that sees nothing: what is built beside others waits for every
    transaction that might still see what was before. :class:`ConnectionError` if it has ended.

    The portal of the last statement keeps its snapshot until the next message of one line.
    """
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    try:
        await driver.execute("SELECT 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        await connection.invalidate()
        raise ConnectionError(f"a transaction has ended by itself: {error}") from error


def _create_engine(url: URL, connect_args: dict[str, Any], **options: Any) -> AsyncEngine:
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg", query=without_tls(url.query)),
        connect_args={"timeout": _CONNECTS_S, **connect_args, **for_asyncpg(url.query)},
        max_overflow=0,
        hide_parameters=True,
        **options,
    )


def reading(engine: AsyncEngine, pooler: Pooler) -> AsyncEngine:
    """The same connections for reads, whose statements are snapshots of their own.

    Without a transaction where that can be: two round trips a read less.
    """
    if pooler is Pooler.NONE:
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    return engine.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=True)


async def fetch(
    connection: AsyncConnection, statement: str, values: Sequence[Any]
) -> list[asyncpg.Record]:
    """All rows of a statement by the bare driver, in the transaction that SQLAlchemy has begun.

    What SQLAlchemy adds costs four times what a short statement does. A failure is SQLAlchemy's.
    """
    sync = connection.sync_connection
    assert sync is not None
    adapted: Any = sync.connection.dbapi_connection
    try:
        if adapted._transaction is None:
            await adapted._start_transaction()  # nothing where each statement is its own
        rows: list[asyncpg.Record] = await adapted._connection.fetch(statement, *values)
    except BaseException as error:
        await connection.run_sync(_fail, adapted, statement, error)
        raise
    return rows


def _fail(sync: Connection, adapted: Any, statement: str, error: BaseException) -> None:
    """Raise what SQLAlchemy would, which also lets go of a connection that is gone."""
    try:
        if isinstance(error, Exception):
            adapted._handle_exception(error)
        raise error
    except BaseException as named:  # noqa: BLE001 - SQLAlchemy raises it, or what it makes of it
        sync._handle_dbapi_exception(named, statement, None, None, None)


def _shared(limits: Limits) -> dict[str, Any]:
    return {
        **_limited(limits.settings, {**limits.settings, **limits.while_writing}),
        "server_settings": {"application_name": NAME},
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: "",
    }


def _limited(reading: Mapping[str, str], writing: Mapping[str, str]) -> dict[str, Any]:
    """How to make connections whose transactions have these settings."""

    async def connect(**options: Any) -> asyncpg.Connection:
        connection = await asyncpg.connect(connection_class=_LimitedConnection, **options)
        connection.reading, connection.writing = _set_local(reading), _set_local(writing)
        return connection

    return {"async_creator_fn": connect}


def _set_local(settings: Mapping[str, str]) -> str:
    return "".join(f" SET LOCAL {name} = {value};" for name, value in settings.items())
