"""Nodes that start together migrate one after the other."""

import asyncio
from typing import Any

from sqlalchemy import event, func, inspect, select, text

from server.platform.database import Database
from server.platform.migrate import MIGRATION_LOCK, schema_is_current, upgrade_database

WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


async def test_who_migrates_keeps_the_next_one_waiting(empty_postgres_url: str) -> None:
    first, second = Database(empty_postgres_url), Database(empty_postgres_url)
    async with first.writer.begin() as migrating:
        await migrating.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        late = asyncio.create_task(upgrade_database(second))
        while not late.done() and not (await migrating.execute(WAITING)).scalar():
            pass  # asking lets the late one go on
        assert not late.done()
        assert await migrating.run_sync(lambda sync: inspect(sync).get_table_names()) == []
    await late
    assert await schema_is_current(first)
    await first.close()
    await second.close()


async def test_migrating_may_take_longer_than_a_statement_of_a_request(
    empty_postgres_url: str,
) -> None:
    database = Database(empty_postgres_url)
    statements: list[str] = []

    @event.listens_for(database.writer.sync_engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    await upgrade_database(database)
    await database.close()
    first_table = next(n for n, one in enumerate(statements) if "CREATE TABLE" in one)
    assert {"SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = 0"} <= set(
        statements[:first_table]
    )
