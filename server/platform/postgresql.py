"""Engines for PostgreSQL: reached directly, or through a pooler that shares connections.

Through a pooler, two transactions of one connection may run in two sessions. So nothing there may
outlive its transaction: no named statement, no setting of a session, no advisory lock but those of
transactions, no LISTEN; and each statement is in a transaction, also one that only reads, because
what was parsed would otherwise be run somewhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from server.platform.pooler import Pooler

_IDLE_IN_TRANSACTION_MS = 30_000


@dataclass(frozen=True, slots=True)
class Limits:
    """When PostgreSQL gives up, in milliseconds; 0 is never."""

    statement_ms: int
    lock_ms: int

    @property
    def settings(self) -> Mapping[str, str]:
        """As PostgreSQL names them."""
        return {
            "statement_timeout": str(self.statement_ms),
            "lock_timeout": str(self.lock_ms),
            "idle_in_transaction_session_timeout": str(_IDLE_IN_TRANSACTION_MS),
        }


class _SharedConnection(asyncpg.Connection):  # type: ignore[misc]  # it has no types
    """A connection through a pooler: each transaction is begun and limited in one round trip."""

    limits = ""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        if query.startswith("BEGIN"):
            query += self.limits
        status: str = await super().execute(query, *args, timeout=timeout)
        return status


def create_engine(
    url: URL, limits: Limits, *, pooler: Pooler, answer_s: float | None, **options: Any
) -> AsyncEngine:
    """An engine whose errors do not tell values: they are logged, and values are texts.

    A server that says nothing for ``answer_s`` is taken for one that is away.
    """
    connect_args: dict[str, Any] = {"command_timeout": answer_s}
    if pooler is Pooler.TRANSACTION:
        connect_args |= _shared(limits)
    else:
        connect_args["server_settings"] = {"application_name": "picky", **limits.settings}
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        connect_args=connect_args,
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


def _shared(limits: Limits) -> dict[str, Any]:
    local = "".join(f" SET LOCAL {name} = {value};" for name, value in limits.settings.items())

    async def connect(**options: Any) -> asyncpg.Connection:
        connection = await asyncpg.connect(connection_class=_SharedConnection, **options)
        connection.limits = local
        return connection

    return {
        "async_creator_fn": connect,
        "server_settings": {"application_name": "picky"},
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: "",
    }
