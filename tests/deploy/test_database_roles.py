"""`deploy/database/`: the processes read and write rows, and only their owner changes tables."""

import asyncio
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from server.app.container import build_context, close_context
from server.app.settings import Environment, Settings
from server.platform import event_days
from server.platform.clock import MovableClock
from server.platform.migrate import upgrade
from server.realtime.jobs import trim_streams
from tests.deploy.composed import DEPLOY, services
from tests.house.sources import ROOT
from tests.journeys.test_two_people_by_commands import Journey, travel, two_people
from tests.server.platform.test_event_days import (
    A_DAY,
    BEGINNING,
    after,
    append,
    first_noon,
    new_stream,
    oldest,
    part_of,
    parts,
    rows_in,
)
from tests.servers.command import run_command
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky
from tests.servers.postgres import Postgres, installation, start_postgres

PASSWORDS = {"DATABASE_OWNER_PASSWORD": "owner's", "DATABASE_PASSWORD": 'rows "only"'}
PUBLIC = " WHERE schemaname = 'public'"
OWN = "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace"


def made(lifetime: Lifetime, name: str) -> Postgres:
    """A new database, with what the container of compose runs in it."""
    server = start_postgres(lifetime, name)
    server.create_database("picky")
    for target in sorted(mounted()):
        run(lifetime, server, f"psql --no-psqlrc -v ON_ERROR_STOP=1 -U postgres -f {target} picky")
    return server


def mounted() -> dict[str, Path]:
    """The files that the container runs when its volume is new, by their places in it."""
    volumes = [volume.split(":") for volume in services()["database"]["volumes"][1:]]
    return {target: DEPLOY / place for place, target, _how in volumes}


def run(lifetime: Lifetime, server: Postgres, command: str, **variables: str) -> None:
    """Run a command as somebody on the server's machine, or in its container."""
    programs, _ = installation(lifetime)
    for target, place in mounted().items():
        command = command.replace(target, str(place))
    subprocess.run(
        ["bash", "-ec", command],
        check=True,
        cwd=ROOT,
        env=os.environ
        | PASSWORDS
        | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PGHOST": server.directory}
        | variables,
        stdout=subprocess.DEVNULL,
    )


def url(server: Postgres, role: str, database: str = "picky") -> str:
    return server.url(database).replace("postgres@", f"{role}@")


