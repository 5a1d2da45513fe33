"""A release on ECS, against AWS's own description of every request and answer."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deploy.ecs.parameters import Parameters
from deploy.ecs.release import ReleaseError, migrate, roll
from deploy.ecs.tasks import MIGRATE, ROLES, task_definition
from tests.deploy.composed import DEPLOY

PARAMETERS = Parameters.load(DEPLOY / "ecs" / "parameters.example.toml")
CLUSTER = PARAMETERS.cluster
AT_ONCE = {"Delay": 0, "MaxAttempts": 2}
TASK = "task-1"


class Aws:
    """An ECS that expects certain requests in order, and answers them."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "ecs", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y"
        )
        self.stub = Stubber(self.client)
        self.said: list[str] = []

    def registers(self, name: str) -> None:
        answer = {"taskDefinition": {"taskDefinitionArn": f"{name}:2"}}
        asked = task_definition(PARAMETERS, name)
        self.stub.add_response("register_task_definition", answer, asked)

    def runs(self, **task: Any) -> None:
        self.stub.add_response("run_task", {"tasks": [{"taskArn": TASK}], "failures": []}, None)
        for _ in range(2):  # it is waited for, and then looked at
            answer = {"tasks": [{"taskArn": TASK, "lastStatus": "STOPPED", **task}]}
            self.stub.add_response("describe_tasks", answer, {"cluster": CLUSTER, "tasks": [TASK]})

    def has(self, role: str, definition: str) -> None:
        answer = {"services": [{"serviceName": f"picky-{role}", "taskDefinition": definition}]}
        asked = {"cluster": CLUSTER, "services": [f"picky-{role}"]}
        self.stub.add_response("describe_services", answer, asked)

    def replaces(self, number: int) -> None:
        for role in ROLES:
            asked = {
                "cluster": CLUSTER,
                "service": f"picky-{role}",
                "taskDefinition": f"{role}:{number}",
            }
            self.stub.add_response("update_service", {"service": {}}, asked)

    def settles(self, *, settled: bool = True) -> None:
        deployments = [{"status": "PRIMARY"}] if settled else [{"status": "PRIMARY"}] * 2
        service = {
            "status": "ACTIVE",
            "deployments": deployments,
            "runningCount": 2,
            "desiredCount": 2,
        }
        asked = {"cluster": CLUSTER, "services": [f"picky-{role}" for role in ROLES]}
        for _ in range(1 if settled else AT_ONCE["MaxAttempts"]):
            self.stub.add_response("describe_services", {"services": [service]}, asked)

    def migrate(self) -> None:
        migrate(self.client, PARAMETERS, say=self.said.append, wait=AT_ONCE)

    def roll(self) -> None:
        roll(self.client, PARAMETERS, say=self.said.append, wait=AT_ONCE)


@pytest.fixture
def aws() -> Iterator[Aws]:
    """Fails when a request was not made."""
    made = Aws()
    with made.stub:
        yield made
        made.stub.assert_no_pending_responses()


def begin(aws: Aws) -> None:
    for role in ROLES:
        aws.has(role, f"{role}:1")
    for role in ROLES:
        aws.registers(role)
    aws.replaces(2)


def go_back(aws: Aws) -> None:
    aws.replaces(1)
    aws.settles()
    for role in ROLES:
        aws.has(role, f"{role}:1")


def test_the_schema_is_migrated_by_the_new_image(aws: Aws) -> None:
    aws.registers(MIGRATE)
    aws.runs(containers=[{"name": "picky", "exitCode": 0}])
    aws.migrate()
    assert aws.said[-1] == "the schema is current"


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({"containers": [{"exitCode": 1}], "stoppedReason": "exited"}, "rolled out: exited"),
        ({"containers": [{"reason": "CannotPullContainerError"}]}, "CannotPullContainerError"),
        ({"containers": [{"exitCode": 1}]}, "see its log"),
    ],
)
def test_migrations_that_fail_end_the_release(aws: Aws, task: dict[str, Any], told: str) -> None:
    aws.registers(MIGRATE)
    aws.runs(**task)
    with pytest.raises(ReleaseError, match=told):
        aws.migrate()


def test_migrations_that_are_not_started_are_told_of(aws: Aws) -> None:
    aws.registers(MIGRATE)
    answer = {"tasks": [], "failures": [{"reason": "Capacity is unavailable"}]}
    aws.stub.add_response("run_task", answer, None)
    with pytest.raises(ReleaseError, match="not started: Capacity is unavailable"):
        aws.migrate()


def test_every_role_is_replaced_and_waited_for(aws: Aws) -> None:
    begin(aws)
    aws.settles()
    for role in ROLES:
        aws.has(role, f"{role}:2")
    aws.roll()
    assert aws.said == [f"{role}: {role}:2" for role in ROLES]


def test_all_roles_go_back_when_ecs_gave_one_up(aws: Aws) -> None:
    begin(aws)
    aws.settles()
    aws.has("api", "api:2")
    aws.has("realtime", "realtime:1")
    go_back(aws)
    with pytest.raises(ReleaseError, match=r"realtime did not become healthy.*runs again"):
        aws.roll()


def test_all_roles_go_back_when_they_do_not_settle(aws: Aws) -> None:
    begin(aws)
    aws.settles(settled=False)
    go_back(aws)
    with pytest.raises(ReleaseError, match=r"have not settled.*version before runs again"):
        aws.roll()


def test_all_roles_go_back_when_aws_refuses_one(aws: Aws) -> None:
    for role in ROLES:
        aws.has(role, f"{role}:1")
    for role in ROLES:
        aws.registers(role)
    aws.stub.add_client_error("update_service", "AccessDeniedException")
    go_back(aws)
    with pytest.raises(ReleaseError, match=r"AWS refused.*AccessDenied.*runs again"):
        aws.roll()


def test_it_is_told_when_going_back_fails_as_well(aws: Aws) -> None:
    begin(aws)
    aws.settles(settled=False)
    aws.replaces(1)
    aws.settles(settled=False)
    with pytest.raises(ReleaseError, match=r"Going back failed as well"):
        aws.roll()


def test_a_service_that_is_not_there_is_named_before_anything_changes(aws: Aws) -> None:
    aws.stub.add_response("describe_services", {"services": []}, None)
    with pytest.raises(ReleaseError, match="no service picky-api in picky"):
        aws.roll()
