"""One server in this process, over a fresh database, for every test of a room's rules."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute

from server.app.asgi import create_app
from server.app.container import build_context, close_context, open_database
from server.app.settings import Environment, Settings
from server.platform import postgresql
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.database import Database
from server.platform.object_store import S3ObjectStore, s3
from server.platform.passwords import Passwords
from tests.server.statements import before_each_statement
from tests.servers.postgres import deadlocks

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
BASE_URL = "http://testserver"
PATIENCE_S = 30.0


_built_routes: dict[int, BaseRoute] = {}
_databases: dict[tuple[object, ...], Database] = {}


def shared_database(settings: Settings) -> Database:
    """The same for every test of this process with these settings: a closed one opens again, and
    has not forgotten what SQLAlchemy compiled, which costs a quarter of most tests.
    """
    named = (name for name in Settings.model_fields if name.startswith("database_"))
    key = (settings.effective_database_url, *(getattr(settings, name) for name in named))
    if key not in _databases:
        with pytest.MonkeyPatch.context() as patient:
            for name in "_TURN_S", "_CONNECTS_S":
                patient.setattr(postgresql, name, PATIENCE_S)
            _databases[key] = open_database(settings)
    return _databases[key]


def settings_of(database_url: str, data_dir: Path, **more: Any) -> Settings:
    """The settings of a server of tests: rates are off, and forty people at once have their turn
    with the database however busy the machine is.
    """
    return Settings(
        environment=Environment.TEST,
        data_dir=data_dir,
        database_url=database_url,
        rate_limits=False,
        database_statement_timeout_s=PATIENCE_S,
        database_lock_timeout_s=PATIENCE_S,
        **more,
    )


def share_routes(app: FastAPI) -> None:
    """Take the included routes of the first application: they are the same in every one, and
    building their models costs more than most tests.
    """
    for number, route in enumerate(app.router.routes):
        router = getattr(route, "original_router", None)
        if router is not None:
            app.router.routes[number] = _built_routes.setdefault(id(router), route)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in, who asks the server for things."""

    id: UUID
    handle: str
    token: str
    session_id: UUID
    client: httpx.AsyncClient

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("POST", path, json=json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("PUT", path, json=json, **options)

    async def patch(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("PATCH", path, json=json, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("DELETE", path, **options)


SignUpPerson = Callable[..., Awaitable[Person]]


@dataclass(slots=True)
class Queries:
    """The statements that ran while it counted; begin and commit are none."""

    statements: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self.statements)


@pytest.fixture(scope="session", autouse=True)
def _whoever_is_late_is_waited_for() -> Iterator[None]:
    """On a busy machine neither a database nor an object store is away when it says nothing for
    some seconds.
    """
    connect = S3ObjectStore._connect

    def connect_patiently(store: S3ObjectStore, **options: Any) -> Any:
        return connect(store, **options | {"connect_s": PATIENCE_S, "read_s": PATIENCE_S})

    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(postgresql, "_CONNECTS_S", PATIENCE_S)
        patient.setattr(s3, "ANSWERS_WITHIN_S", PATIENCE_S)
        patient.setattr(S3ObjectStore, "_connect", connect_patiently)
        yield


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(START)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """The settings of the server; a test of another database overrides this."""
    return settings_of(database_url, tmp_path / "data")


@pytest.fixture
async def no_deadlocks(database_url: str) -> AsyncIterator[None]:
    """Whatever collides in the test, PostgreSQL never has to break a circle of locks (H15)."""
    if database_url.startswith("sqlite"):
        yield
        return
    before = await deadlocks(database_url)
    yield
    assert await deadlocks(database_url) == before


@pytest.fixture
async def context(settings: Settings, clock: MovableClock) -> AsyncIterator[Context]:
    """The wired tools of a server whose clock stands still."""
    context = build_context(
        settings,
        base_url=BASE_URL,
        clock=clock,
        passwords=Passwords(time_cost=1, memory_kib=8),
        database=shared_database(settings),
    )
    yield context
    await close_context(context)


@pytest.fixture
def app(context: Context, settings: Settings) -> FastAPI:
    """The server's application. Its worker does not run; tests run the jobs that are due."""
    app = create_app(context, settings)
    share_routes(app)
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor without a token."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def sign_up(client: httpx.AsyncClient) -> SignUpPerson:
    """Open an account and sign in with it."""

    async def sign_up(handle: str, **fields: Any) -> Person:
        body = {"handle": handle, "password": PASSWORD, "display_name": handle[:20], **fields}
        answer = await client.post("/v1/accounts", json=body)
        assert answer.status_code == 201, answer.text
        signed_in = answer.json()
        return Person(
            id=UUID(signed_in["account"]["id"]),
            handle=handle,
            token=signed_in["token"],
            session_id=UUID(signed_in["session"]["id"]),
            client=client,
        )

    return sign_up


@pytest.fixture
def count_queries(context: Context) -> Callable[[], Any]:
    """Make a context manager that notes every statement that runs meanwhile."""

    @contextmanager
    def counting() -> Iterator[Queries]:
        queries = Queries()
        with before_each_statement(context.database, queries.statements.append):
            yield queries

    return counting


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal, after checking that it is the expected problem."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    return body
