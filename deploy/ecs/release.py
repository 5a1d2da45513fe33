"""A release on ECS: the schema first, then every role, and all of them back when one fails.

The schema is changed beside the running version, and only ever in ways that it can live with; so
going back is going back with the processes alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from deploy.ecs.parameters import Parameters
from deploy.ecs.services import network
from deploy.ecs.tasks import MIGRATE, ROLES, family, task_definition

Say = Callable[[str], None]

WAIT = {"Delay": 15, "MaxAttempts": 80}
"""Twenty minutes: new tasks start, become healthy, and the old ones drain."""


class ReleaseError(Exception):
    """The release did not come to be; the message says what did, and what runs now."""


def migrate(ecs: Any, parameters: Parameters, *, say: Say, wait: Mapping[str, int] = WAIT) -> None:
    """Run the migrations of this image as a task of its own, and wait for its end."""
    definition = _register(ecs, parameters, MIGRATE)
    started = ecs.run_task(
        cluster=parameters.cluster,
        taskDefinition=definition,
        launchType="FARGATE",
        platformVersion="1.4.0",
        networkConfiguration=network(parameters),
        startedBy="release",
    )
    if started.get("failures"):
        raise ReleaseError(f"the migrations were not started: {started['failures'][0]['reason']}")
    task = started["tasks"][0]["taskArn"]
    say(f"migrating in {task}")
    try:
        ecs.get_waiter("tasks_stopped").wait(
            cluster=parameters.cluster, tasks=[task], WaiterConfig=dict(wait)
        )
    except WaiterError as error:
        raise ReleaseError(f"the migrations have not ended: {error}") from error
    ended = ecs.describe_tasks(cluster=parameters.cluster, tasks=[task])["tasks"][0]
    [container] = ended["containers"]
    if container.get("exitCode") != 0:
        reason = container.get("reason") or ended.get("stoppedReason") or "see its log"
        raise ReleaseError(f"the migrations failed, and nothing was rolled out: {reason}")
    say("the schema is current")


def roll(ecs: Any, parameters: Parameters, *, say: Say, wait: Mapping[str, int] = WAIT) -> None:
    """Replace the tasks of every role, and wait. When one role fails, all go back."""
    before = {role: _running(ecs, parameters, role) for role in ROLES}
    after = {role: _register(ecs, parameters, role) for role in ROLES}
    try:
        _replace(ecs, parameters, after, say, wait)
    except ReleaseError as error:
        say(f"{error}; going back")
        try:
            _replace(ecs, parameters, before, say, wait)
        except ReleaseError as again:
            raise ReleaseError(f"{error}. Going back failed as well: {again}.") from again
        raise ReleaseError(f"{error}. The version before runs again.") from error


def _replace(
    ecs: Any,
    parameters: Parameters,
    definitions: Mapping[str, str],
    say: Say,
    wait: Mapping[str, int],
) -> None:
    try:
        for role, definition in definitions.items():
            say(f"{role}: {definition}")
            ecs.update_service(
                cluster=parameters.cluster, service=family(role), taskDefinition=definition
            )
        ecs.get_waiter("services_stable").wait(
            cluster=parameters.cluster,
            services=[family(role) for role in definitions],
            WaiterConfig=dict(wait),
        )
        for role, definition in definitions.items():
            # A rollout that ECS gave up has settled too: on what ran before.
            if _running(ecs, parameters, role) != definition:
                raise ReleaseError(f"{role} did not become healthy, and ECS went back")
    except WaiterError as error:
        raise ReleaseError(f"the services have not settled: {error}") from error
    except (ClientError, BotoCoreError) as error:
        raise ReleaseError(f"AWS refused or was not reached: {error}") from error


def _running(ecs: Any, parameters: Parameters, role: str) -> str:
    """The task definition of the role's service."""
    found = ecs.describe_services(cluster=parameters.cluster, services=[family(role)])
    if not found["services"]:
        raise ReleaseError(f"there is no service {family(role)} in {parameters.cluster}")
    return str(found["services"][0]["taskDefinition"])


def _register(ecs: Any, parameters: Parameters, name: str) -> str:
    made = ecs.register_task_definition(**task_definition(parameters, name))
    return str(made["taskDefinition"]["taskDefinitionArn"])
