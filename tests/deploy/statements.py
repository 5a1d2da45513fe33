"""What this version of the code says to the database: every statement that stands in a module, and
whatever it says while tests do all that people and timers can do.

``python -m tests.deploy.statements`` freezes them, with the schema they were written for; it is run
when a version is released, and never to make a migration pass.
"""

import asyncio
import json
import os
import pkgutil
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import asyncpg
from sqlalchemy import Dialect, Table, insert, inspect, select, update
from sqlalchemy.dialects.postgresql import asyncpg as postgresql
from sqlalchemy.dialects.sqlite import aiosqlite as sqlite
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.base import Executable

import server
from migrations.metadata import metadata
from server.platform.database import Database
from server.platform.migrate import upgrade
from tests.deploy.recording import RECORD_TO, Said, recorded
from tests.deploy.rules import rules
from tests.servers.lifetime import Lifetime
from tests.servers.postgres import start_postgres

FROZEN = Path(__file__).with_name("previous_version.json")
BY_HAND = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b")
THAT_DO_ALL = (
    "tests/realtime/test_every_action.py",
    "tests/realtime/test_resume.py",
    "tests/server/accounts",
    "tests/server/chat/test_history.py",
    "tests/server/chat/test_messages.py",
    "tests/server/chat/test_rooms.py",
    "tests/server/chat/test_search.py",
    "tests/server/listings",
    "tests/server/media/test_uploads.py",
    "tests/server/notifications",
    "tests/server/platform/test_jobs.py",
    "tests/server/platform/test_streams.py",
    "tests/server/trades/test_timers.py",
    "tests/server/trades/test_transitions.py",
)
A_LIST = re.compile(r"__\[POSTCOMPILE_[^\]]*\]")
"""Where SQLAlchemy puts the members of a list, of whatever length."""
DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
}


def of_this_version() -> Iterator[tuple[str, str | Executable]]:
    """Where each statement is, and the statement: those of modules, and three a table."""
    for found in pkgutil.walk_packages(server.__path__, "server."):
        if "repository" in found.name or found.name.startswith("server.platform."):
            for name, value in vars(import_module(found.name)).items():
                for number, statement in enumerate(_statements_in(value)):
                    yield f"{found.name}.{name}.{number}", statement
    for table in metadata.sorted_tables:
        for kind, statement in _of_table(table):
            yield f"{table.name}.{kind}", statement


def _statements_in(value: Any) -> Iterator[str | Executable]:
    if isinstance(value, tuple | list):
        for item in value:
            yield from _statements_in(item)
    elif isinstance(value, Executable) or (
        isinstance(value, str) and BY_HAND.match(value) and "{" not in value
    ):
        yield value


def _of_table(table: Table) -> Iterator[tuple[str, Executable]]:
    columns = list(table.columns)
    yield "insert", insert(table)
    yield "select", select(*columns)
    yield "update", update(table).values({column.name: column for column in columns})


def as_text(statement: str | Executable, engine: str) -> str | None:
    """The statement as that database is told it; None when it cannot be told it."""
    if isinstance(statement, str):
        return statement
    try:
        told = str(statement.compile(dialect=DIALECTS[engine]))  # type: ignore[attr-defined]
    except CompileError:
        return None
    return A_LIST.sub("NULL", told)


async def refused_by_postgresql(url: str, statements: dict[str, str]) -> dict[str, str]:
    """Those that PostgreSQL does not even prepare, and why."""
    refused = {}
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        for name, statement in statements.items():
            try:
                await connection.prepare(statement)
            except asyncpg.PostgresError as error:
                refused[name] = str(error)
    finally:
        await connection.close()
    return refused


def refused_by_sqlite(path: str, statements: dict[str, str]) -> dict[str, str]:
    """Those that SQLite does not even prepare, and why."""
    refused = {}
    connection = sqlite3.connect(path)
    for name, statement in statements.items():
        try:
            connection.execute(f"EXPLAIN {statement}", _any_values(statement))
        except sqlite3.Error as error:
            refused[name] = str(error)
    connection.close()
    return refused


def _any_values(statement: str) -> Any:
    named = re.findall(r"(?<![:\w])[:$](\w+)", statement)
    return dict.fromkeys(named) if named else (None,) * statement.count("?")


def freeze() -> None:
    """Write down all that both databases take now, with the schema that they have."""
    said = _said_by_tests()
    with Lifetime.begin() as lifetime:
        urls = {
            "sqlite": f"sqlite:///{lifetime.directory}/schema.db",
            "postgresql": start_postgres(lifetime).url(),
        }
        frozen: dict[str, Any] = {"schema": max(versions())}
        for engine, url in urls.items():
            upgrade(url)
            frozen[engine] = {
                "statements": taken(engine, url, said[engine]),
                "required": asyncio.run(required(url)),
                "rules": asyncio.run(rules(url)),
            }
    FROZEN.write_text(json.dumps(frozen, indent=1, ensure_ascii=False) + "\n")


def versions() -> list[str]:
    """The numbers of the migrations."""
    folder = Path(str(files("migrations"))) / "versions"
    return [path.name[1:5] for path in folder.glob("m[0-9]*.py")]


def _said_by_tests() -> Said:
    with TemporaryDirectory() as folder:
        command = ("-m", "pytest", "-q", "-n", "2", "-p", "tests.deploy.recording", *THAT_DO_ALL)
        subprocess.run([sys.executable, *command], check=True, env=os.environ | {RECORD_TO: folder})
        return recorded(Path(folder))


def taken(engine: str, url: str, said: Mapping[str, str]) -> dict[str, str]:
    """What this database takes of this version's statements; some are for the other one."""
    told = {name: as_text(statement, engine) for name, statement in of_this_version()}
    known = {name: text for name, text in told.items() if text is not None}
    known |= {f"said.{crc32(shape.encode()):08x}": text for shape, text in sorted(said.items())}
    refused = refused_by(engine, url, known)
    return {name: text for name, text in known.items() if name not in refused}


async def required(url: str) -> list[str]:
    """The columns that every INSERT must give a value, as ``table.column``."""
    database = Database(url)
    async with database.reader.connect() as connection:
        found = await connection.run_sync(_required)
    await database.close()
    return sorted(found)


def _required(connection: Any) -> list[str]:
    found = inspect(connection)
    return [
        f"{table}.{column['name']}"
        for table in found.get_table_names()
        for column in found.get_columns(table)
        if not (column["nullable"] or column.get("default") or column.get("computed"))
    ]


def refused_by(engine: str, url: str, statements: dict[str, str]) -> dict[str, str]:
    """Those that the database does not even prepare, and why."""
    if engine == "sqlite":
        return refused_by_sqlite(url.removeprefix("sqlite:///"), statements)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, refused_by_postgresql(url, statements)).result()


if __name__ == "__main__":
    freeze()
