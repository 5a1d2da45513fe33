"""A PostgreSQL and a replica that streams from it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from tests.servers.lifetime import Lifetime, ServerError
from tests.servers.postgres import Postgres, in_a_thread, installation, start_postgres


@dataclass(frozen=True)
class Pair:
    """The two servers."""

    lifetime: Lifetime
    primary: Postgres
    replica: Postgres

    @contextmanager
    def replay_paused(self) -> Iterator[None]:
        """The replica receives what is written, and shows nothing of it."""
        in_a_thread(_paused(self.replica.url()))
        try:
            yield
        finally:
            self.replica.execute("SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Return when the replica shows all that the primary has written by now."""
        in_a_thread(_caught_up(self.primary.url(), self.replica.url()))

    def start_replica_again(self) -> "Pair":
        """After it was killed: the same replica as another process."""
        name = Path(self.replica.directory).name
        return replace(self, replica=_start(self.lifetime, name))


def start_pair(lifetime: Lifetime, name: str) -> Pair:
    """Start an empty primary of that name, and a replica of it."""
    primary = _start(lifetime, name)
    copy = lifetime.directory / f"{name}-replica"
    _copy_cluster(lifetime, primary, copy)
    return Pair(lifetime, primary, _start(lifetime, copy.name))


def _start(lifetime: Lifetime, name: str) -> Postgres:
    return start_postgres(lifetime, name, wal_level="replica", max_wal_senders="4")


def _copy_cluster(lifetime: Lifetime, primary: Postgres, copy: Path) -> None:
    """Copy a running server's files, with the settings of a replica."""
    program, user = installation(lifetime)
    copy.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(copy, user)
    copied = subprocess.run(
        [
            program / "pg_basebackup",
            *("-h", primary.directory, "-U", "postgres", "-D", copy),
            *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
        ],
        check=False,
        capture_output=True,
        text=True,
        user=user,
        extra_groups=None if user is None else [],
    )
    if copied.returncode != 0:
        raise ServerError(f"pg_basebackup failed:\n{copied.stdout}{copied.stderr}")
    for of_the_primary in copy.glob(".s.PGSQL.*"):  # it lives among its files
        of_the_primary.unlink()


async def _paused(url: str) -> None:
    replica = await asyncpg.connect(url)
    await replica.execute("SELECT pg_wal_replay_pause()")
    while await replica.fetchval("SELECT pg_get_wal_replay_pause_state()") != "paused":
        pass  # asking takes a moment
    await replica.close()


async def _caught_up(primary_url: str, replica_url: str) -> None:
    primary = await asyncpg.connect(primary_url)
    # Where the next one would begin is not always reached: before it may come the head of a page.
    last = "SELECT pg_logical_emit_message(false, 'tests', '', true)::text"
    written = await primary.fetchval(last)
    await primary.close()
    replica = await asyncpg.connect(replica_url)
    reached = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
    while not await replica.fetchval(reached, written):
        pass  # asking takes a moment
    await replica.close()
