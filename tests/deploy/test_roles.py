"""Each role as a process of its own, over real servers: it does its part, and says whose the rest
is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from typer.testing import CliRunner
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from server.app.cli import app as cli
from server.platform.database import Database
from server.platform.migrate import newest_schema
from server.platform.valkey_bus import ValkeyBus
from shared_models.realtime import SUBPROTOCOL
from tests.deploy.fleet import USE_THE_STORE
from tests.deploy.schema import set_version
from tests.servers.command import run_command
from tests.servers.lifetime import Lifetime, kill
from tests.servers.picky import ALONE, TEST_ENVIRONMENT, PickyServer, start_picky
from tests.servers.s3 import S3Bucket
from tests.servers.valkey import start_valkey

ROLES = ("api", "realtime", "worker")
PERSON = {"handle": "minsu", "password": "a password that nobody guesses", "display_name": "me"}
PATIENCE_S = 60
"""A process that hears nothing on the bus begins within 20 s to look for what it has missed."""
get = partial(httpx.get, timeout=PATIENCE_S)
post = partial(httpx.post, timeout=PATIENCE_S)


@pytest.fixture
def fleet(postgres_url: str, valkey_url: str, s3_bucket: S3Bucket) -> dict[str, Any]:
    """The settings of every process of a fleet."""
    return {
        "database_url": postgres_url,
        "bus_url": valkey_url,
        "object_store_url": s3_bucket.url,
        "secret_key": "one key for all processes of these tests",
    }


@pytest.fixture
def start(
    private_lifetime: Lifetime, fleet: dict[str, Any], s3_bucket: S3Bucket
) -> Callable[[str], PickyServer]:
    """Starts a role with what it is given where it is deployed: the bucket's key, or none."""

    def begin(role: str) -> PickyServer:
        key = s3_bucket.environment if role in USE_THE_STORE else None
        # The worker imports for itself; the proxy's tests start the other two so.
        fresh = ALONE if role == "worker" else ()
        return start_picky(private_lifetime, role, key, role=role, under=fresh, **fleet)

    return begin


def refusal(answer: httpx.Response) -> dict[str, Any]:
    """The problem of what is served elsewhere."""
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == "served_elsewhere"
    return body


def socket_refusal(server: PickyServer) -> str:
    with pytest.raises(InvalidStatus) as refused, connect(socket_url(server)):
        pass
    response = refused.value.response
    assert response.status_code == 404
    assert response.body is not None
    return response.body.decode()


def socket_url(server: PickyServer) -> str:
    return f"ws{server.url.removeprefix('http')}/v1/realtime"


def is_ready(server: PickyServer) -> bool:
    """Whether it has reached all that it needs by now; on a busy machine that takes a while."""
    return bool(get(f"{server.url}/readyz").json() == {"status": "ready"})


def test_every_role_serves_its_own_and_says_who_serves_the_rest(
    private_lifetime: Lifetime, start: Callable[[str], PickyServer]
) -> None:
    servers = {role: start(role) for role in ROLES}
    for role, server in servers.items():
        assert get(f"{server.url}/healthz").json() == {"status": "ok"}
        private_lifetime.wait_until(role, partial(is_ready, server), pid=server.pid)
        assert get(f"{server.url}/metrics").status_code == 200
    api = servers["api"]
    signed_in = post(f"{api.url}/v1/accounts", json=PERSON)
    assert signed_in.status_code == 201
    assert "served by the roles realtime and all; this process is api" in socket_refusal(api)
    assert get(f"{api.url}/openapi.json").status_code == 200
    for role in ("realtime", "worker"):
        url = servers[role].url
        for path in "/v1/market", "/v1/me", "/openapi.json", "/docs":
            told = refusal(get(url + path))
            assert f"served by the roles api and all; this process is {role}" in told["detail"]
        refusal(post(f"{url}/v1/accounts", json=PERSON))
    assert "this process is worker" in socket_refusal(servers["worker"])
    token = {"Authorization": f"Bearer {signed_in.json()['token']}"}
    with dial(servers["realtime"], token):
        pass


def test_only_the_worker_runs_jobs(start: Callable[[str], PickyServer]) -> None:
    api = start("api")
    with httpx.Client(base_url=api.url, timeout=PATIENCE_S) as client:
        token = client.post("/v1/accounts", json=PERSON).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        assert client.post("/v1/me/export").status_code == 202
        start("realtime")
        assert client.get("/v1/me/export").json()["state"] == "processing"
        start("worker")
        while (state := client.get("/v1/me/export").json()["state"]) == "processing":
            pass  # asking takes a moment
        assert state == "ready"


