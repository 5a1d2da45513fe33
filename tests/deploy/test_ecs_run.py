"""`python -m deploy.ecs`, as one types it: a command as a running role, and what AWS refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError, ProfileNotFound
from typer.testing import CliRunner, Result

from deploy.ecs.__main__ import app
from server.app.cli import app as server
from tests.deploy.aws import filled_in
from tests.deploy.stubbed import TASK, Aws, stubbed


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with stubbed() as made:
        clients = {"ecs": made.client, "logs": made.logs}
        monkeypatch.setattr(boto3, "client", lambda service, **_: clients[service])
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "parameters.toml"
    made.write_text(filled_in())
    return made


def typed(*words: Any) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def runs(aws: Aws, *command: str, **container: Any) -> None:
    """As what runs now, not as what the parameters say."""
    aws.has("worker", "worker:7")
    aws.runs(*command, definition="worker:7", by="picky-run", **container)


@pytest.mark.parametrize("code", [0, 1])
def test_a_command_runs_as_its_role_does_and_its_log_and_code_are_told(
    aws: Aws, file: Path, code: int
) -> None:
    command = ["jobs", "retry", "--all"]
    assert CliRunner().invoke(server, [*command[:2], "--help"]).exit_code == 0
    runs(aws, *command, exitCode=code)
    aws.logged(["one retried", "two done"], ["three running"])
    run = typed("run", file, "worker", "--", *command)
    assert run.stdout == "one retried\ntwo done\nthree running\n"
    assert run.stderr == f"jobs retry --all in {TASK}\n"
    assert run.exit_code == code


def test_the_file_need_not_name_an_image(aws: Aws, file: Path) -> None:
    """As that of a workflow does not: a role runs what it runs."""
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line for line in lines if not line.startswith("image")))
    runs(aws, "doctor", exitCode=0)
    aws.logged(["all is well"])
    run = typed("run", file, "worker", "--", "doctor")
    assert (run.exit_code, run.stdout) == (0, "all is well\n")


def test_a_command_that_says_nothing_has_no_log(aws: Aws, file: Path) -> None:
    runs(aws, "doctor", exitCode=0)
    aws.log_stub.add_client_error("get_log_events", "ResourceNotFoundException")
    run = typed("run", file, "worker", "--", "doctor")
    assert (run.exit_code, run.stdout) == (0, "")


def test_a_command_that_did_not_begin_says_why(aws: Aws, file: Path) -> None:
    runs(aws, "doctor", reason="CannotPullContainerError: not there")
    aws.log_stub.add_client_error("get_log_events", "ResourceNotFoundException")
    run = typed("run", file, "worker", "--", "doctor")
    assert run.exit_code == 1
    assert run.stderr.splitlines()[-1] == (
        "deploy.ecs: the command did not begin: CannotPullContainerError: not there"
    )


def test_a_log_that_may_not_be_read_hides_no_code(aws: Aws, file: Path) -> None:
    runs(aws, "doctor", exitCode=3)
    aws.log_stub.add_client_error("get_log_events", "AccessDeniedException", "You may not.")
    run = typed("run", file, "worker", "--", "doctor")
    assert run.exit_code == 1
    assert "reached, but the command ended with 3: An error" in run.stderr


def test_a_command_runs_as_a_role_that_there_is(file: Path) -> None:
    run = typed("run", file, "migrate", "--", "doctor")
    assert run.exit_code == 2
    assert "'migrate' is not one of 'api', 'realtime', 'worker'" in run.stderr


@pytest.mark.parametrize(
    "words", [("migrate",), ("new-epoch",), ("roll",), ("run", "worker", "doctor")]
)
def test_what_aws_refuses_is_a_line_and_no_traceback(
    aws: Aws, file: Path, words: tuple[str, ...]
) -> None:
    command, *more = words
    aws.refuses("register_task_definition" if command == "migrate" else "describe_services")
    assert_refused(typed(command, file, *more), "(AccessDeniedException)")


@pytest.mark.parametrize("command", ["migrate", "new-epoch", "roll"])
def test_who_has_no_credentials_is_told_so(
    aws: Aws, file: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise NoCredentialsError

    for method in ("register_task_definition", "describe_services"):
        monkeypatch.setattr(aws.client, method, unknown)
    assert_refused(typed(command, file), "Unable to locate credentials")


def test_a_profile_that_is_not_there_is_told_of(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert_refused(typed("roll", file), str(ProfileNotFound(profile="nobody")))


def assert_refused(run: Result, why: str) -> None:
    assert run.exit_code == 1
    assert isinstance(run.exception, SystemExit)
    [line] = run.stderr.splitlines()
    assert line.startswith("deploy.ecs: AWS refused or was not reached, and ")
    assert why in line
