"""The workflows, as far as they can be judged without the service that runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from deploy.ecs.__main__ import app
from deploy.ecs.once import WAIT
from tests.deploy.aws import BY_ITSELF, options_of
from tests.deploy.composed import ROOT
from tests.servers import rgw

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DOCKER = {
    "build": {"file", "pull", "tag", "target"},
    "image inspect": {"format"},
    "login": {"password-stdin", "username"},
    "push": set(),
    "run": {"entrypoint", "rm", "user"},
}
"""Of Docker's commands and of their options those that are used; it describes itself nowhere."""
SUDO = {"apt-get update", "apt-get install --yes --no-install-recommends"}
PROGRAMS = {"echo", "printenv", "test", "which"}
"""What a runner has besides."""


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
    assert run == {"test": [installs(), ".ci/run"], "one-file": ["make test-binary"]}
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_every_branch_is_tested_and_a_pull_request_of_this_repository_once() -> None:
    assert triggers("test")["push"] == {"branches": ["**"]}
    assert triggers("test")["pull_request"] is None
    elsewhere = "github.event.pull_request.head.repo.full_name != github.repository"
    for job in jobs("test").values():
        assert job["if"] == f"github.event_name != 'pull_request' || {elsewhere}"


def installs() -> str:
    """The step that installs what the tests use where it is installed."""
    [step] = [step["run"] for step in jobs("test")["test"]["steps"] if "apt-get" in str(step)]
    return str(step)


def test_all_that_tests_use_where_it_is_installed_is_installed() -> None:
    [checked] = re.findall(r"^which (.+)$", installs(), re.MULTILINE)
    sources = "".join(file.read_text() for file in (ROOT / "tests").rglob("*.py"))
    looked_for = set(re.findall(r"shutil\.which\(\W([\w-]+)", sources))
    assert looked_for, "as it is written in the tests"
    assert set(checked.split()) == {*looked_for, *rgw.PROGRAMS}


def test_only_a_newer_push_to_a_pull_request_cancels_a_test() -> None:
    concurrency = workflow("test")["concurrency"]
    asks = "github.event_name == 'pull_request'"
    assert concurrency == {
        "group": f"test-${{{{ {asks} && github.ref || github.run_id }}}}",
        "cancel-in-progress": f"${{{{ {asks} }}}}",
    }


def test_a_rollout_that_goes_back_has_the_time_and_the_right_to() -> None:
    deploy = jobs("release")["deploy"]
    waited_s = WAIT["Delay"] * WAIT["MaxAttempts"]
    migration_forward_and_back = 3
    assert deploy["timeout-minutes"] * 60 >= migration_forward_and_back * waited_s + 600
    credentials_last_s = 3600
    assert 2 * waited_s < credentials_last_s
    names = [step.get("uses", "").partition("@")[0] or step["run"] for step in deploy["steps"]]
    for step in ("migrate", "roll"):
        [place] = [n for n, name in enumerate(names) if f"deploy.ecs {step}" in name]
        assert names[place - 1] == "aws-actions/configure-aws-credentials"


def test_a_release_is_tested_built_scanned_pushed_migrated_and_rolled_out() -> None:
    assert triggers("release") == {"release": {"types": ["released"]}}
    assert workflow("release")["concurrency"]["cancel-in-progress"] is False
    order = {name: job.get("needs") for name, job in jobs("release").items()}
    assert order == {"test": None, "image": "test", "deploy": "image"}
    image, deploy = (
        [step.get("run", step.get("uses")) for step in jobs("release")[name]["steps"]]
        for name in ("image", "deploy")
    )
    built = ["docker build", "docker run", "anchore/scan-action", "docker push"]
    assert_in_order(image, built)
    assert_in_order(deploy, ["deploy.ecs migrate", "deploy.ecs roll"])
    assert all('--image "$IMAGE"' in step for step in deploy if "deploy.ecs" in step)


def assert_in_order(found: list[str], wanted: list[str]) -> None:
    places = [next(n for n, step in enumerate(found) if one in step) for one in wanted]
    assert places == sorted(places)


def test_what_has_holes_is_not_pushed() -> None:
    scans = [step for step in steps() if "scan-action" in step.get("uses", "")]
    for scan in scans:
        assert scan["with"]["fail-build"] is True
        assert scan["with"]["severity-cutoff"] == "high"
        assert "continue-on-error" not in scan
    scanned = [re.findall(r"\w*IMAGE", scan["with"]["image"])[0] for scan in scans]
    pushed = [re.findall(r"\w*IMAGE", one)[0] for one in commands() if "docker push" in one]
    assert sorted(scanned) == sorted(pushed) == ["BACKUPS_IMAGE", "IMAGE"]


