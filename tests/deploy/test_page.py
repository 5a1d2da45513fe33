"""`deploy/README.md`: what it has one type on AWS is there, and in an order that can be kept."""

import re
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qsl

import pytest
from typer.testing import CliRunner

from deploy.ecs.__main__ import app as ecs
from deploy.ecs.__main__ import requests
from deploy.ecs.tasks import PORT, ROLES
from deploy.s3.__main__ import app as s3
from server.platform.postgres_address import check
from server.realtime.settings import RealtimeSettings
from tests.deploy.aws import BY_ITSELF, example, options_of
from tests.deploy.composed import DEPLOY

PAGE = (DEPLOY / "README.md").read_text()
BLOCKS = re.findall(r"^ *```\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
TEXT = re.sub(r"\\\n\s*", "", "\n".join(BLOCKS))
OURS = re.findall(r"python -m deploy\.(\w+) ([\w-]+)", TEXT)
AWS = re.findall(r"aws ([a-z0-9-]+) ([^\n|]+)", TEXT)
BUILT_IN = {"cli-input-json", "output", "query"}
"""Options of AWS's client itself."""
CALLED = {"s3api": "s3"}
"""What AWS's client calls otherwise than its description does."""


@pytest.mark.parametrize(("module", "command"), sorted(set(OURS)))
def test_our_commands_are_there(module: str, command: str) -> None:
    app = {"ecs": ecs, "s3": s3}[module]
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("service", "words"),
    sorted(one for one in set(AWS) if (one[0], one[1].strip()) not in BY_ITSELF),
)
def test_awss_commands_are_there(service: str, words: str) -> None:
    command, thing, *_ = words.split()
    known = options_of(CALLED.get(service, service), command, thing)
    options = set(re.findall(r"--([a-z-]+)", words)) - BUILT_IN
    assert options <= known


def test_every_file_is_rendered_and_every_one_that_is_rendered_is_used() -> None:
    named = {
        name.replace("$role", role)
        for name in re.findall(r"rendered/([\w$*.-]+)\.json", TEXT)
        for role in ROLES
    }
    patterns = [re.escape(name).replace(r"\*", r"[\w-]+") for name in named]
    made = requests(example())
    for pattern in patterns:
        assert [one for one in made if re.fullmatch(pattern, one)], pattern
    used = {one for one in made if any(re.fullmatch(pattern, one) for pattern in patterns)}
    assert set(made) - used == {"migrate.register-task-definition"}, "the command does it itself"


def test_rds_is_reached_with_tls_by_what_the_image_trusts(tmp_path: Path) -> None:
    [query] = re.findall(r"`\?(sslmode=\S+)`", PAGE)
    told = dict(parse_qsl(query))
    assert told["sslmode"] == "verify-full"
    [trusted] = re.findall(
        r"^COPY deploy/trust (\S+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
    )
    bundle = PurePosixPath(told["sslrootcert"])
    assert str(bundle.parent) == trusted
    assert f"`{bundle.name}`" in PAGE
    assert f"`deploy/trust/{bundle.name}`" in PAGE
    there = tmp_path / bundle.name
    there.touch()
    check(f"postgresql://picky:password@database/picky?{query.replace(str(bundle), str(there))}")


def test_each_step_comes_after_what_it_needs() -> None:
    order = [
        "psql --file deploy/database/roles.sql",
        "docker push",
        "deploy.ecs render",
        "create-target-group",
        "modify-target-group-attributes",
        "create-rule",
        "deploy.ecs migrate",
        "register-task-definition",
        "create-service",
        "register-scalable-target",
        "put-scaling-policy",
        "put-metric-alarm",
        "deploy.ecs run",
        "--desired-count 0",
        "restore-db-instance-to-point-in-time",
        "deploy.ecs new-epoch",
        "--desired-count 2",
    ]
    places = [TEXT.index(step) for step in order]
    assert places == sorted(places)
    rendered_again = TEXT.rindex("deploy.ecs render")
    assert TEXT.rindex("create-target-group") < rendered_again < TEXT.index("create-rule")


def test_the_network_is_said_as_it_has_to_be() -> None:
    """The ports of the tasks, and a balancer that leaves a quiet socket open for a ping."""
    usual = RealtimeSettings()
    apart_s = usual.ping_s * (1 + usual.ping_spread)
    assert f"idle timeout stays above {apart_s:.0f} s" in PAGE
    [tasks] = re.findall(r"^\| tasks \(`security_groups`\) \|(.+)$", PAGE, re.MULTILINE)
    lets_in, reaches, _ = tasks.split("|")
    assert re.findall(r"\b\d+\b", lets_in) == [str(PORT)]
    assert re.findall(r"\b\d+\b", reaches) == ["5432", "6379", "443"]


def test_the_alarms_on_the_page_are_those_that_are_made() -> None:
    told = re.findall(r"^\| `(picky-[\w-]+)` \|", PAGE, re.MULTILINE)
    made = [one["AlarmName"] for name, one in requests(example()).items() if "alarm" in name]
    assert sorted(told) == sorted(made)
