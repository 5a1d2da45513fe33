"""`picky-server doctor` says where each setting comes from, what is wrong and how to mend it."""

import json
import os
import re
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from server.app.doctor import examine
from server.platform.clock import MovableClock, SystemClock
from server.platform.database_state import PostgresState
from server.platform.migrate import upgrade
from tests.servers.collector import collecting
from tests.servers.lifetime import Lifetime
from tests.servers.mute import mute
from tests.servers.postgres import installation, start_postgres
from tests.servers.s3 import S3Bucket, start_s3

SOON_S, AT_ONCE_S = 0.3, 20.0
SECRET = "do-not-show-this-to-anybody-0123456789"


def report(data_dir: Path, **flags: object) -> tuple[str, bool]:
    findings = list(examine({"data_dir": data_dir, **flags}))
    return "\n".join(one.text for one in findings), all(one.well for one in findings)


def line_of(text: str, setting: str) -> str:
    return next(line for line in text.splitlines() if line.split()[:1] == [setting])


def test_a_fresh_machine_is_well_and_nothing_is_made(tmp_path: Path) -> None:
    text, well = report(tmp_path / "data")
    assert well, text
    assert "is made at the first start" in text
    assert list(tmp_path.iterdir()) == []


def test_each_setting_tells_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "picky.toml"
    file.write_text('market_name = "Mapo market"\nport = 1\n[limits]\ntitle_min = 3\n')
    monkeypatch.setenv("PICKY_CONFIG", str(file))
    monkeypatch.setenv("PICKY_HOST", "127.0.0.2")
    monkeypatch.setenv("PICKY_LIMITS__DRAFTS_MAX", "5")
    text, _ = report(tmp_path / "data", port=9000)
    assert line_of(text, "port").split() == ["port", "9000", "flag", "--port"]
    assert line_of(text, "host").split() == ["host", "127.0.0.2", "environment", "PICKY_HOST"]
    assert line_of(text, "market_name").endswith(f"file {file}")
    assert line_of(text, "limits.title_min").endswith(f"file {file}")
    assert line_of(text, "limits.drafts_max").endswith("environment PICKY_LIMITS__DRAFTS_MAX")
    assert line_of(text, "currency").split() == ["currency", "KRW", "default"]


def test_secrets_are_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKY_SECRET_KEY", SECRET)
    monkeypatch.setenv("PICKY_DATABASE_URL", f"postgresql://me:{SECRET}@127.0.0.1:1/market")
    monkeypatch.setenv("PICKY_BUS_URL", f"valkey://:{SECRET}@127.0.0.1:1?password={SECRET}")
    text, well = report(tmp_path)
    assert not well
    assert SECRET not in text
    assert "(set, not shown)" in text
    assert "FAIL  database: it cannot be reached" in text
    assert "FAIL  bus" in text
    assert text.count("mend:") == 2


def test_an_old_schema_is_mended_by_migrating(tmp_path: Path) -> None:
    (tmp_path / "picky.db").touch()
    text, well = report(tmp_path)
    assert not well
    assert "mend: run `picky-server migrate`" in text
    upgrade(f"sqlite:///{tmp_path / 'picky.db'}")
    text, well = report(tmp_path)
    assert well, text


def test_a_variable_of_no_setting_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RATELIMITS", "HOME", "LIMITS__TITLE_MIN", "PORT", "SITE"):
        monkeypatch.setenv(f"PICKY_{name}", "3")
    text, well = report(tmp_path)
    assert well
    noted = [line for line in text.splitlines() if line.startswith("  note  environment: ")]
    assert noted == ["  note  environment: PICKY_RATELIMITS is no setting and counts for nothing"]


def test_a_key_that_others_can_read_is_pointed_out(tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    key.write_text(SECRET)
    key.chmod(0o644)
    text, well = report(tmp_path)
    assert not well
    assert f"mend: chmod 600 {key}" in text
    key.chmod(0o600)
    assert report(tmp_path)[1]


def test_a_folder_that_is_none_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    text, well = report(tmp_path / "data")
    assert not well
    assert "is no folder" in text


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PICKY_PORT", "high", "PICKY_PORT"),
        ("PICKY_CONFIG", os.devnull + ".toml", "which is no file"),
        ("PICKY_ROLE", "worker", "the role worker needs PICKY_DATABASE_URL"),
    ],
)
def test_settings_that_do_not_add_up_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    text, well = report(tmp_path)
    assert not well
    assert told in text
    assert "mend:" in text


@pytest.fixture
def fleet(
    monkeypatch: pytest.MonkeyPatch, postgres_url: str, valkey_url: str, s3_bucket: S3Bucket
) -> None:
    """The settings of a process whose dependencies are all there. The database is one of tests."""
    settings = {
        "PICKY_ENVIRONMENT": "test",
        "PICKY_DATABASE_URL": postgres_url,
        "PICKY_BUS_URL": valkey_url,
        "PICKY_OBJECT_STORE_URL": s3_bucket.url,
    }
    for variable, value in (settings | s3_bucket.environment).items():
        monkeypatch.setenv(variable, value)


