"""A real PgBouncer in transaction mode, from Debian's package. It is in no package index, so it may
not be there.
"""

import os
import shutil
from dataclasses import dataclass
from urllib.parse import quote

from tests.servers.lifetime import Lifetime, accepts, free_port
from tests.servers.postgres import UNPRIVILEGED_USER, Postgres

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
PGBOUNCER_IS_INSTALLED = PROGRAM is not None
CONFIGURATION = """
[databases]
* = host={directory} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 200
server_tls_sslmode = disable
"""


@dataclass(frozen=True)
class PgBouncer:
    """A running pooler; few sessions behind it, so that connections do share them."""

    port: int
    pid: int

    def url(self, database: str) -> str:
        """Return the URL of a database behind it, as `PICKY_DATABASE_URL` takes it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{quote(database)}"


def start_pgbouncer(
    lifetime: Lifetime, postgres: Postgres, name: str = "pgbouncer", *, sessions: int = 3
) -> PgBouncer:
    """Start a pooler in front of a PostgreSQL, with so many sessions a database."""
    assert PROGRAM is not None
    port = free_port()
    configuration = lifetime.directory / f"{name}.ini"
    configuration.write_text(
        CONFIGURATION.format(directory=postgres.directory, port=port, sessions=sessions)
    )
    user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
    pid = lifetime.start(name, [PROGRAM, configuration], user=user)
    lifetime.wait_until(name, lambda: accepts(port), pid=pid)
    return PgBouncer(port, pid)