async def test_a_lost_instance_of_the_bus_loses_nothing(
    private_lifetime: Lifetime, fleet: dict[str, Any], start: Callable[[str], PickyServer]
) -> None:
    """The database is the log: what the bus did not bring is read there."""
    buses = {bus.address: bus for bus in (start_valkey(private_lifetime, name) for name in "ab")}
    urls = [bus.url() for bus in buses.values()]
    fleet["bus_url"] = ",".join(urls)
    api, realtime = start("api"), start("realtime")
    async with httpx.AsyncClient(base_url=api.url, timeout=PATIENCE_S) as client:
        signed_in = (await client.post("/v1/accounts", json=PERSON)).json()
        token = {"Authorization": f"Bearer {signed_in['token']}"}
        with dial(realtime, token) as socket:
            bus = ValkeyBus(urls)
            kill(buses[bus.place(UUID(signed_in["account"]["id"]))].pid)
            await bus.close()
            renamed = await client.patch("/v1/me", json={"display_name": "you"}, headers=token)
            assert renamed.status_code == 200
            while '"kind":"account.changed"' not in (told := str(socket.recv(PATIENCE_S))):
                pass  # pings
            assert '"display_name":"you"' in told


WRONG_KEY = {"AWS_ACCESS_KEY_ID": "nobody-knows-it", "AWS_SECRET_ACCESS_KEY": "nobody-knows-it"}


@pytest.mark.parametrize(
    ("role", "part"), [("realtime", "bus"), ("worker", "bus"), ("worker", "object_store")]
)
def test_a_process_that_cannot_work_is_alive_and_has_never_started(
    private_lifetime: Lifetime,
    fleet: dict[str, Any],
    s3_bucket: S3Bucket,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    part: str,
) -> None:
    """With a name that the bus does not know, or without the right to the bucket."""
    if part == "bus":
        fleet["bus_url"] = fleet["bus_url"].replace("://", "://somebody:not-its-password@")
    key = WRONG_KEY if part == "object_store" else s3_bucket.environment
    server = start_picky(private_lifetime, role, key, role=role, **fleet)

    def misses_only_that() -> bool:
        answer = get(f"{server.url}/startedz")
        assert answer.status_code == 503
        return bool(answer.json() == {"status": "starting", "failing": [part]})

    private_lifetime.wait_until(role, misses_only_that, pid=server.pid)
    monkeypatch.setenv("PICKY_DATA_DIR", str(private_lifetime.directory))
    for flags, code in (([], 0), (["--started"], 1)):
        asked = CliRunner().invoke(cli, ["health", "--port", str(server.port), *flags])
        assert asked.exit_code == code, asked.output


@contextmanager
def dial(server: PickyServer, token: dict[str, str]) -> Iterator[ClientConnection]:
    """A socket that has been welcomed."""
    spoken = [Subprotocol(SUBPROTOCOL)]
    with connect(socket_url(server), subprotocols=spoken, additional_headers=token) as socket:
        socket.send('{"t":"hello","device":"","client":""}')
        assert '"t":"welcome"' in str(socket.recv(PATIENCE_S))
        yield socket


def refused_start(role: str, data_dir: Path, settings: dict[str, str]) -> str:
    """What a process that does not start says."""
    environment = {f"PICKY_{name.upper()}": value for name, value in settings.items()}
    command = ("serve", "--port", "0", "--role", role, "--data-dir", data_dir)
    ended = run_command(*command, environment=TEST_ENVIRONMENT | environment)
    assert ended.returncode == 2, ended.stderr
    assert "listening" not in ended.stdout
    return ended.stderr.strip()


def test_a_role_does_not_start_on_a_schema_that_is_too_old(
    fleet: dict[str, Any], empty_postgres_url: str, tmp_path: Path
) -> None:
    told = refused_start("worker", tmp_path, fleet | {"database_url": empty_postgres_url})
    assert told == (
        f"picky-server: the database's schema is 0000, this version needs {newest_schema():04}: "
        "run `picky-server migrate`, then start again"
    )


def test_a_role_whose_database_is_away_says_so(fleet: dict[str, Any], tmp_path: Path) -> None:
    settings = fleet | {"database_url": "postgresql://postgres@127.0.0.1:1/market"}
    told = refused_start("api", tmp_path, settings)
    assert told.startswith("picky-server: the database cannot be used: ")


async def test_a_role_starts_on_the_schema_of_the_version_to_come(
    private_lifetime: Lifetime, start: Callable[[str], PickyServer], postgres_url: str
) -> None:
    database = Database(postgres_url)
    await set_version(database, newest_schema() + 1)
    try:
        server = start("api")
        private_lifetime.wait_until("api", partial(is_ready, server), pid=server.pid)
    finally:
        await set_version(database, newest_schema())
        await database.close()
