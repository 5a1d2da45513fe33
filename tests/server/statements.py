"""What the server says to its database, whether SQLAlchemy says it or it is written by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from server.platform.database import Database
from server.platform.unit_of_work import UnitOfWork

BY_HAND = "sqlite_rows", "sqlite_many", "postgresql_rows"


@contextmanager
def before_each_statement(database: Database, hear: Callable[[str], object]) -> Iterator[None]:
    """Hear every statement meanwhile before it runs; what ``hear`` raises comes instead of it."""
    # On PostgreSQL the reader is the writer with another option, and is heard through it.
    engines = {database.writer, database.probe}
    if database.is_sqlite:
        engines.add(database.reader)

    def said(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            hear(statement)

    def heard(run: Callable[..., Any]) -> Callable[..., Any]:
        def by_hand(work: UnitOfWork, statement: str, *values: Any) -> Any:
            hear(statement)
            return run(work, statement, *values)

        return by_hand

    with pytest.MonkeyPatch.context() as patch:
        for name in BY_HAND:
            patch.setattr(UnitOfWork, name, heard(getattr(UnitOfWork, name)))
        for engine in engines:
            event.listen(engine.sync_engine, "before_cursor_execute", said)
        try:
            yield
        finally:
            for engine in engines:
                event.remove(engine.sync_engine, "before_cursor_execute", said)
