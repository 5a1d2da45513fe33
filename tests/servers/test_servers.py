"""The servers of the tests are the real things, and end with their lifetime."""

import fcntl
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import asyncpg
import boto3
import httpx
import psutil
import pytest
import redis.asyncio
from botocore.client import BaseClient
from botocore.config import Config
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from tests.servers import command
from tests.servers.command import run_command
from tests.servers.forge import door
from tests.servers.lifetime import PORTS, Lifetime, ServerError, accepts, free_port, kill, own_ports
from tests.servers.picky import PickyServer, start_picky
from tests.servers.postgres import Postgres, start_postgres
from tests.servers.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Bucket
from tests.servers.valkey import Valkey, start_valkey

PATIENCE_S = 30


async def test_postgres_is_postgresql_18_for_asyncpg_and_sqlalchemy(
    empty_postgres_url: str,
) -> None:
    connection = await asyncpg.connect(empty_postgres_url)
    version = await connection.fetchval("SELECT version()")
    await connection.close()
    assert version.startswith("PostgreSQL 18")

    engine = create_async_engine(make_url(empty_postgres_url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as session:
        assert await session.scalar(text("SELECT version()")) == version
    await engine.dispose()


async def test_a_copied_database_has_the_rows_of_its_template(postgres: Postgres) -> None:
    original = postgres.create_database("original")
    connection = await asyncpg.connect(original)
    await connection.execute("CREATE TABLE things AS SELECT 7 AS number")
    await connection.close()
    copy = await asyncpg.connect(postgres.create_database("copy", template="original"))
    number = await copy.fetchval("SELECT number FROM things")
    await copy.close()
    assert number == 7
    postgres.drop_database("copy")
    postgres.drop_database("original")


async def test_a_durable_postgres_keeps_its_rows_through_kill_and_restart(
    private_lifetime: Lifetime,
) -> None:
    server = start_postgres(private_lifetime, "durable", durable=True)
    connection = await asyncpg.connect(server.url())
    assert await connection.fetchval("SHOW fsync") == "on"
    await connection.execute("CREATE TABLE things AS SELECT 7 AS number")
    connection.terminate()
    kill(server.pid)
    again = start_postgres(private_lifetime, "durable", durable=True)
    connection = await asyncpg.connect(again.url())
    number = await connection.fetchval("SELECT number FROM things")
    await connection.close()
    assert number == 7


async def test_valkey_is_valkey_and_delivers_to_subscribers(valkey_url: str) -> None:
    async with redis.asyncio.from_url(valkey_url) as client:
        assert (await client.info("server"))["server_name"] == "valkey"
        async with client.pubsub() as subscription:
            await subscription.subscribe("news")
            await subscription.get_message(timeout=PATIENCE_S)
            await client.publish("news", "here")
            message = await subscription.get_message(timeout=PATIENCE_S)
    assert message["data"] == b"here"


def presigning_client(bucket: S3Bucket, secret_key: str) -> BaseClient:
    return boto3.client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
        ),
    )


def presigned_put(bucket: S3Bucket, secret_key: str, content: bytes, signed_length: int) -> int:
    params = {"Bucket": bucket.name, "Key": "a/photo", "ContentLength": signed_length}
    client = presigning_client(bucket, secret_key)
    url = client.generate_presigned_url("put_object", Params=params, ExpiresIn=60)
    client.close()
    return httpx.put(url, content=content, timeout=PATIENCE_S).status_code


def test_the_store_takes_a_signed_upload_and_refuses_a_forged_one(s3_bucket: S3Bucket) -> None:
    assert presigned_put(s3_bucket, SECRET_KEY, b"twelve bytes", 12) == 200
    assert presigned_put(s3_bucket, "another-secret-key", b"twelve bytes", 12) == 403
    assert presigned_put(s3_bucket, SECRET_KEY, b"more than twelve bytes", 12) == 403
    client = presigning_client(s3_bucket, SECRET_KEY)
    body = client.get_object(Bucket=s3_bucket.name, Key="a/photo")["Body"].read()
    client.close()
    assert body == b"twelve bytes"


