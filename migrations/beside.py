"""Changes to tables that others read and write meanwhile.

Each may be made again from its beginning: on PostgreSQL what precedes an index is committed before
it is built, and whoever migrates next may come upon any part of it. SQLite, and a restore, have one
transaction for all.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex

_IS_BROKEN = sa.text(
    "SELECT true FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid"
)


def is_postgresql() -> bool:
    """Whether this migrates PostgreSQL."""
    return op.get_bind().dialect.name == "postgresql"


def is_alone() -> bool:
    """Whether nobody uses the tables meanwhile, and one transaction takes everything."""
    return bool(op.get_context().opts["is_alone"])


def add_column(table: str, column: sa.Column[Any]) -> None:
    """A column without a default that is computed: rows are not written anew."""
    op.add_column(table, column, if_not_exists=is_postgresql() or None)


def create_index(name: str, table: str, columns: list[str], **options: Any) -> None:
    """An index, while others write what it has to hold. The transaction before it is committed."""
    if is_alone():
        op.create_index(name, table, columns, **options)
        return
    if op.get_bind().scalar(_IS_BROKEN, {"name": name}):
        alone(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    there = sa.Table(table, sa.MetaData(), *(sa.Column(column) for column in columns))
    index = sa.Index(name, *there.columns, postgresql_concurrently=True, **options)
    build = CreateIndex(index, if_not_exists=True)
    alone(str(build.compile(dialect=op.get_bind().dialect)))


def alone(statement: str) -> None:
    """Run a statement that PostgreSQL takes outside of a transaction only.

    It is one message: a pooler might have what was parsed in one session run in another.
    """
    with op.get_context().autocommit_block():
        driver: Any = op.get_bind().connection.dbapi_connection
        try:
            driver.run_async(lambda connection: connection.execute(statement))
        except Exception as error:
            raise DBAPIError.instance(
                statement, None, error, Exception, hide_parameters=True
            ) from error


def commit() -> None:
    """Keep what was done so far, and let go of its locks."""
    with op.get_context().autocommit_block():
        pass
