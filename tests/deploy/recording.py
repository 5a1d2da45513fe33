"""A plugin of pytest, `-p tests.deploy.recording`, that writes down each statement that the server
says to its database, once whatever its values are, to a file in the folder that `RECORD_TO` names.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from server.platform.unit_of_work import UnitOfWork
from tests.server.statements import BY_HAND

RECORD_TO = "RECORD_STATEMENTS_TO"
OF_DATA = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b")
VALUE = re.compile(r"[$:?]\d*(?:::\w+)?")
REPEATED = re.compile(r"(\([^()]*\)|\?)(?:, \1)+")

Said = dict[str, dict[str, str]]
"""By database and by what a statement is apart from how many values it has: the first such one."""

said: Said = {"sqlite": {}, "postgresql": {}}


def shape(statement: str) -> str:
    """The same for statements that differ in the number of their values alone."""
    return REPEATED.sub(r"\1", VALUE.sub("?", statement))


def note(engine: str, statement: str) -> None:
    """Keep it, if it is about data and no such one is kept."""
    if OF_DATA.match(statement):
        said[engine].setdefault(shape(statement), statement)


def pytest_configure() -> None:
    """Listen to all that is said from now on."""

    def by_sqlalchemy(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        note(connection.dialect.name, statement)

    event.listen(Engine, "before_cursor_execute", by_sqlalchemy)
    for name in BY_HAND:
        setattr(UnitOfWork, name, _noted(getattr(UnitOfWork, name)))


def _noted(run: Callable[..., Any]) -> Callable[..., Any]:
    def by_hand(work: UnitOfWork, statement: str, *values: Any) -> Any:
        note("sqlite" if work.is_sqlite else "postgresql", statement)
        return run(work, statement, *values)

    return by_hand


def pytest_sessionfinish() -> None:
    """Write it down."""
    file = Path(os.environ[RECORD_TO], f"{os.getpid()}.json")
    file.write_text(json.dumps(said))


def recorded(folder: Path) -> Said:
    """What all processes of a run have written down."""
    found: Said = {"sqlite": {}, "postgresql": {}}
    for file in sorted(folder.glob("*.json")):
        for engine, statements in json.loads(file.read_text()).items():
            found[engine] = statements | found[engine]
    return found