def is_alive(server: PickyServer) -> bool:
    answer = httpx.get(f"{server.url}/healthz", timeout=PATIENCE_S)
    return answer.status_code == httpx.codes.OK


def test_a_picky_server_answers_stops_when_asked_and_starts_again_on_its_port(
    picky_server: PickyServer, private_lifetime: Lifetime
) -> None:
    assert is_alive(picky_server)
    picky_server.stop()
    assert not psutil.pid_exists(picky_server.pid)
    again = start_picky(private_lifetime, port=picky_server.port)
    assert again.url == picky_server.url
    assert is_alive(again)


def test_a_server_that_cannot_start_says_why(private_lifetime: Lifetime) -> None:
    with pytest.raises(ServerError, match="no_such_setting"):
        start_postgres(private_lifetime, no_such_setting="on")


def test_servers_from_the_forge_have_their_own_settings_and_logs(
    private_lifetime: Lifetime,
) -> None:
    free = start_picky(private_lifetime, "free")
    strict = start_picky(private_lifetime, "strict", rate_limits="on")
    assert psutil.Process(free.pid).parent() == psutil.Process(strict.pid).parent()
    said = "rate limits are off"
    assert (said in free.log.read_text(), said in strict.log.read_text()) == (True, False)


def test_an_order_that_is_none_ends_no_forge(tmp_path: Path) -> None:
    forge = door()
    assert forge is not None
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.connect(str(forge))
    assert run_command("migrate", "--data-dir", tmp_path).returncode == 0


def test_a_command_that_does_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "AT_MOST_S", 5.0)
    port = free_port()
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(run_command, "serve", "--data-dir", tmp_path, "--port", str(port))
        while not accepts(port) and not running.done():
            pass  # on a busy machine its time may be over before it has begun
        with pytest.raises(TimeoutError):
            running.result()
    while accepts(port):
        pass  # asking takes a moment


@pytest.mark.parametrize("start", [start_valkey, start_picky])
def test_the_end_of_a_lifetime_ends_its_servers_and_removes_their_files(
    start: Callable[[Lifetime], Valkey | PickyServer],
) -> None:
    with Lifetime.begin() as lifetime:
        server = start(lifetime)
        assert psutil.pid_exists(server.pid)
    assert not psutil.pid_exists(server.pid)
    assert not lifetime.directory.exists()


FORKS = """
import fcntl, os, select, sys
held = open(sys.argv[1], "w")
fcntl.flock(held, fcntl.LOCK_SH)
while True:
    if os.fork() == 0:
        os.setsid()  # as PostgreSQL's do
        select.select([], [], [], 10)
        os._exit(0)
    select.select([], [], [], 0.01)
"""


def test_no_child_outlives_a_killed_server_that_goes_on_having_some(
    private_lifetime: Lifetime,
) -> None:
    held = private_lifetime.directory / "held"
    pid = private_lifetime.start("forks", [sys.executable, "-c", FORKS, held])
    server = psutil.Process(pid)
    private_lifetime.wait_until("forks", lambda: len(server.children()) > 3, pid=pid)
    kill(pid)
    with held.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_no_two_workers_are_given_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    given = set(islice(own_ports(), len(PORTS)))
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    assert given
    assert given.isdisjoint(islice(own_ports(), len(PORTS)))


OWNER = """
import sys
from tests.servers.lifetime import Lifetime
from tests.servers.{0} import start_{0}
lifetime = Lifetime.begin()
print(start_{0}(lifetime).pid, lifetime.directory, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["valkey", "picky"])
def test_a_killed_owner_leaves_no_server_and_no_files_behind(name: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER.format(name)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        pid, directory = owner.stdout.readline().split()
        assert psutil.pid_exists(int(pid))
        with Path(directory, "guards").open("w") as guards:
            owner.kill()
            fcntl.flock(guards, fcntl.LOCK_EX)
    assert not psutil.pid_exists(int(pid))
    assert not Path(directory).exists()