def ask(url: str, statement: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            found: list[Any] = await connection.fetch(statement)
            return found
        finally:
            await connection.close()

    return asyncio.run(run())


def told_by(database_url: str, data: Path, *arguments: str | Path) -> str:
    environment = {"PICKY_DATABASE_URL": database_url, "PICKY_DATA_DIR": str(data)}
    run = run_command(*arguments, environment=environment)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.timeout(240)
def test_a_market_lives_on_rows_alone_and_its_owner_backs_it_up(
    private_lifetime: Lifetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs, _ = installation(private_lifetime)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    first = made(private_lifetime, "first")
    upgrade(url(first, "picky_owner"))
    server = start_picky(private_lifetime, database_url=url(first, "picky"))
    travel(Journey(*two_people(server.url, tmp_path), between=lambda: None))
    assert ask(url(first, "picky"), "SELECT 1 FROM trades_trade")
    server.stop()
    copy = tmp_path / "copy"
    told_by(url(first, "picky_owner"), server.data_dir, "backup", "--to", copy)

    second = made(private_lifetime, "second")
    told = told_by(url(second, "picky_owner"), tmp_path / "data", "restore", "--from", copy)
    assert told.startswith("restored ")
    assert ask(url(second, "picky"), "SELECT 1 FROM trades_trade")


async def work_for_days(database_url: str, data_dir: Path) -> None:
    """Say something, and do the worker's job of making and dropping days nine days later; it may
    take its time.
    """
    clock = MovableClock(BEGINNING)
    settings = Settings(environment=Environment.TEST, data_dir=data_dir, database_url=database_url)
    context = build_context(settings, base_url="http://testserver", clock=clock)
    try:
        noon = await first_noon(context)
        clock.move_to(noon)
        stream = await new_stream(context)
        await append(context, stream)
        assert await rows_in(context, part_of(noon)) == 1
        clock.advance(9 * A_DAY)
        with capture_logs() as told, pytest.MonkeyPatch.context() as patient:
            patient.setattr(event_days, "_BRIEFLY", ())
            await trim_streams(context, {})
        assert told == []
        days = await parts(context)
        assert part_of(noon) not in days
        assert {part_of(clock.now() + number * A_DAY) for number in range(4)} <= set(days)
        await append(context, stream)
        assert await rows_in(context, part_of(clock.now())) == 1
        assert await after(context, stream, await oldest(context, stream) - 1) == [2]
    finally:
        await close_context(context)


def test_the_worker_makes_and_drops_days_of_tables_that_it_does_not_own(
    private_lifetime: Lifetime, tmp_path: Path
) -> None:
    server = made(private_lifetime, "first")
    upgrade(url(server, "picky_owner"))
    asyncio.run(work_for_days(url(server, "picky"), tmp_path))
    owners = ask(url(server, "picky"), "SELECT DISTINCT tableowner FROM pg_tables" + PUBLIC)
    assert [row["tableowner"] for row in owners] == ["picky_owner"]


ANEW = {
    "compose": r"^docker compose --file deploy/compose.yaml exec database (.+)$",
    "somewhere": r"^((?:dropdb|createdb|DATABASE_OWNER_PASSWORD=\S+ \S+ psql) .+)$",
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("place", ANEW)
def test_a_database_is_made_anew_by_the_commands_that_the_page_names(
    private_lifetime: Lifetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """In the container by the superuser, elsewhere by who may make databases and roles only."""
    programs, _ = installation(private_lifetime)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    page = (ROOT / "docs" / "operations.md").read_text()
    commands = re.findall(ANEW[place], page, re.MULTILINE)
    programs_named = re.findall(r"\b(?:dropdb|createdb|psql)\b", " ".join(commands))
    assert programs_named == ["dropdb", "createdb", "psql"]
    server = start_postgres(private_lifetime, "first")
    server.execute(
        "CREATE ROLE master LOGIN CREATEDB CREATEROLE; GRANT pg_signal_backend TO master"
    )
    server.execute("CREATE DATABASE picky OWNER master")
    there = {"SERVER": url(server, "master", "postgres"), "DATABASE": url(server, "master")}

    def make_anew() -> None:
        run(private_lifetime, server, "\n".join(commands), **there)
        assert ask(url(server, "picky"), "SELECT FROM pg_tables" + PUBLIC) == []

    make_anew()
    upgrade(url(server, "picky_owner"))
    copy = tmp_path / "copy"
    told_by(url(server, "picky_owner"), tmp_path / "here", "backup", "--to", copy)
    make_anew()
    told_by(url(server, "picky_owner"), tmp_path / "there", "restore", "--from", copy)
    asyncio.run(work_for_days(url(server, "picky"), tmp_path))


@pytest.mark.parametrize(
    ("emptying", "is_late"),
    [
        ("SELECT 'nothing is emptied'", False),
        ("DROP SCHEMA public CASCADE", False),
        ("DROP SCHEMA public CASCADE; CREATE SCHEMA public", False),
        ("DROP OWNED BY picky_owner", True),
        ("DROP OWNED BY picky", True),
    ],
)
def test_the_roles_are_given_back_what_they_may(
    private_lifetime: Lifetime, tmp_path: Path, emptying: str, is_late: bool
) -> None:
    """``is_late``: the tables were there again before somebody thought of it."""
    server = made(private_lifetime, "first")
    upgrade(url(server, "picky_owner"))
    run(private_lifetime, server, f'psql -U postgres -c "{emptying}" picky')
    if is_late:
        upgrade(url(server, "picky_owner"))
    run(private_lifetime, server, "psql -U postgres -f deploy/database/roles.sql picky")
    upgrade(url(server, "picky_owner"))
    asyncio.run(work_for_days(url(server, "picky"), tmp_path))


def test_nobody_else_makes_and_drops_days(private_lifetime: Lifetime) -> None:
    server = made(private_lifetime, "first")
    upgrade(url(server, "picky_owner"))
    server.execute("CREATE ROLE other LOGIN; GRANT CONNECT ON DATABASE picky TO other")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="for function"):
        ask(url(server, "other"), "SELECT platform_make_event_day('2999-12-31')")


def test_the_processes_change_no_table_and_nobody_comes_as_superuser(
    private_lifetime: Lifetime,
) -> None:
    server = made(private_lifetime, "first")
    upgrade(url(server, "picky_owner"))
    tables = {row["relname"] for row in ask(url(server, "picky"), OWN) if row["relkind"] == b"r"}
    assert {"accounts_account", "alembic_version"} <= tables
    assert ask(url(server, "picky"), "SELECT platform_make_event_day('2999-12-31')") == [(True,)]
    [[paths]] = ask(
        url(server, "picky"),
        "SELECT array_agg(proconfig) FROM pg_proc WHERE prosecdef AND proname ~ '_event_'",
    )
    assert paths == [["search_path=public, pg_temp"]] * 5
    ask(url(server, "picky"), "SELECT platform_drop_event_part('accounts_account')")  # is no part
    ask(url(server, "picky"), "SELECT platform_drop_event_part('platform_stream_event_29991231')")
    left = {row["relname"] for row in ask(url(server, "picky"), OWN)}
    assert "accounts_account" in left
    assert "platform_stream_event_29991231" not in left
    for statement in (
        "CREATE TABLE more (one int)",
        "CREATE TEMPORARY TABLE more (one int)",
        "DROP TABLE accounts_account",
        "TRUNCATE accounts_account",
        "ALTER TABLE accounts_account ADD COLUMN more int",
        "SELECT rolpassword FROM pg_authid",
        "SET ROLE picky_owner",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            ask(url(server, "picky"), statement)
    kept = {
        row["rolname"]: (row["rolsuper"], bool(row["rolpassword"]))
        for row in ask(server.url(), "SELECT * FROM pg_authid WHERE rolcanlogin")
    }
    assert kept == {
        "postgres": (True, False),
        "picky_owner": (False, True),
        "picky": (False, True),
    }
