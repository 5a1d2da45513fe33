"""What the platform counts: jobs, the bus between processes, and connections to the database.

Every room has its own in such a file. Label values are closed lists of the program, never what
somebody sent.
"""

from collections.abc import Iterator

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.pool import QueuePool

from server.platform.database import Database
from server.platform.replica import State

JOBS = Counter(
    "picky_jobs",
    "Jobs that were run here: done, failed (and tried again) or dead.",
    ["kind", "outcome"],
)
JOB_SECONDS = Histogram(
    "picky_job_duration_seconds",
    "How long a job ran, whatever came of it.",
    ["kind"],
    buckets=(0.01, 0.05, 0.25, 1, 5, 30, 120),
)
JOBS_WAITING = Gauge(
    "picky_jobs_waiting",
    "Jobs in the database, up to 10,000: due (a worker should take them), running, scheduled, "
    "unknown (due, but of a kind that this version does not run), or dead (given up).",
    ["state"],
)
OLDEST_JOB_SECONDS = Gauge(
    "picky_jobs_oldest_due_seconds", "For how long the oldest due job has been due; 0 without one."
)

BUS_PUBLISHED = Counter("picky_bus_published", "Hints that the bus has taken.")
BUS_DROPPED = Counter(
    "picky_bus_dropped",
    "Hints that were not sent: too many waited. All are told to look into the database instead.",
)
BUS_LINES_LOST = Counter("picky_bus_lines_lost", "Lines to the bus that broke.")

CONNECTIONS_IN_USE = Gauge(
    "picky_database_connections_in_use", "Connections to the database under way.", ["pool"]
)
CONNECTIONS_MOST = Gauge(
    "picky_database_connections_max", "How many of them there may be.", ["pool"]
)
REPLICA = Gauge(
    "picky_database_replica",
    "1 for what the replica is to this process, near, behind, away or unknown; where there is one.",
    ["state"],
)


def measure_database(database: Database) -> None:
    """Set the gauges of its pools, and of its replica, to what they are now."""
    if database.replica is not None:
        for state in State:
            REPLICA.labels(state).set(state is database.replica.state)
    for name, pool in _pools(database):
        CONNECTIONS_IN_USE.labels(name).set(pool.checkedout())
        CONNECTIONS_MOST.labels(name).set(pool.size())


def _pools(database: Database) -> Iterator[tuple[str, QueuePool]]:
    """Each once: which engines share one depends on the database."""
    named = {
        "writer": database.writer.pool,
        "reader": database.reader.pool,
        "impatient": database.impatient.pool,
    }
    if database.replica is not None:
        named["replica"] = database.replica.pool
    names = {id(pool): name for name, pool in reversed(named.items())}
    for name, pool in named.items():
        if names[id(pool)] == name and isinstance(pool, QueuePool):
            yield name, pool
