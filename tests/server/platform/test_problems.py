"""Whatever goes wrong is told as a problem, with a status that says whose fault it is."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.platform.context import Context
from server.platform.errors import TooMany
from server.platform.http import install_problem_handlers
from server.platform.unit_of_work import reading
from tests.server.conftest import BASE_URL, problem

MIB = 1024 * 1024
SIGN_UP = {"handle": "minji", "password": "correct horse battery", "display_name": "Minji"}


async def chunks(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // 65536 + 1):
        yield b"x" * 65536


async def test_a_body_above_the_limit_is_a_problem_declared_or_not(
    client: httpx.AsyncClient,
) -> None:
    for content in (b"x" * (MIB + 1), chunks(MIB)):
        answer = await client.post(
            "/v1/accounts", content=content, headers={"Content-Type": "application/json"}
        )
        problem(answer, 413, "too_large")


async def test_a_body_that_is_no_json_is_a_problem(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    nested = await client.post("/v1/accounts", content=b"[" * 100_000, headers=headers)
    problem(nested, 400, "bad_request")
    half = await client.post("/v1/accounts", content=b'{"handle":', headers=headers)
    (told,) = problem(half, 422, "invalid")["errors"]
    assert (told["field"], told["code"]) == ("body", "json_invalid")


async def test_a_database_that_is_overrun_is_503_and_may_be_asked_again(
    client: httpx.AsyncClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overrun(_engine: object) -> None:
        raise PoolTimeout("no connection is free")

    monkeypatch.setattr(type(context.database.writer), "begin", overrun)
    answer = await client.post("/v1/accounts", json=SIGN_UP)
    body = problem(answer, 503, "unavailable")
    assert body["retryable"]
    assert answer.headers["retry-after"] == "1"


@pytest.fixture
def small_app() -> FastAPI:
    app = FastAPI()
    install_problem_handlers(app)
    return app


@pytest.fixture
async def small(small_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=small_app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


async def test_a_statement_that_is_wrong_is_a_bug_and_not_an_overrun(
    small_app: FastAPI, small: httpx.AsyncClient, context: Context
) -> None:
    @small_app.get("/")
    async def wrong() -> None:
        async with reading(context) as work:
            await work.rows(text("SELECT nothing FROM nowhere"))

    problem(await small.get("/"), 500, "internal")


@pytest.mark.parametrize(("wait_s", "header"), [(0.2, "1"), (1.2, "2"), (3, "3")])
async def test_retry_after_never_names_a_moment_too_early(
    small_app: FastAPI, small: httpx.AsyncClient, wait_s: float, header: str
) -> None:
    @small_app.get("/")
    async def refuse() -> None:
        raise TooMany("Too fast.", wait_s)

    answer = await small.get("/")
    assert answer.headers["retry-after"] == header
    assert problem(answer, 429, "rate_limited")["retry_after_s"] == wait_s
