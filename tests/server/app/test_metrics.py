"""What whoever runs the server can read of it: by route and state, never by what people send."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from sqlalchemy import text

from server.app.asgi import create_app
from server.app.metrics import Metrics
from server.app.roles import Role
from server.app.settings import Settings
from server.media import api as media
from server.platform import job_admin, job_figures
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.holding import HOLD, objects_held
from server.platform.jobs import MOST_ATTEMPTS, Worker, enqueue
from server.platform.unit_of_work import UnitOfWork, reading, transact
from server.trades import api as trades
from tests.server.conftest import Person, SignUpPerson
from tests.server.media.uploading import ask, declared
from tests.server.plans import last_statement, plan_of
from tests.server.trades.conftest import market
from tests.server.trades.market import Market
from tests.servers.figures import Counting, figure

__all__ = ["market"]

OLDEST = "picky_jobs_oldest_due_seconds"
KINDS = {"test.delete", HOLD}
REQUESTS = "picky_http_request_duration_seconds_count"


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
async def minsu(sign_up: SignUpPerson) -> Person:
    return await sign_up("minsu")


async def test_requests_are_counted_by_template_method_and_class(
    minsu: Person, counting: Counting
) -> None:
    for _ in range(2):
        await minsu.get(f"/v1/listings/{uuid4()}")
    await minsu.get("/v1/me")
    route = "/v1/listings/{listing_id}"
    assert counting.grown(REQUESTS, method="GET", route=route, status="4xx") == 2
    assert counting.grown(REQUESTS, method="GET", route="/v1/me", status="2xx") == 1


async def test_what_leads_nowhere_or_is_no_method_makes_no_new_label(
    minsu: Person, counting: Counting
) -> None:
    for path in ("/v1/nowhere", "/.env", f"/{uuid4()}"):
        await minsu.get(path)
    await minsu.request("BREW", "/coffee")
    assert counting.grown(REQUESTS, method="GET", route="none", status="4xx") == 3
    assert counting.grown(REQUESTS, method="other", route="none", status="4xx") == 1


@pytest.mark.parametrize("role", list(Role))
async def test_what_leads_nowhere_is_one_route_and_probes_are_none_in_every_role(
    context: Context, settings: Settings, counting: Counting, role: Role
) -> None:
    served = create_app(context, settings.model_copy(update={"role": role}))
    transport = httpx.ASGITransport(app=served)
    probes = "/healthz", "/startedz", "/readyz", "/metrics"
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        for path in (*probes, "/v1/nowhere", "/.env", "/v1/listings/x/y"):
            await client.get(path)
    assert counting.grown(REQUESTS, method="GET", route="none", status="4xx") == 3
    for probe in probes:
        assert counting.grown(REQUESTS, method="GET", route=probe, status="2xx") == 0


@pytest.mark.parametrize("page", ["/docs", "/openapi.json"])
async def test_a_page_of_the_contract_leads_somewhere(
    client: httpx.AsyncClient, counting: Counting, page: str
) -> None:
    assert (await client.get(page)).status_code == 200
    assert counting.grown(REQUESTS, method="GET", route=page, status="2xx") == 1


async def test_the_embedded_store_is_one_route(minsu: Person, counting: Counting) -> None:
    for name in ("one", "two"):
        await minsu.get(f"/object-store/picky/{name}")
    assert counting.grown(REQUESTS, method="GET", route="/object-store", status="4xx") == 2


async def test_a_request_that_breaks_counts_as_failed(app: FastAPI, counting: Counting) -> None:
    async def broken() -> None:
        raise RuntimeError

    app.add_api_route("/v1/broken", broken)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        assert (await client.get("/v1/broken")).status_code == 500
    assert counting.grown(REQUESTS, method="GET", route="/v1/broken", status="5xx") == 1


class TestJobs:
    async def test_that_wait_are_counted_and_the_oldest_is_timed(
        self, context: Context, clock: MovableClock
    ) -> None:
        async def leave(work: UnitOfWork) -> None:
            for _ in range(3):
                await enqueue(work, "test.job", {})
            await enqueue(work, "test.job", {}, run_at=work.now + timedelta(hours=1))

        await transact(context, None, leave)
        await Worker(context, {"test.job": _nothing})._claim(1)
        clock.advance(timedelta(seconds=90))
        async with reading(context) as work:
            await job_figures.measure(work, {"test.job"})
        assert waiting() == {"due": 2, "running": 1, "scheduled": 1, "unknown": 0, "dead": 0}
        assert figure(OLDEST) == 90

    async def test_that_nobody_runs_are_not_due(
        self, context: Context, clock: MovableClock
    ) -> None:
        """They wait for the version that runs them, and no worker of this one is late."""
        await transact(context, None, lambda work: enqueue(work, "test.to_come", {}))
        clock.advance(timedelta(seconds=90))
        await transact(context, None, lambda work: enqueue(work, "test.job", {}))
        async with reading(context) as work:
            await job_figures.measure(work, {"test.job"})
        assert waiting() == {"due": 1, "running": 0, "scheduled": 0, "unknown": 1, "dead": 0}
        assert figure(OLDEST) == 0

    async def test_that_are_dead_are_counted_for_as_long_as_they_are(
        self, context: Context, clock: MovableClock
    ) -> None:
        async def measured() -> float:
            async with reading(context) as work:
                await job_figures.measure(work, {"bad"})
            return waiting()["dead"]

        await transact(context, None, lambda work: enqueue(work, "bad", {}))
        for _ in range(MOST_ATTEMPTS):
            assert await measured() == 0
            await Worker(context, {"bad": _fail}).run_due()
            clock.advance(timedelta(hours=1))
        assert await measured() == 1
        async with reading(context) as work:
            [dead] = await job_admin.dead_ids(work)
        await transact(context, None, lambda work: job_admin.retry(work, dead))
        assert await measured() == 0

    async def test_that_wait_for_a_backup_are_not_due(
        self, context: Context, clock: MovableClock
    ) -> None:
        await transact(context, None, lambda work: enqueue(work, "test.delete", {}))
        clock.advance(timedelta(seconds=90))
        async with objects_held(context, ()), reading(context) as work:
            await job_figures.measure(work, KINDS, {"test.delete"})
            held = figure("picky_jobs_waiting", state="due"), figure(OLDEST)
            await job_figures.measure(work, KINDS, {"test.another"})
            assert figure("picky_jobs_waiting", state="due") == 1
        async with reading(context) as work:
            await job_figures.measure(work, KINDS, {"test.delete"})
        assert held == (0.0, 0.0)
        with_the_hold = 2
        assert figure("picky_jobs_waiting", state="due") == with_the_hold
        assert figure(OLDEST) == 90

    async def test_that_die_are_counted_from_0_on(self, context: Context) -> None:
        Worker(context, {"test.of_this_test": _nothing})
        labels = {"kind": "test.of_this_test", "outcome": "dead"}
        assert REGISTRY.get_sample_value("picky_jobs_total", labels) == 0

    async def test_that_ran_are_counted_by_what_came_of_them(
        self, context: Context, clock: MovableClock, counting: Counting
    ) -> None:
        await transact(context, None, lambda work: enqueue(work, "good", {}))
        await transact(context, None, lambda work: enqueue(work, "bad", {}))
        worker = Worker(context, {"good": _nothing, "bad": _fail})
        for _ in range(MOST_ATTEMPTS):
            await worker.run_due()
            clock.advance(timedelta(hours=1))
        assert counting.grown("picky_jobs_total", kind="good", outcome="done") == 1
        assert counting.grown("picky_jobs_total", kind="bad", outcome="failed") == MOST_ATTEMPTS - 1
        assert counting.grown("picky_jobs_total", kind="bad", outcome="dead") == 1
        assert counting.grown("picky_job_duration_seconds_count", kind="bad") == MOST_ATTEMPTS


def waiting() -> dict[str, float]:
    states = "due", "running", "scheduled", "unknown", "dead"
    return {state: figure("picky_jobs_waiting", state=state) for state in states}


async def measure_jobs(work: UnitOfWork) -> None:
    await job_figures.measure(work, KINDS)


async def _nothing(_context: Context, _payload: dict[str, Any]) -> None:
    pass


async def _fail_to_look(*_arguments: object) -> None:
    raise TimeoutError


async def _fail(_context: Context, _payload: dict[str, Any]) -> None:
    raise RuntimeError


async def test_uploads_and_trades_are_counted_by_state(
    market: Market, minsu: Person, context: Context, counting: Counting
) -> None:
    await ask(minsu, declared(), declared())
    trade = await market.reserved(await market.deal(), method="post")
    assert counting.grown("picky_trade_transitions_total", state="reserved") == 1
    async with reading(context) as work:
        await media.measure(work)
        await trades.measure(work)
    assert figure("picky_uploads", state="pending") == 2
    assert figure("picky_uploads", state="ready") == 0
    assert figure("picky_open_trades", state="reserved") == 1
    assert figure("picky_open_trades", state="shipped") == 0
    assert trade["state"] == "reserved"


@pytest.mark.parametrize(
    ("measure", "part", "index"),
    [
        (measure_jobs, "CASE WHEN", "ix_platform_job_due"),
        (measure_jobs, "dead_at IS NOT NULL", "ix_platform_job_dead"),
        (media.measure, "media_upload", "ix_media_upload_unattached"),
        (trades.measure, "trades_trade", "ix_trades_trade_due"),
    ],
)
async def test_what_is_in_the_database_is_counted_along_an_index(
    context: Context, measure: Callable[[UnitOfWork], Any], part: str, index: str
) -> None:
    with last_statement(context, part) as found:
        async with reading(context) as work:
            await measure(work)
    assert "count(*) AS many \nFROM (SELECT" in found[0]
    assert "LIMIT" in found[0]
    assert index in await plan_of(context, *found, only_along_indexes=True)


async def test_the_database_is_looked_at_every_15_s_and_only_by_who_works_on_it(
    context: Context, app: FastAPI, count_queries: Callable[[], Any]
) -> None:
    now = [0.0]
    worker = Metrics(context, Role.WORKER, lambda: now[0])
    await worker.text()
    with count_queries() as queries:
        now[0] += 14.9
        await worker.text()
        await Metrics(context, Role.API).text()
        await Metrics(context, Role.REALTIME).text()
        assert queries.count == 0
        now[0] += 0.1
        await worker.text()
        assert queries.count > 0


async def test_a_database_that_fails_does_not_hide_the_other_figures(
    context: Context, client: httpx.AsyncClient
) -> None:
    async with context.database.writer.begin() as connection:
        await connection.execute(text("ALTER TABLE platform_job RENAME TO away"))
    answer = await client.get("/metrics")
    async with context.database.writer.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO platform_job"))
    assert answer.status_code == 200
    assert "picky_sockets" in answer.text


@pytest.mark.usefixtures("app")
async def test_what_cannot_be_looked_up_any_more_is_not_told_as_it_was(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alert on a figure that is absent comes then; and the next look tells again."""
    now, stock = [0.0], ("picky_jobs_waiting{", "picky_uploads{", "picky_open_trades{")
    worker = Metrics(context, Role.WORKER, lambda: now[0])

    async def told() -> list[str]:
        now[0] += 15
        return (await worker.text()).decode().splitlines()

    def are_told(lines: list[str]) -> list[bool]:
        return [any(line.startswith(name) for line in lines) for name in stock]

    assert are_told(before := await told()) == [True] * 3
    assert f"{OLDEST} 0.0" in before
    with monkeypatch.context() as patching:
        patching.setattr(job_figures, "measure", _fail_to_look)
        lines = await told()
        assert are_told(lines) == [False] * 3
        assert f"{OLDEST} NaN" in lines
    assert are_told(after := await told()) == [True] * 3
    assert f"{OLDEST} 0.0" in after


async def test_connections_in_use_are_told(context: Context, client: httpx.AsyncClient) -> None:
    async with reading(context):
        await client.get("/metrics")
    pool = "reader" if context.database.is_sqlite else "writer"
    assert figure("picky_database_connections_in_use", pool=pool) == 1
    assert figure("picky_database_connections_max", pool=pool) > 1
    await client.get("/metrics")
    assert figure("picky_database_connections_in_use", pool=pool) == 0
