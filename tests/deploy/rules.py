"""What a database refuses: by keys, checks, references, triggers, and columns that must have a
value. A statement that it takes may still fail by one of them.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import inspect, text

from server.platform.database import Database
from server.platform.event_days import is_part

_MAY_BE_NULL = "may be NULL"
_TRIGGERS = {
    "sqlite": text("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"),
    "postgresql": text(
        "SELECT CAST(tgrelid AS regclass)::text, pg_get_triggerdef(oid) FROM pg_trigger"
        " WHERE NOT tgisinternal"
        " UNION ALL SELECT CAST(conrelid AS regclass)::text, pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE contype = 'x'"
    ),
}
"""What SQLAlchemy does not tell of: triggers, and PostgreSQL's exclusions."""


async def rules(url: str) -> list[str]:
    """All of them, as ``table: rule``; of columns it is told which may be NULL."""
    database = Database(url)
    async with database.reader.connect() as connection:
        triggers = (await connection.execute(_TRIGGERS[connection.dialect.name])).all()
        found = await connection.run_sync(lambda sync: list(_rules(inspect(sync))))
    await database.close()
    found += [(table, f"trigger {rule}") for table, rule in triggers]
    told = (f"{table}: {' '.join(rule.split())}" for table, rule in found if not is_part(table))
    return sorted(told)


def stricter(before: list[str], now: list[str]) -> list[str]:
    """What tables that were there before refuse now and did not then."""
    tables = {_table(rule) for rule in before}
    added = {rule for rule in set(now) - set(before) if _table(rule) in tables}
    lost = set(before) - set(now)
    return sorted(
        {rule for rule in added if _MAY_BE_NULL not in rule}
        | {rule for rule in lost if _MAY_BE_NULL in rule}
    )


def _table(rule: str) -> str:
    return rule.partition(":")[0]


def _rules(found: Any) -> Iterator[tuple[str, str]]:
    for table in found.get_table_names():
        for rule in (*_columns(found, table), *_keys(found, table), *_references(found, table)):
            yield table, rule


def _columns(found: Any, table: str) -> Iterator[str]:
    for column in found.get_columns(table):
        if column["nullable"]:
            yield f"{_MAY_BE_NULL} {column['name']}"
    for check in found.get_check_constraints(table):
        yield f"check {check['sqltext']}"


def _keys(found: Any, table: str) -> Iterator[str]:
    yield f"unique {_set(found.get_pk_constraint(table)['constrained_columns'])}"
    for key in found.get_unique_constraints(table):
        yield f"unique {_set(key['column_names'])}"
    for index in found.get_indexes(table):
        if index["unique"]:
            options = index.get("dialect_options", {})
            where = options.get("postgresql_where", options.get("sqlite_where"))
            yield f"unique {_set(index.get('expressions', index['column_names']))} where {where}"


def _references(found: Any, table: str) -> Iterator[str]:
    for key in found.get_foreign_keys(table):
        there = f"{key['referred_table']} ({_set(key['referred_columns'])})"
        yield f"reference {_set(key['constrained_columns'])} to {there}"


def _set(names: list[str]) -> str:
    return ", ".join(sorted(names))
