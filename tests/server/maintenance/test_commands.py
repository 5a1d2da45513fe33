"""The commands as an operator types them: jobs, and epochs after a restore by other means."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import update
from typer.testing import CliRunner

from server.app.cli import app
from server.app.maintenance.jobs import list_jobs, table
from server.app.maintenance.restore import renew_epochs
from server.platform.context import Context
from server.platform.jobs import enqueue
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.conftest import SignUpPerson
from tests.server.maintenance.conftest import Place
from tests.servers.command import run_command

PRIVATE = "meet me at the station"


async def leave_a_dead_job(context: Context, key: str | None = None) -> None:
    async def leave(work: UnitOfWork) -> None:
        await enqueue(work, "media.remove", {"text": PRIVATE}, key=key)
        dead = {"done_at": work.now, "dead_at": work.now, "attempts": 8}
        await work.execute(update(Job).values(**dead, error=f"ValueError: no\n{PRIVATE}"))

    await transact(context, None, leave)


def test_more_than_any_database_counts_to_is_not_asked_for() -> None:
    asked = CliRunner().invoke(app, ["jobs", "--limit", "9" * 20])
    assert asked.exit_code == 2
    assert "--limit" in asked.output


async def listed(place: Place, *options: str) -> list[dict[str, Any]]:
    code, output, errors = await place.run("jobs", *options, "--json")
    assert code == 0, errors
    assert PRIVATE not in output + errors
    return [json.loads(line) for line in output.splitlines()]


async def test_dead_jobs_are_listed_and_tried_again(place: Place, context: Context) -> None:
    await leave_a_dead_job(context)
    [dead] = await listed(place, "--dead")
    assert (dead["kind"], dead["state"], dead["attempts"]) == ("media.remove", "dead", 8)
    assert (dead["error"], dead["until"]) == ("ValueError: no", None)

    code, output, _ = await place.run("jobs", "retry", dead["id"], str(other := uuid4()))
    assert (code, output.splitlines()) == (1, [f"{dead['id']} retried", f"{other} unknown"])

    [shown] = await list_jobs(place.settings, only_dead=False, limit=9)
    heading, line = table([shown])
    assert heading.split() == ["state", "kind", "id", "attempts", "since", "until", "error"]
    assert line.split()[:4] == ["due", "media.remove", dead["id"], "0"]


async def test_dead_jobs_whose_work_a_newer_one_does_are_no_failure_and_are_forgotten(
    place: Place, context: Context
) -> None:
    await leave_a_dead_job(context, key="media.remove")
    await transact(
        context, None, lambda work: enqueue(work, "media.remove", {}, key="media.remove")
    )
    [dead] = await listed(place, "--dead")
    told = f"{dead['id']} superseded\n"
    assert (await place.run("jobs", "retry", dead["id"]))[:2] == (1, told)
    assert (await place.run("jobs", "retry", "--all"))[:2] == (0, told)
    assert (await place.run("jobs", "forget", "--all"))[:2] == (0, f"{dead['id']} forgotten\n")
    assert (await place.run("jobs", "forget", dead["id"]))[:2] == (1, f"{dead['id']} unknown\n")
    code, _, errors = await place.run("jobs", "forget")
    assert (code, errors) == (2, "picky-server: name the jobs, or --all\n")
    assert await listed(place, "--dead") == []


async def test_who_restored_by_other_means_renews_the_epochs(
    place: Place, context: Context, sign_up: SignUpPerson
) -> None:
    minsu, jane = await sign_up("minsu"), await sign_up("jane")
    before = [(await one.get("/v1/sync/bootstrap")).json()["epoch"] for one in (minsu, jane)]
    assert await renew_epochs(place.settings) == 2
    after = [(await one.get("/v1/sync/bootstrap")).json()["epoch"] for one in (minsu, jane)]
    assert set(before).isdisjoint(after)


def test_who_migrates_renews_the_epochs_too_and_is_given_no_more(
    postgres_url: str, tmp_path: Path
) -> None:
    given = {"ENVIRONMENT": "production", "DATABASE_URL": postgres_url, "DATA_DIR": str(tmp_path)}
    environment = {f"PICKY_{name}": value for name, value in given.items()}
    run = run_command("new-epoch", environment=environment)
    assert (run.returncode, run.stdout) == (0, "0 streams have a new epoch\n"), run.stderr
