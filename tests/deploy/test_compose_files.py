"""The files beside `deploy/compose.yaml`: each adds one thing, and is named where it is needed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.ecs.tasks import PORT
from server.app.cli import app
from tests.deploy.composed import DEPLOY, FILE, ROOT, composed, is_market, roles, services

BESIDE = sorted(file for file in DEPLOY.glob("compose.*.yaml"))
PAGES = [
    DEPLOY / "README.md",
    *BESIDE,
    FILE,
    *(ROOT / "docs" / f"{name}.md" for name in ("operations", "observability")),
]
COMMAND = re.compile(r"docker compose ((?:--file \S+ )+)(\w+) ([^\n`]*)")
"""Also over the end of a line, in prose."""
PROMTOOLS = [found for found in [shutil.which("promtool")] if found]


def commands() -> list[tuple[list[str], str, list[str]]]:
    """Each documented command: its files, what is to be done, and the words after it."""
    pages = "\n\n".join(re.sub(r"(?<=compose)\n(?=--)", " ", one.read_text()) for one in PAGES)
    return [
        (files.split()[1::2], action, rest.split())
        for files, action, rest in COMMAND.findall(pages)
    ]


@pytest.mark.parametrize("file", BESIDE, ids=lambda file: file.name)
def test_each_is_a_compose_file(file: Path) -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    checked = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", file], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", [FILE, *BESIDE], ids=lambda file: file.name)
def test_no_log_fills_the_disk(file: Path) -> None:
    usual = services()["proxy"]["logging"]
    assert usual["options"] == {"max-size": "10m", "max-file": "5"}
    for name, service in services(file.name).items():
        is_new = file == FILE or name not in services()
        assert service.get("logging") == (usual if is_new else None), name


def test_what_is_built_here_is_all_of_the_market_and_nothing_that_was_published() -> None:
    built = services("compose.build.yaml")
    assert set(built) == {name for name, one in services().items() if is_market(one)}
    assert not any("build" in one for one in services().values()), "a digest cannot be built"
    for name, service in built.items():
        usual = "picky-backups:local" if name == "backups" else "picky:local"
        assert service["image"] == usual
        assert services()[name]["image"].endswith(f":-{usual}}}"), "what was built is what runs"
        assert service["build"].get("target") == ("backups" if name == "backups" else None)
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_who_is_told_to_build_names_the_file_that_builds() -> None:
    told = commands()
    builds = [one for one in told if "--build" in one[2] or one[1] == "build"]
    assert len(told) > len(builds) >= 2
    for files, _, words in told:
        assert files[0] == "deploy/compose.yaml"
        assert all((ROOT / file).is_file() for file in files)
        building = (files, words) in [(one[0], one[2]) for one in builds]
        assert ("deploy/compose.build.yaml" in files) == building


def test_each_file_is_named_by_a_command_or_a_page() -> None:
    pages = "".join(one.read_text() for one in PAGES if one.suffix == ".md")
    for file in BESIDE:
        assert f"deploy/{file.name}" in pages


def test_what_runs_in_a_process_of_the_market_is_a_command_of_it() -> None:
    known = {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}
    runs = [words for _, action, words in commands() if action == "run"]
    assert runs
    for words in runs:
        service, command = [word for word in words if not word.startswith("--")][:2]
        assert is_market(services()[service])
        assert command in known


def mounted(service: dict[str, Any]) -> dict[str, str]:
    """What is mounted, read only, by where it is seen."""
    assert all(volume.endswith(":ro") for volume in service["volumes"])
    return {volume.split(":")[1]: volume.split(":")[0] for volume in service["volumes"]}


def test_a_certificate_of_ones_own_reaches_who_serves_it_and_who_trusts_it() -> None:
    own = services("compose.certificate.yaml")
    reach = {name for name, role in roles().items() if role in ("api", "worker")}
    assert set(own) == {"proxy", *reach}
    for name in reach:
        [(inside, outside)] = mounted(own[name]).items()
        assert own[name]["environment"] == {"AWS_CA_BUNDLE": inside}
        assert outside == "./tls/ca.pem", "they have no use for the key"
    assert mounted(own["proxy"]) == {"/tls": "./tls"}
    assert "tls/" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("is_own", [False, True])
def test_the_proxy_takes_the_certificate_that_it_is_told_of(is_own: bool) -> None:
    told = services("compose.certificate.yaml")["proxy"]["environment"] if is_own else {}
    adapted = subprocess.run(
        [
            Path(sys.executable).with_name("caddy"),
            *("adapt", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile"),
        ],
        env={"PICKY_SITE": "market.example", **told},
        capture_output=True,
        text=True,
    )
    assert adapted.returncode == 0, adapted.stderr
    apps = json.loads(adapted.stdout)["apps"]
    files = apps.get("tls", {}).get("certificates", {}).get("load_files", [])
    assert [(one["certificate"], one["key"]) for one in files] == (
        [("/tls/certificate.pem", "/tls/key.pem")] if is_own else []
    )


def prometheus() -> dict[str, Any]:
    found = yaml.safe_load((DEPLOY / "observability" / "prometheus.yaml").read_text())
    assert isinstance(found, dict)
    return found


def test_prometheus_reads_every_process_and_only_this_machine_sees_it() -> None:
    [job] = prometheus()["scrape_configs"]
    assert job["job_name"] == "picky"
    [read] = job["static_configs"]
    running = sorted(name for name, role in roles().items() if role and name != "backups")
    assert sorted(read["targets"]) == [f"{name}:{PORT}" for name in running]
    service = services("compose.prometheus.yaml")["prometheus"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    inside, out = service["networks"]
    assert composed()["networks"][inside] == {"internal": True}
    assert composed("compose.prometheus.yaml")["networks"] == {out: None}
    for volume in service["volumes"]:
        place = volume.partition(":")[0]
        assert place == "figures" or (DEPLOY / place).is_file()


def test_the_network_has_the_name_that_the_page_says() -> None:
    page = (ROOT / "docs" / "observability.md").read_text()
    assert f"docker network connect {composed()['name']}_inside" in page
    top = next(words for _, _, words in commands() if "top" in words)
    [read] = prometheus()["scrape_configs"][0]["static_configs"]
    assert [word for word in top if word.endswith(f":{PORT}")] == read["targets"]


@pytest.mark.parametrize("promtool", PROMTOOLS)
def test_prometheus_takes_its_configuration(promtool: str) -> None:
    file = DEPLOY / "observability" / "prometheus.yaml"
    checked = subprocess.run([promtool, "check", "config", file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "1 rule files found" in checked.stderr + checked.stdout
