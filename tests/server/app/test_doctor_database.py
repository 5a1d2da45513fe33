"""`picky-server doctor` says what a role of PostgreSQL lacks, and what was left half-way."""

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.server.app.test_doctor import report
from tests.servers.command import run_command


@pytest.fixture
def stranger(postgres_url: str) -> Iterator[str]:
    """The address of a role that may do nothing yet, and its name."""
    role = f"stranger_{os.getpid()}"
    run_sql(postgres_url, f"CREATE ROLE {role} LOGIN")
    yield make_url(postgres_url).set(username=role).render_as_string(False)
    run_sql(postgres_url, f"DROP OWNED BY {role}; DROP ROLE {role}")


def run_sql(url: str, statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(
            make_url(url).set(drivername="postgresql").render_as_string(False)
        )
        await connection.execute(statements)
        await connection.close()

    asyncio.run(run())


def test_rights_that_are_lacking_are_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str, stranger: str
) -> None:
    """And not as an old schema; a process that lacks them says so as it ends."""
    monkeypatch.setenv("PICKY_ENVIRONMENT", "test")
    monkeypatch.setenv("PICKY_DATABASE_URL", stranger)
    role = make_url(stranger).username
    text, well = report(tmp_path)
    assert not well
    assert "schema is not the newest" not in text
    assert "FAIL  rights: the role lacks DELETE on accounts_account and" in text
    assert "mend: run deploy/database/roles.sql" in text
    ended = run_command("serve", "--data-dir", tmp_path)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "the role lacks rights, which deploy/database/roles.sql gives: " in ended.stderr

    rows = f"SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    run_sql(postgres_url, f"GRANT {rows}")
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  rights: the role lacks EXECUTE on platform_close_event_default and 4 more" in text
    run_sql(postgres_url, f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}")
    text, well = report(tmp_path)
    assert well, text


@pytest.mark.parametrize(("days", "told_as"), [(3, "FAIL"), (5, "note")])
def test_a_migration_that_did_not_end_is_told_with_its_day_and_is_bad_when_that_is_near(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres_url: str,
    days: int,
    told_as: str,
) -> None:
    """Until then a worker may be about it."""
    monkeypatch.setenv("PICKY_ENVIRONMENT", "test")
    monkeypatch.setenv("PICKY_DATABASE_URL", postgres_url)
    day = datetime.now(UTC).date() + timedelta(days=days)
    check = f"ck_chat_message_before_{day:%Y%m%d}"
    run_sql(
        postgres_url,
        f"ALTER TABLE chat_message ADD CONSTRAINT {check} CHECK (created_at < '{day}')",
    )
    text, well = report(tmp_path)
    run_sql(postgres_url, f"ALTER TABLE chat_message DROP CONSTRAINT {check}")
    assert well == (told_as == "note"), text
    assert f"{told_as}  migration: " in text
    assert f"is under way or stopped half-way: from {day} on events are refused" in text
    assert report(tmp_path)[1]
