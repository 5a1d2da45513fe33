"""A release on ECS: the schema first, then every role, and all of them back when one fails.

The schema is changed beside the running version, and only ever in ways that it can live with; so
going back is going back with the processes alone.
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import WaiterError

from deploy.ecs.once import WAIT, Once, ReleaseError, Say, asking, end_of, service_of
from deploy.ecs.parameters import Parameters
from deploy.ecs.tasks import MIGRATE, ROLES, family, task_definition


def migrate(ecs: Any, parameters: Parameters, *, say: Say, wait: Mapping[str, int] = WAIT) -> None:
    """Run the migrations of this image as a task of its own, and wait for its end."""
    _as_owner(ecs, parameters, "the migrations", MIGRATE, "and nothing was rolled out", say, wait)
    say("the schema is current")


def new_epoch(
    ecs: Any, parameters: Parameters, *, say: Say, wait: Mapping[str, int] = WAIT
) -> None:
    """Give all streams a new epoch, as the tables' owner; nobody may serve them meanwhile."""
    with asking("and no epoch is new"):
        for role in ROLES:
            if service_of(ecs, parameters, role)["runningCount"]:
                raise ReleaseError(f"{family(parameters, role)} runs: stop every service before")
    otherwise = "and no service may be started"
    _as_owner(ecs, parameters, "the new epochs", "new-epoch", otherwise, say, wait)
    say("all streams have a new epoch")


def _as_owner(
    ecs: Any,
    parameters: Parameters,
    what: str,
    command: str,
    otherwise: str,
    say: Say,
    wait: Mapping[str, int],
) -> None:
    """Do one thing by the definition of the migrations, which has the owner's secret."""
    with asking(otherwise):
        once = Once(what, _register(ecs, parameters, MIGRATE), [command], "release")
        ended = end_of(ecs, parameters, once, say, wait)
    if ended.code != 0:
        raise ReleaseError(f"{what} failed, {otherwise}: {ended.reason}")


def roll(ecs: Any, parameters: Parameters, *, say: Say, wait: Mapping[str, int] = WAIT) -> None:
    """Replace the tasks of every role, and wait. When one role fails, all go back."""
    with asking("and nothing was rolled out"):
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
    with asking("while roles were replaced"):
        for role, definition in definitions.items():
            say(f"{role}: {definition}")
            name = family(parameters, role)
            ecs.update_service(cluster=parameters.cluster, service=name, taskDefinition=definition)
        try:
            ecs.get_waiter("services_stable").wait(
                cluster=parameters.cluster,
                services=[family(parameters, role) for role in definitions],
                WaiterConfig=dict(wait),
            )
        except WaiterError as error:
            raise ReleaseError(f"the services have not settled: {error}") from error
        for role, definition in definitions.items():
            # A rollout that ECS gave up has settled too: on what ran before.
            if _running(ecs, parameters, role) != definition:
                raise ReleaseError(f"{role} did not become healthy, and ECS went back")


def _running(ecs: Any, parameters: Parameters, role: str) -> str:
    """The task definition of the role's service."""
    return str(service_of(ecs, parameters, role)["taskDefinition"])


def _register(ecs: Any, parameters: Parameters, name: str) -> str:
    made = ecs.register_task_definition(**task_definition(parameters, name))
    return str(made["taskDefinition"]["taskDefinitionArn"])
