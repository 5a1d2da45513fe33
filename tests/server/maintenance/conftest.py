"""Two places a market may be in, as laptops and as fleets have them; the second one is empty."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from migrations.metadata import metadata
from server.app.container import build_context, close_context
from server.app.settings import Environment, Settings
from server.platform.database import Database
from server.platform.holding import HOLD
from server.platform.object_store import ObjectStore
from tests.server.conftest import BASE_URL
from tests.servers.command import run_command
from tests.servers.lifetime import Lifetime
from tests.servers.plugin import serial
from tests.servers.postgres import installation
from tests.servers.s3 import S3Store

Rows = dict[str, list[Any]]

FUNCTIONS = text("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a market is: its settings, for this process and for a command."""

    data_dir: Path
    database_url: str
    object_store_url: str | None

    @property
    def settings(self) -> Settings:
        return Settings(
            environment=Environment.TEST,
            data_dir=self.data_dir,
            database_url=self.database_url,
            object_store_url=self.object_store_url,
            rate_limits=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables."""
        store = {"PICKY_OBJECT_STORE_URL": self.object_store_url} if self.object_store_url else {}
        return store | {
            "PICKY_ENVIRONMENT": "test",
            "PICKY_RATE_LIMITS": "off",
            "PICKY_DATA_DIR": str(self.data_dir),
            "PICKY_DATABASE_URL": self.database_url,
        }

    async def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Run `picky-server` here; its exit code and what it printed."""
        run = await asyncio.to_thread(run_command, *arguments, environment=self.environment)
        return run.returncode, run.stdout, run.stderr

    @asynccontextmanager
    async def store(self) -> AsyncIterator[ObjectStore]:
        """The object store."""
        context = build_context(self.settings, base_url=BASE_URL)
        yield context.wiring.port(ObjectStore)
        await close_context(context)

    async def objects(self) -> dict[str, bytes]:
        """All objects of the store."""
        async with self.store() as store:
            return {key: await store.get(key) async for key in store.list_keys()}

    async def rows(self) -> Rows:
        """All rows of all tables."""
        database = Database(self.database_url)
        try:
            return await rows_of(database)
        finally:
            await database.close()

    async def left(self) -> list[str]:
        """What there is in a place that should be bare: files or a database's contents, objects."""
        if self.database_url.startswith("sqlite"):
            found = [path.name for path in self.data_dir.glob("*.db*")]
        else:
            database = Database(self.database_url)
            async with database.reader.connect() as connection:
                found = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
                found += (await connection.execute(FUNCTIONS)).scalars()
            await database.close()
        return [*found, *await self.objects()]


async def rows_of(database: Database) -> Rows:
    """All rows of all tables in one moment, as they are stored, without the hold of a backup."""
    rows: Rows = {}
    async with database.snapshot.connect() as connection:
        for table in metadata.sorted_tables:
            key = ", ".join(column.name for column in table.primary_key)
            found = await connection.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY {key}")
            rows[table.name] = [row for row in found if getattr(row, "kind", None) != HOLD]
    return rows


def apart_from_epochs(rows: Rows) -> Rows:
    streams = [{**row._mapping, "epoch": None} for row in rows["platform_stream"]]
    return rows | {"platform_stream": streams}


PLACES = ["sqlite and files", "postgresql and s3"]


@pytest.fixture(params=PLACES)
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Place, Place]:
    """A market's place, with a schema and nothing in it, and one where there is nothing at all."""
    fixture = {PLACES[0]: "laptops", PLACES[1]: "fleets"}[request.param]
    made: tuple[Place, Place] = request.getfixturevalue(fixture)
    return made


@pytest.fixture
def place(places: tuple[Place, Place]) -> Place:
    return places[0]


@pytest.fixture
def bare(places: tuple[Place, Place]) -> Place:
    return places[1]


@pytest.fixture
def laptops(sqlite_url: str, tmp_path: Path) -> tuple[Place, Place]:
    there = tmp_path / "there"
    return (
        Place(tmp_path / "here", sqlite_url, None),
        Place(there, f"sqlite:///{there}/picky.db", None),
    )


@pytest.fixture
def fleets(
    postgres_url: str,
    empty_postgres_url: str,
    s3: S3Store,
    postgres_programs: Path,
    tmp_path: Path,
    worker_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Place, Place]:
    name = f"{worker_id}-{next(serial)}"
    here, there = (s3.create_bucket(f"{name}-{end}") for end in ("here", "there"))
    for variable, value in here.environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("PATH", f"{postgres_programs}{os.pathsep}{os.environ['PATH']}")
    return (
        Place(tmp_path / "here", postgres_url, here.url),
        Place(tmp_path / "there", empty_postgres_url, there.url),
    )


@pytest.fixture
def postgres_programs(lifetime: Lifetime) -> Path:
    """The folder with the programs of the run's PostgreSQL."""
    return installation(lifetime)[0]


@pytest.fixture
def settings(place: Place) -> Settings:
    return place.settings
