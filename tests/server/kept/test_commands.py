"""The commands as an operator types them: jobs, and epochs after a restore by other means."""

import json
from typing import Any
from uuid import uuid4

from sqlalchemy import update

from server.app.kept.jobs import list_jobs, table
from server.app.kept.restore import renew_epochs
from server.platform.context import Context
from server.platform.jobs import enqueue
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.conftest import SignUpPerson
from tests.server.kept.conftest import Place

PRIVATE = "meet me at the station"


async def leave_a_dead_job(context: Context) -> None:
    async def leave(work: UnitOfWork) -> None:
        await enqueue(work, "media.remove", {"text": PRIVATE})
        dead = {"done_at": work.now, "dead_at": work.now, "attempts": 8}
        await work.execute(update(Job).values(**dead, error=f"ValueError: no\n{PRIVATE}"))

    await transact(context, None, leave)


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


async def test_who_restored_by_other_means_renews_the_epochs(
    place: Place, context: Context, sign_up: SignUpPerson
) -> None:
    minsu, jane = await sign_up("minsu"), await sign_up("jane")
    before = [(await one.get("/v1/sync/bootstrap")).json()["epoch"] for one in (minsu, jane)]
    assert await renew_epochs(place.settings) == 2
    after = [(await one.get("/v1/sync/bootstrap")).json()["epoch"] for one in (minsu, jane)]
    assert set(before).isdisjoint(after)
