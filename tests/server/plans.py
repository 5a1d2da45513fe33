"""How the databases run a statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from server.platform.context import Context

ONLY_ALONG_INDEXES = (
    "enable_seqscan",
    "enable_sort",
    "enable_incremental_sort",
    "enable_bitmapscan",
)


@contextmanager
def last_statement(context: Context, table: str) -> Iterator[list[Any]]:
    """The last statement and its parameters that name the table meanwhile."""
    found: list[Any] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if table in statement:
            found[:] = [statement, parameters]

    engines = [context.database.reader.sync_engine, context.database.writer.sync_engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


async def plan_of(
    context: Context, statement: str, parameters: Any, *, only_along_indexes: bool
) -> str:
    """How the database says it would run the statement; ``only_along_indexes`` makes PostgreSQL
    show an index that orders the rows, where there are too few of them to want one.
    """
    # The writer's, because on PostgreSQL settings are local to a transaction and reads have none.
    async with context.database.writer.connect() as connection:
        explain = "EXPLAIN QUERY PLAN " if context.database.is_sqlite else "EXPLAIN "
        if only_along_indexes and not context.database.is_sqlite:
            for setting in ONLY_ALONG_INDEXES:
                await connection.exec_driver_sql(f"SET LOCAL {setting} = off")
        rows = await connection.exec_driver_sql(explain + statement, parameters)
        return "\n".join(str(row[-1]) for row in rows)