@pytest.mark.usefixtures("fleet")
def test_real_dependencies_are_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3_bucket: S3Bucket
) -> None:
    text, well = report(tmp_path)
    assert well, text
    for part in ("uploads", "reading", "deleting", "clock", "connections", "durability", "bus"):
        assert f"  ok    {part}: " in text
    monkeypatch.setenv("PICKY_OBJECT_STORE_URL", s3_bucket.url.replace("s3://", "s3://no-"))
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  object store" in text


@pytest.mark.usefixtures("fleet")
def test_nothing_is_left_in_the_bucket(tmp_path: Path, s3_bucket: S3Bucket) -> None:
    assert report(tmp_path)[1]
    assert s3_bucket.keys() == []


@pytest.mark.usefixtures("fleet")
def test_a_database_that_may_lose_what_it_acknowledged_is_for_tests_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_ENVIRONMENT", "local")
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  durability: fsync, synchronous_commit, full_page_writes off" in text
    assert "mend: set fsync, synchronous_commit, full_page_writes to on" in text


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(("off_s", "told"), [(-60, "ahead of"), (60, "behind")])
def test_a_clock_that_differs_from_the_databases_is_pointed_out(
    tmp_path: Path, off_s: int, told: str
) -> None:
    clock = MovableClock(SystemClock().now() + timedelta(seconds=off_s))
    findings = list(examine({"data_dir": tmp_path}, clock))
    [clocks] = [one for one in findings if "clock: " in one.text]
    assert not clocks.well
    found = re.search(r"database's is ([\d.]+) s (.+) this machine's", clocks.text)
    assert found is not None
    assert float(found[1]) == pytest.approx(60, abs=30)
    assert found[2] == told
    assert "mend: let both machines keep their time by NTP" in clocks.text


@pytest.mark.usefixtures("fleet")
def test_a_full_database_and_a_replica_are_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def state(*_: object) -> PostgresState:
        return PostgresState(timedelta(), True, (), connections=97, in_use=90)

    monkeypatch.setattr("server.app.doctor_database.postgres_state", state)
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  database: it is a replica" in text
    assert "FAIL  connections: 90 of 97 are in use, a process takes up to 10" in text
    assert "mend: raise PostgreSQL's max_connections, or lower PICKY_DATABASE_POOL" in text
    monkeypatch.setenv("PICKY_DATABASE_POOL", "5")
    assert (
        "  ok    connections: 90 of 97 are in use, a process takes up to 7" in report(tmp_path)[0]
    )


def test_a_postgresql_as_it_is_deployed_is_durable(
    private_lifetime: Lifetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_postgres(private_lifetime, durable=True)
    monkeypatch.setenv("PICKY_DATABASE_URL", server.url())
    text, _ = report(tmp_path)
    assert "  ok    durability: what is acknowledged is on disk" in text


@pytest.mark.usefixtures("fleet")
def test_each_address_of_the_bus_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, valkey_url: str
) -> None:
    monkeypatch.setenv("PICKY_BUS_URL", f"valkey://:{SECRET}@127.0.0.1:1,{valkey_url}")
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  bus: valkey://***@127.0.0.1:1 cannot be used" in text
    assert f"  ok    bus: {valkey_url} takes hints" in text
    assert SECRET not in text


@pytest.mark.usefixtures("fleet")
def test_a_store_that_refuses_what_clients_do_is_pointed_out(
    tmp_path: Path, s3_bucket: S3Bucket
) -> None:
    late = MovableClock(SystemClock().now() - timedelta(hours=1))
    text = "\n".join(one.text for one in examine({"data_dir": tmp_path}, late))
    assert "  ok    object store" in text
    assert "FAIL  uploads: a signed upload is refused: " in text
    assert "FAIL  reading: no such object" in text
    assert s3_bucket.keys() == []


