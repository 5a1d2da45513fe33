"""One transaction an action: begin, rules, events, commit, and only then the answer."""

import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.platform.bus import Hint
from server.platform.context import Actor, Context
from server.platform.database import is_sqlite
from server.platform.errors import Conflict, Unauthenticated
from server.platform.failures import LockHeld, LostRace, races_named, sqlite_failure
from server.platform.sqlite_connection import driver_connection
from shared_models.market import Limits

Result = TypeVar("Result")
Parameters = Mapping[str, Any]


class UnitOfWork:
    """What a service is handed: the connection, who acts, and when.

    Only :func:`transact` commits. Events are announced to the subscribers inside the transaction;
    hints are published after its commit.
    """

    def __init__(self, context: Context, connection: AsyncConnection, actor: Actor | None) -> None:
        self.context = context
        self.connection = connection
        self.now: datetime = context.clock.now()
        self._actor = actor
        self._driver: sqlite3.Connection | None = None
        self._announced: list[Any] = []
        self._hints: list[Hint] = []
        self._after_commit: list[Callable[[], object]] = []

    @property
    def actor(self) -> Actor:
        """Who acts; :class:`Unauthenticated` when nobody is signed in."""
        if self._actor is None:
            raise Unauthenticated
        return self._actor

    @property
    def limits(self) -> Limits:
        """The market's numbers."""
        return self.context.limits

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite; asked only where a statement is written by hand,
        and about what only one of the two has.
        """
        return is_sqlite(self.connection)

    def new_id(self) -> UUID:
        """A new UUIDv7."""
        return self.context.make_id(self.now)

    async def execute(
        self, statement: Executable, parameters: Parameters | Sequence[Parameters] | None = None
    ) -> CursorResult[Any]:
        """Run a statement; a list of parameters makes it an executemany.

        Building a statement costs more than running it, so the hottest ones are built once, with
        named parameters.
        """
        return await self.connection.execute(statement, parameters)

    async def rows(
        self, statement: Executable, parameters: Parameters | None = None
    ) -> Sequence[Row[Any]]:
        """All rows."""
        return (await self.connection.execute(statement, parameters)).all()

    async def first(
        self, statement: Executable, parameters: Parameters | None = None
    ) -> Row[Any] | None:
        """The first row, or None."""
        return (await self.connection.execute(statement, parameters)).first()

    async def scalar(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""
        return (await self.connection.execute(statement, parameters)).scalar()

    async def changed(self, statement: Executable, parameters: Parameters | None = None) -> int:
        """How many rows a conditional UPDATE or DELETE hit."""
        return (await self.connection.execute(statement, parameters)).rowcount

    def sqlite_rows(self, statement: str, values: Parameters | Sequence[Any]) -> list[Any]:
        """All rows of a hand-written statement for SQLite.

        Values and rows are as they are stored: ids as :attr:`UUID.hex`, moments by
        :func:`~server.platform.columns.microseconds`.
        """
        try:
            return self._sqlite.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise sqlite_failure(statement, error) from error

    def sqlite_many(self, statement: str, values: Iterable[Parameters | Sequence[Any]]) -> None:
        """The same once for each of the values, without rows."""
        try:
            self._sqlite.executemany(statement, values)
        except sqlite3.Error as error:
            raise sqlite_failure(statement, error) from error

    @property
    def _sqlite(self) -> sqlite3.Connection:
        if self._driver is None:
            self._driver = driver_connection(self.connection)
        return self._driver

    async def postgresql_rows(self, statement: str, *values: Any) -> Sequence[Any]:
        """All rows of a hand-written statement for PostgreSQL, with ``$1`` for its first value."""
        from server.platform.postgresql import fetch  # asyncpg is not needed for SQLite

        return await fetch(self.connection, statement, values)

    async def by_hand(
        self, statement: str, *values: UUID | int | str | Sequence[UUID]
    ) -> Sequence[Any]:
        """All rows of a hand-written statement for both databases, ``$1`` for its first value.

        Rows are as they are stored; SQLite is given several ids as JSON.
        """
        if not self.is_sqlite:
            return await self.postgresql_rows(statement, *values)
        return self.sqlite_rows(statement, {str(n): _stored(v) for n, v in enumerate(values, 1)})

    def announce(self, event: Any) -> None:
        """Say what happened; subscribers hear it inside this transaction, before the commit."""
        self._announced.append(event)

    def hint(self, hint: Hint) -> None:
        """Publish ``hint`` on the bus once this is committed."""
        self._hints.append(hint)

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call back once this is committed; for wake-ups only, never for an effect."""
        self._after_commit.append(callback)

    async def release_connection(self) -> None:
        """Give the connection back before what takes its time; nothing is read after it."""
        await self.connection.close()

    async def _settle(self) -> None:
        told = 0
        while told < len(self._announced):
            event = self._announced[told]
            told += 1
            for handler in self.context.wiring.handlers(type(event)):
                await handler(self, event)
        for closing in self.context.wiring.closing():
            await closing(self, self._announced)

    async def _publish(self) -> None:
        for callback in self._after_commit:
            callback()
        if self._hints:
            began = self.context.traces.now()
            await self.context.bus.publish(self._hints)
            self._trace("publish", began)

    def _trace(self, name: str, began: int) -> None:
        told = (hint.data for hint in self._hints)
        self.context.traces.record(name, began, told=told, hints=len(self._hints))


