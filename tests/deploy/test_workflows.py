"""The workflows, as far as they can be judged without the service that runs them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from deploy.ecs.__main__ import app
from tests.deploy.composed import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROGRAMS = {"aws", "docker", "echo", "printenv", "make"}
"""What a runner has."""


def workflow(name: str) -> dict[Any, Any]:
    found = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())
    assert isinstance(found, dict)
    return found


def triggers(name: str) -> Any:
    return workflow(name)[True]  # YAML 1.1 reads `on` as true


def jobs(name: str) -> dict[str, Any]:
    found = workflow(name)["jobs"]
    assert isinstance(found, dict)
    return found


def steps() -> list[dict[str, Any]]:
    return [
        step for file in FILES for job in jobs(file.stem).values() for step in job.get("steps", [])
    ]


def commands() -> list[str]:
    """Each command of each step, also those within others."""
    lines = "\n".join(step["run"] for step in steps() if "run" in step).splitlines()
    parts = [part.strip() for line in lines for part in re.split(r"\||&&|;|\w+=\$\(", line)]
    return [part.rstrip(")") for part in parts if part]


def tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name(name), *arguments], capture_output=True, text=True
    )


def test_they_are_workflows() -> None:
    checked = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *FILES)
    assert checked.returncode == 0, checked.stdout


def test_an_auditor_finds_nothing() -> None:
    audited = tool("zizmor", "--offline", "--no-progress", "--persona", "pedantic", *FILES)
    assert audited.returncode == 0, audited.stdout


def test_every_change_is_tested_as_on_a_developers_machine() -> None:
    assert set(triggers("test")) == {"push", "pull_request", "workflow_call"}
    run = {
        name: [step["run"] for step in job["steps"] if "run" in step]
        for name, job in jobs("test").items()
    }
    assert run == {"test": [".ci/run"], "one-file": ["make test-binary"]}
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_a_release_is_tested_built_scanned_pushed_migrated_and_rolled_out() -> None:
    assert triggers("release") == {"release": {"types": ["released"]}}
    assert workflow("release")["concurrency"]["cancel-in-progress"] is False
    order = {name: job.get("needs") for name, job in jobs("release").items()}
    assert order == {"test": None, "image": "test", "deploy": "image"}
    image, deploy = (
        [step.get("run", step.get("uses")) for step in jobs("release")[name]["steps"]]
        for name in ("image", "deploy")
    )
    built = ["docker build", "anchore/scan-action", "docker push"]
    assert_in_order(image, built)
    assert_in_order(deploy, ["deploy.ecs migrate", "deploy.ecs roll"])
    assert all('--image "$IMAGE"' in step for step in deploy if "deploy.ecs" in step)


def assert_in_order(found: list[str], wanted: list[str]) -> None:
    places = [next(n for n, step in enumerate(found) if one in step) for one in wanted]
    assert places == sorted(places)


def test_what_has_holes_is_not_pushed() -> None:
    [scan] = [step for step in steps() if "scan-action" in step.get("uses", "")]
    assert scan["with"]["fail-build"] is True
    assert scan["with"]["severity-cutoff"] == "high"
    assert "continue-on-error" not in scan


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rights_are_few_and_no_key_is_kept(file: Path) -> None:
    assert workflow(file.stem)["permissions"] == {}
    for job in jobs(file.stem).values():
        wanted = {"contents": "read"}
        if "role-to-assume" in str(job):
            wanted["id-token"] = "write"
        assert job["permissions"] == wanted
        assert ("id-token" in wanted) == (job.get("environment") == "production")
    text = file.read_text()
    assert "secrets." not in text
    assert "access-key" not in text
    assert "pull_request_target" not in text


def test_every_action_is_a_commit() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action), action
    text = "\n".join(file.read_text() for file in FILES)
    assert text.count("# v") == len(used), "each with its version beside it"


@pytest.mark.parametrize("command", commands())
def test_every_command_is_there(command: str) -> None:
    program, *arguments = command.split()
    if program == "make":
        rules = (ROOT / "Makefile").read_text()
        [target] = arguments
        if target == ".venv/.run-is-installed":
            assert "$(RUN): .venv/.%-is-installed" in rules
            assert "RUN := .venv/.run-is-installed" in rules
        else:
            assert f"\n{target}: " in rules
    elif arguments[:2] == ["-m", "deploy.ecs"]:
        assert program == ".venv/bin/python"
        assert CliRunner().invoke(app, [arguments[2], "--help"]).exit_code == 0
    else:
        assert program in PROGRAMS or (ROOT / program).is_file()