@pytest.mark.parametrize(("size", "is_small"), [(450, True), (451, False)])
def test_what_is_too_large_is_not_pushed(tmp_path: Path, size: int, is_small: bool) -> None:
    image = jobs("release")["image"]
    [measure] = [step["run"] for step in image["steps"] if step.get("name") == "Measure"]
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\nprintf '{size}\\t/\\n'\n")
    docker.chmod(0o700)
    path = f"{tmp_path}:{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-e", "-c", measure],
        env={"PATH": path, "IMAGE": "picky", "MOST_MB": str(image["env"]["MOST_MB"])},
        capture_output=True,
        text=True,
    )
    assert run.stdout == f"{size} MB\n"
    assert (run.returncode == 0) == is_small


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
    assert problem_with(command) is None


@pytest.mark.parametrize(
    "command",
    [
        "aws ecr get-login-passwort",
        "aws ecs wait services-stabel --cluster picky",
        "aws ecs update-service --clusters picky",
        "docker bulid --file deploy/Dockerfile .",
        "docker build --files deploy/Dockerfile .",
        "docker build --file deploy/dockerfile .",
        "docker build --target backup .",
        "docker image ispect --format x",
        "docker",
        "make test-binaries",
        ".venv/bin/python -m deploy.ecs rol parameters.toml",
        ".venv/bin/python -m deploy.ecs roll parameters.toml --images x",
        "python -m deploy.ecs roll parameters.toml",
        "sudo apt-get upgrade",
        "ech x",
        ".ci/ruin",
    ],
)
def test_a_command_that_is_not_there_is_seen(command: str) -> None:
    assert problem_with(command) is not None


def problem_with(command: str) -> str | None:
    """What of it is not there."""
    program, *arguments = command.split()
    options = {one.removeprefix("--") for one in arguments if one.startswith("--")}
    if program == "aws":
        return _with_aws(arguments, options)
    if program == "docker":
        return _with_docker(arguments, options)
    if program == "make":
        return None if _is_made(*arguments) else "no such target"
    if program == "sudo":
        known = any(f"{' '.join(arguments)} ".startswith(f"{one} ") for one in SUDO)
        return None if known else "not as an administrator"
    if arguments[:2] == ["-m", "deploy.ecs"]:
        return _with_ours(program, arguments[2], options)
    is_there = program in PROGRAMS or (ROOT / program).is_file()
    return None if is_there else "no such program"


def _with_aws(arguments: list[str], options: set[str]) -> str | None:
    service, command, *more = arguments
    if (service, command) in BY_ITSELF:
        return None
    try:
        unknown = options - options_of(service, command, *more[:1])
    except KeyError as error:
        return f"no such command {error}"
    return f"no such option {unknown}" if unknown else None


def _with_docker(arguments: list[str], options: set[str]) -> str | None:
    text = f"{' '.join(arguments)} "
    known = [DOCKER[one] for one in DOCKER if text.startswith(f"{one} ")]
    if not known:
        return "no such command"
    before_the_image = text.partition('"$')[0] if text.startswith("run ") else text
    unknown = {one for one in options if f"--{one} " in before_the_image} - known[0]
    files = re.findall(r"--file (\S+)", text)
    stages = re.findall(r"--target (\S+)", text)
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    missing = [one for one in files if one not in tracked()]
    missing += [one for one in stages if f" AS {one}\n" not in dockerfile]
    return f"there is no {unknown or missing}" if unknown or missing else None


def tracked() -> set[str]:
    """The names of files as they are written, whatever this machine takes for the same."""
    return {str(file.relative_to(ROOT)) for file in (ROOT / "deploy").rglob("*")}


def _with_ours(program: str, command: str, options: set[str]) -> str | None:
    if program != ".venv/bin/python":
        return "not the one with the packages"
    told = CliRunner().invoke(app, [command, "--help"])
    unknown = {one for one in options if f"--{one} " not in told.output}
    return f"no such command or option {unknown}" if told.exit_code or unknown else None


def _is_made(target: str) -> bool:
    rules = (ROOT / "Makefile").read_text()
    if target == ".venv/.run-is-installed":
        pattern = "$(RUN): .venv/.%-is-installed" in rules
        return pattern and "RUN := .venv/.run-is-installed" in rules
    return f"\n{target}: " in rules


@pytest.mark.parametrize("step", [step for step in steps() if "run" in step])
def test_every_step_is_one_that_a_shell_takes(step: dict[str, Any]) -> None:
    read = subprocess.run(["bash", "-n", "-c", step["run"]], capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