def test_pages_that_may_not_upload_are_pointed_out(
    private_lifetime: Lifetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origins = ("https://market.example", "https://other.example")
    store = start_s3(private_lifetime, allow_origin=origins[0])
    bucket = store.create_bucket("photos")
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PICKY_OBJECT_STORE_URL", bucket.url)
    monkeypatch.setenv("PICKY_ALLOWED_ORIGINS", json.dumps(origins))
    text, well = report(tmp_path)
    assert not well
    assert f"  ok    pages: {origins[0]} may upload" in text
    assert f"FAIL  pages: {origins[1]} may not upload to the store" in text
    assert "mend: give the bucket the CORS document of deploy/s3" in text


@pytest.mark.usefixtures("fleet")
def test_addresses_where_nobody_says_a_word_are_soon_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.platform.postgresql._CONNECTS_S", SOON_S)
    monkeypatch.setattr("server.platform.object_store.s3.ANSWERS_WITHIN_S", SOON_S)
    monkeypatch.setattr("server.app.doctor._BUS_ANSWERS_S", SOON_S)
    with mute() as port:
        monkeypatch.setenv("PICKY_DATABASE_URL", f"postgresql://me@127.0.0.1:{port}/market")
        monkeypatch.setenv("PICKY_BUS_URL", f"valkey://127.0.0.1:{port}")
        address = f"s3://photos?endpoint=http://127.0.0.1:{port}&region=us-east-1"
        monkeypatch.setenv("PICKY_OBJECT_STORE_URL", address)
        began = time.monotonic()
        text, _ = report(tmp_path)
        assert time.monotonic() - began < AT_ONCE_S
    for part in ("database", "object store", "bus"):
        assert f"FAIL  {part}: " in text
    assert "FAIL  database: it cannot be reached: no answer in time" in text


@pytest.mark.usefixtures("fleet")
def test_credentials_that_are_wrong_are_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  object store: the object store refused: 403" in text


@pytest.mark.usefixtures("fleet")
def test_who_has_nothing_to_do_with_the_store_does_not_ask_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_SECRET_KEY", SECRET)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none that the store knows")
    text, well = report(tmp_path, role="realtime")
    assert well, text
    assert "  ok    object store: the role realtime" in text


@pytest.mark.parametrize("level", ["loud", "", "CRITICAL"])
def test_a_level_that_is_none_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    monkeypatch.setenv("PICKY_LOG_LEVEL", level)
    text, well = report(tmp_path)
    assert not well
    assert "PICKY_LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'" in text
    monkeypatch.setenv("PICKY_LOG_LEVEL", "warning")
    text, well = report(tmp_path)
    assert line_of(text, "log_level").split()[:2] == ["log_level", "WARNING"]


def test_the_values_stand_under_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKY_LIMITS__APPOINTMENT_LATE_CHANGE_MINUTES", "5")
    text, _ = report(tmp_path)
    settings = text[: text.index("checks")].splitlines()[1:]
    starts = {re.match(r"  \S+ +", line).end() for line in settings}  # type: ignore[union-attr]
    assert len(starts) == 1


@pytest.mark.usefixtures("fleet")
def test_programs_for_a_backup_are_of_the_servers_version_or_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifetime: Lifetime
) -> None:
    programs, _ = installation(lifetime)
    monkeypatch.setenv("PATH", str(programs))
    text, well = report(tmp_path / "data")
    assert well, text
    assert "  ok    backup: pg_dump and pg_restore are of version 18 or newer" in text
    old = tmp_path / "old"
    old.mkdir()
    monkeypatch.setenv("PATH", str(old))
    monkeypatch.setattr(sys, "argv", [str(old / "picky-server")])
    monkeypatch.setattr(sys, "executable", str(old / "python"))
    text, well = report(tmp_path / "data")
    assert well, text
    assert "  note  backup: there is no pg_dump on the PATH" in text
    (old / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    (old / "pg_dump").chmod(0o755)
    text, _ = report(tmp_path / "data")
    assert f"  note  backup: {old / 'pg_dump'} is older than the server" in text
    assert "install PostgreSQL's client programs of version 18 or newer" in text


@pytest.mark.usefixtures("fleet")
def test_a_cdn_is_read_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3_bucket: S3Bucket
) -> None:
    monkeypatch.setenv("PICKY_OBJECT_STORE_PUBLIC_URL", f"{s3_bucket.endpoint}/{s3_bucket.name}")
    text, well = report(tmp_path)
    assert well, text
    assert "  ok    CDN: a photo is read through it" in text
    monkeypatch.setenv("PICKY_OBJECT_STORE_PUBLIC_URL", f"{s3_bucket.endpoint}/another")
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  CDN: a signed address is answered HTTP 4" in text
    monkeypatch.setenv("PICKY_OBJECT_STORE_PUBLIC_URL", "http://127.0.0.1:1")
    assert "FAIL  CDN: it does not answer: ConnectError" in report(tmp_path)[0]
    assert s3_bucket.keys() == []


def test_a_cdn_without_a_bucket_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKY_OBJECT_STORE_PUBLIC_URL", "https://cdn.example")
    assert "  note  CDN: it is not used" in report(tmp_path)[0]


def test_where_traces_go_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("PICKY_OTLP_ENDPOINT", f"{collector.url}/")
        text, well = report(tmp_path)
        assert well, text
        assert "  ok    traces: the collector takes them" in text
        assert collector.bodies == [b""]
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  traces: " in text
    assert "mend: start the collector, or correct PICKY_OTLP_ENDPOINT" in text


def test_a_server_that_is_no_collector_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3_bucket: S3Bucket
) -> None:
    monkeypatch.setenv("PICKY_OTLP_ENDPOINT", f"{s3_bucket.endpoint}/no")
    assert "/v1/traces answers HTTP 4" in report(tmp_path)[0]


def test_traces_without_their_extra_are_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "server.app.otlp", None)
    text, well = report(tmp_path)
    assert not well
    assert "mend: pip install 'picky[traces]'" in text
