"""An AWS that expects certain requests in order, and answers as it describes its answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.stub import Stubber

from deploy.ecs.release import migrate, new_epoch, roll
from deploy.ecs.services import network
from deploy.ecs.tasks import MIGRATE, ROLES, task_definition
from tests.deploy.aws import example

PARAMETERS = example()
CLUSTER = PARAMETERS.cluster
AT_ONCE = {"Delay": 0, "MaxAttempts": 2}
TASK = "arn:aws:ecs:eu-west-1:1:task/picky/0123abcd"


def _client(service: str) -> Any:
    return boto3.client(
        service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y"
    )


class Aws:
    """ECS, and the logs of its tasks."""

    def __init__(self) -> None:
        self.client, self.logs = _client("ecs"), _client("logs")
        self.stub, self.log_stub = Stubber(self.client), Stubber(self.logs)
        self.said: list[str] = []

    def registers(self, name: str) -> None:
        answer = {"taskDefinition": {"taskDefinitionArn": f"{name}:2"}}
        asked = task_definition(PARAMETERS, name)
        self.stub.add_response("register_task_definition", answer, asked)

    def runs(
        self,
        *command: str,
        definition: str = f"{MIGRATE}:2",
        by: str = "picky-release",
        stopped: str = "",
        **container: Any,
    ) -> None:
        """A task is asked for and ends, its container so."""
        told = list(command) or [MIGRATE]
        asked = {
            "cluster": CLUSTER,
            "taskDefinition": definition,
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "networkConfiguration": network(PARAMETERS),
            "overrides": {"containerOverrides": [{"name": "picky", "command": told}]},
            "startedBy": by,
        }
        begun = {"tasks": [{"taskArn": TASK}], "failures": []}
        self.stub.add_response("run_task", begun, asked)
        ended = {
            "taskArn": TASK,
            "lastStatus": "STOPPED",
            "containers": [{"name": "metrics", "exitCode": 137}, {"name": "picky", **container}],
            "stoppedReason": stopped,
        }
        for _ in range(2):  # it is waited for, and then looked at
            asked = {"cluster": CLUSTER, "tasks": [TASK]}
            self.stub.add_response("describe_tasks", {"tasks": [ended]}, asked)

    def logged(self, *pages: list[str]) -> None:
        """What it logged; the page behind the last one is empty and leads to itself."""
        stream = {"logGroupName": "/picky", "logStreamName": "worker/picky/0123abcd"}
        for number, lines in enumerate([*pages, []]):
            asked = stream | {"startFromHead": True}
            if number:
                asked["nextToken"] = f"f/{number}"
            leads_to = min(number + 1, len(pages))
            answer = {
                "events": [{"timestamp": 1, "message": line} for line in lines],
                "nextForwardToken": f"f/{leads_to}",
            }
            self.log_stub.add_response("get_log_events", answer, asked)

    def has(self, role: str, definition: str, running: int = 2) -> None:
        service = {
            "serviceName": f"picky-{role}",
            "taskDefinition": definition,
            "runningCount": running,
        }
        answer = {"services": [service]}
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

    def refuses(self, method: str, code: str = "AccessDeniedException") -> None:
        self.stub.add_client_error(method, code, "You may not.")

    def migrate(self) -> None:
        migrate(self.client, PARAMETERS, say=self.said.append, wait=AT_ONCE)

    def new_epoch(self) -> None:
        new_epoch(self.client, PARAMETERS, say=self.said.append, wait=AT_ONCE)

    def roll(self) -> None:
        roll(self.client, PARAMETERS, say=self.said.append, wait=AT_ONCE)


@contextmanager
def stubbed() -> Iterator[Aws]:
    """Fails when a request was not made."""
    made = Aws()
    with made.stub, made.log_stub:
        yield made
        made.stub.assert_no_pending_responses()
        made.log_stub.assert_no_pending_responses()
