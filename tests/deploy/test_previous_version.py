"""The version before this one goes on working on the schema of this one, until it is replaced."""

import json
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import make_url

from server.platform import migrate
from server.platform.database import Database
from server.platform.migrate import require_schema, upgrade_database
from tests.deploy.rules import rules, stricter
from tests.deploy.schema import set_version, version_of
from tests.deploy.statements import FROZEN, refused_by, required


@pytest.fixture
def frozen() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FROZEN.read_text())
    return loaded


def engine_of(url: str) -> str:
    return make_url(url).get_backend_name()


def test_every_statement_of_the_previous_version_is_still_taken(
    database_url: str, frozen: dict[str, Any]
) -> None:
    statements = frozen[engine_of(database_url)]["statements"]
    assert len(statements) > 100
    assert refused_by(engine_of(database_url), database_url, statements) == {}


async def test_a_statement_for_a_column_that_went_is_found(database_url: str) -> None:
    statements = {"gone": "SELECT no_such_column FROM chat_room"}
    assert list(refused_by(engine_of(database_url), database_url, statements)) == ["gone"]


async def test_no_column_asks_the_previous_version_for_a_value_that_it_does_not_give(
    database_url: str, frozen: dict[str, Any]
) -> None:
    engine = engine_of(database_url)
    given = set(frozen[engine]["required"])
    tables = {column.partition(".")[0] for column in given}
    needed = await required(database_url)
    assert [new for new in needed if new.partition(".")[0] in tables and new not in given] == []
    assert "chat_room.seller_id" in needed


CHANGED = {
    "platform_stream_event: unique created_at, pos, stream_id",  # 0004: less than pos, stream_id
}
"""What a migration since the frozen version refuses on purpose, which that version never says."""


async def test_no_table_refuses_what_the_previous_version_may_say(
    database_url: str, frozen: dict[str, Any]
) -> None:
    """A statement that is taken may still fail, by a check, a key, a reference or a trigger."""
    before = frozen[engine_of(database_url)]["rules"]
    assert set(stricter(before, await rules(database_url))) <= CHANGED


MORE = {
    "check false": "ALTER TABLE chat_message ADD CONSTRAINT more CHECK (false) NOT VALID",
    "unique sender_id where None": "CREATE UNIQUE INDEX more ON chat_message (sender_id)",
    "reference cid to platform_stream (id)": (
        "ALTER TABLE chat_message ADD CONSTRAINT more FOREIGN KEY (cid) REFERENCES platform_stream"
    ),
    "may be NULL warning": "ALTER TABLE chat_message ALTER COLUMN warning SET NOT NULL",
    "trigger CREATE TRIGGER more": (
        "CREATE TRIGGER more BEFORE INSERT ON chat_message FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
}


@pytest.mark.parametrize("rule", MORE)
async def test_what_a_migration_makes_stricter_is_found(empty_postgres_url: str, rule: str) -> None:
    database = Database(empty_postgres_url)
    await upgrade_database(database)
    before = await rules(empty_postgres_url)
    async with database.writer.begin() as connection:
        await connection.execute(text(MORE[rule]))
        await connection.execute(text("CREATE TABLE more_things (one int UNIQUE NOT NULL)"))
        await connection.execute(text("ALTER TABLE chat_message ADD COLUMN another int"))
    await database.close()
    [found] = stricter(before, await rules(empty_postgres_url))
    assert found.startswith(f"chat_message: {rule}")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE UNIQUE INDEX more ON chat_message (sender_id)",
        "CREATE TRIGGER more BEFORE INSERT ON chat_message BEGIN SELECT RAISE(ABORT, 'no'); END",
    ],
)
async def test_the_same_on_sqlite(sqlite_url: str, statement: str) -> None:
    before = await rules(sqlite_url)
    database = Database(sqlite_url)
    async with database.writer.begin() as connection:
        await connection.execute(text(statement))
    await database.close()
    [found] = stricter(before, await rules(sqlite_url))
    assert found.startswith("chat_message: ")


async def test_the_frozen_version_is_the_one_before(frozen: dict[str, Any]) -> None:
    """A migration is released with the statements of the version that runs beside it."""
    assert migrate.newest_schema() - int(frozen["schema"]) in (0, 1)


async def test_a_version_runs_on_a_newer_schema_and_leaves_it_as_it_is(database_url: str) -> None:
    database = Database(database_url)
    newer = migrate.newest_schema() + 1
    try:
        await set_version(database, newer)
        await require_schema(database)
        await upgrade_database(database)
        assert await version_of(database) == newer
    finally:
        await set_version(database, migrate.newest_schema())
        await database.close()


def test_migrations_are_numbered_one_after_the_other() -> None:
    script = ScriptDirectory.from_config(migrate._config(None))
    numbers = [int(revision.revision) for revision in script.walk_revisions()]
    assert numbers == list(range(len(numbers), 0, -1))