def _stored(value: UUID | int | str | Sequence[UUID]) -> int | str:
    """A value as SQLite stores it, or finds it by ``json_each``."""
    if isinstance(value, int | str):
        return value
    return value.hex if isinstance(value, UUID) else json.dumps([id_.hex for id_ in value])


@asynccontextmanager
async def reading(context: Context, actor: Actor | None = None) -> AsyncIterator[UnitOfWork]:
    """A read-only unit of work: one consistent snapshot on SQLite, READ COMMITTED elsewhere."""
    async with context.database.reader.connect() as connection:
        yield UnitOfWork(context, connection, actor)


@asynccontextmanager
async def reading_perhaps_behind(context: Context, actor: Actor) -> AsyncIterator[UnitOfWork]:
    """The same for what others may see too: from the replica, where there is one that is near.

    Whose session has just written reads the primary, and finds what it wrote.
    """
    replica = context.database.replica
    wrote_at = actor.wrote_at
    if replica is None or wrote_at is None or _is_fresh(context, wrote_at, replica.own_writes_s):
        async with reading(context, actor) as work:
            yield work
        return
    async with replica.reader() as connection:
        yield UnitOfWork(context, connection, actor)


def _is_fresh(context: Context, wrote_at: datetime, for_s: float) -> bool:
    return context.clock.now() - wrote_at < timedelta(seconds=for_s)


@asynccontextmanager
async def reading_one_moment(context: Context, actor: Actor) -> AsyncIterator[UnitOfWork]:
    """A read-only unit of work that is one consistent snapshot on both databases."""
    async with context.database.snapshot.connect() as connection:
        yield UnitOfWork(context, connection, actor)


async def transact(
    context: Context,
    actor: Actor | None,
    action: Callable[[UnitOfWork], Awaitable[Result]],
    *,
    lock_tries: int | None = None,
) -> Result:
    """Run ``action`` in one transaction, commit, publish, and return what it returned.

    A lost race (serialisation failure, deadlock, lost unique race) is run once more, so that the
    second run sees what the winner did; lost again, it is 409 ``busy``. A lock that somebody holds
    is asked for again and again, and what was locked before it is given back in between;
    ``lock_tries`` is how often, where it is not as usual.
    """
    database = context.database
    most_tries = lock_tries or database.lock_tries
    races, tries = 0, 0
    while True:
        try:
            return await _once(context, database.writer, actor, action)
        except LostRace as race:
            races += not isinstance(race, LockHeld)
            tries += isinstance(race, LockHeld)
            if races == 2 or tries == most_tries:
                busy = "Somebody else was faster. Look again."
                raise Conflict("busy", busy, retryable=True) from race


async def transact_impatiently(
    context: Context, action: Callable[[UnitOfWork], Awaitable[Result]]
) -> Result:
    """Run what nobody in particular asks for in one transaction, once, without waiting for locks
    for long; :class:`LostRace` when it was not to be.
    """
    return await _once(context, context.database.impatient, None, action)


async def _once(
    context: Context,
    engine: AsyncEngine,
    actor: Actor | None,
    action: Callable[[UnitOfWork], Awaitable[Result]],
) -> Result:
    began = context.traces.now()
    with races_named():
        async with engine.begin() as connection:
            work = UnitOfWork(context, connection, actor)
            result = await action(work)
            await work._settle()
    work._trace("unit of work", began)
    await work._publish()
    return result
