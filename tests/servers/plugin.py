"""Fixtures for real servers. Each starts when a test first asks, once for all workers of a run."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from tests.servers.forge import use_forge
from tests.servers.lifetime import Lifetime, memory
from tests.servers.picky import PickyServer, start_picky
from tests.servers.postgres import Postgres, shared_postgres
from tests.servers.replica import Pair, start_pair
from tests.servers.rgw import RadosGateway, shared_rgw
from tests.servers.s3 import S3Bucket, S3Store, shared_s3
from tests.servers.valkey import DATABASES, Valkey, shared_valkey

LIFETIME = pytest.StashKey[Lifetime]()
TEMPLATE = "picky_template"
serial = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Open the run's lifetime, or in a worker join the one its controller opened.

    No setting of Picky in the environment reaches a test.
    """
    for name in [name for name in os.environ if name.startswith("PICKY_")]:
        del os.environ[name]
    worker = getattr(config, "workerinput", None)
    config.stash[LIFETIME] = (
        Lifetime.begin(memory()) if worker is None else Lifetime.join(Path(worker["lifetime"]))
    )
    use_forge(config.stash[LIFETIME])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker where the run's servers live."""
    node.workerinput["lifetime"] = str(node.config.stash[LIFETIME].directory)  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """End every server of the run."""
    config.stash[LIFETIME].end()


@pytest.fixture(scope="session")
def lifetime(pytestconfig: pytest.Config) -> Lifetime:
    """The run's lifetime: what is started in it ends with the run."""
    return pytestconfig.stash[LIFETIME]


@pytest.fixture
def private_lifetime() -> Iterator[Lifetime]:
    """A lifetime of this test alone, for servers that it kills or restarts."""
    with Lifetime.begin() as lifetime:
        yield lifetime


@pytest.fixture(scope="session")
def postgres(lifetime: Lifetime) -> Postgres:
    """The run's PostgreSQL."""
    return shared_postgres(lifetime)


@pytest.fixture(scope="session")
def migrated_postgres(lifetime: Lifetime, postgres: Postgres) -> str:
    """The name of a database with the newest schema, to be copied, never connected to."""

    def make() -> dict[str, str]:
        migrate(postgres.create_database(TEMPLATE))
        return {"name": TEMPLATE}

    name = lifetime.once("postgres-template", make)["name"]
    assert isinstance(name, str)
    return name


@pytest.fixture(scope="session")
def migrated_sqlite(lifetime: Lifetime) -> Path:
    """A database file with the newest schema, to be copied, never opened."""

    def make() -> dict[str, str]:
        path = lifetime.directory / "template.db"
        migrate(f"sqlite:///{path}")
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return {"path": str(path)}

    return Path(lifetime.once("sqlite-template", make)["path"])


def migrate(url: str) -> None:
    """Build the newest schema, on a thread because the migrations run a loop of their own."""
    from server.platform.migrate import upgrade

    with ThreadPoolExecutor(1) as thread:
        thread.submit(upgrade, url).result()


@pytest.fixture(scope="session")
def worker_database(postgres: Postgres, migrated_postgres: str, worker_id: str) -> str:
    """The name of this worker's own database with the newest schema."""
    postgres.create_database(worker_id, template=migrated_postgres)
    return worker_id


@pytest.fixture
def postgres_url(postgres: Postgres, worker_database: str) -> str:
    """The URL of a PostgreSQL database with the newest schema and no rows.

    The worker's next test gets the same one, emptied. A test that changes the schema takes
    `empty_postgres_url`.
    """
    postgres.empty_database(worker_database)
    return postgres.url(worker_database)


@pytest.fixture
def empty_postgres_url(postgres: Postgres, worker_id: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database without any table."""
    name = f"{worker_id}_{next(serial)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture
def sqlite_url(lifetime: Lifetime, migrated_sqlite: Path, worker_id: str) -> str:
    """The URL of a SQLite database with the newest schema and no rows.

    The worker's next test gets the same one, made anew.
    """
    path = lifetime.directory / f"{worker_id}.db"
    for old in path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"):
        old.unlink(missing_ok=True)
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database with the newest schema: the test runs on SQLite and on PostgreSQL."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url = request.getfixturevalue(fixture)
    assert isinstance(url, str)
    return url


@pytest.fixture(scope="session")
def valkey(lifetime: Lifetime) -> Valkey:
    """The run's Valkey."""
    return shared_valkey(lifetime)


@pytest.fixture
def valkey_url(valkey: Valkey, worker_id: str) -> str:
    """The URL of an empty Valkey database that no other worker uses. Channels are shared."""
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) % DATABASES
    valkey.empty(number)
    return valkey.url(number)


@pytest.fixture(scope="session")
def s3(lifetime: Lifetime) -> S3Store:
    """The run's S3-compatible store."""
    return shared_s3(lifetime)


@pytest.fixture
def s3_bucket(s3: S3Store, worker_id: str) -> S3Bucket:
    """An empty bucket of the run's S3-compatible store."""
    return s3.create_bucket(f"{worker_id}-{next(serial)}")


@pytest.fixture(scope="session")
def pair(lifetime: Lifetime, worker_id: str) -> Pair:
    """This worker's PostgreSQL with a replica that streams from it."""
    return start_pair(lifetime, f"pair-{worker_id}")


@pytest.fixture(scope="session")
def rgw(lifetime: Lifetime) -> RadosGateway:
    """The run's Ceph, where it is installed."""
    return shared_rgw(lifetime)


@pytest.fixture
def rgw_bucket(rgw: RadosGateway, worker_id: str) -> S3Bucket:
    """An empty bucket of the run's Ceph."""
    return rgw.create_bucket(f"{worker_id}-{next(serial)}")


@pytest.fixture
def picky_server(private_lifetime: Lifetime, database_url: str) -> PickyServer:
    """A fresh server of this test alone, on SQLite and on PostgreSQL; rate limits are off."""
    return start_picky(private_lifetime, database_url=database_url)
