"""Tasks that do one thing and end: the migrations, and what somebody looks after a market with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from deploy.ecs.parameters import Parameters
from deploy.ecs.services import network
from deploy.ecs.tasks import MARKET, family, log_group

Say = Callable[[str], None]

WAIT = {"Delay": 15, "MaxAttempts": 80}
"""Twenty minutes: new tasks start, become healthy, and the old ones drain."""


class ReleaseError(Exception):
    """What was asked did not come to be; the message says what did, and what runs now."""


@contextmanager
def asking(otherwise: str) -> Iterator[None]:
    """Tell of what AWS refuses, or of who does not reach it, and how things are then."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise ReleaseError(f"AWS refused or was not reached, {otherwise}: {error}") from error


@dataclass(frozen=True)
class Once:
    """A task that does one thing, by the definition of a role or of the migrations."""

    what: str
    definition: str
    command: Sequence[str]
    started_by: str


@dataclass(frozen=True)
class Ended:
    """How it ended; without a code its program was not even begun."""

    task: str
    code: int | None
    reason: str


def end_of(
    ecs: Any, parameters: Parameters, once: Once, say: Say, wait: Mapping[str, int]
) -> Ended:
    """Run it in the market's network and wait for its end."""
    started = ecs.run_task(
        cluster=parameters.cluster,
        taskDefinition=once.definition,
        launchType="FARGATE",
        platformVersion="1.4.0",
        networkConfiguration=network(parameters),
        overrides={"containerOverrides": [{"name": MARKET, "command": [*once.command]}]},
        startedBy=f"{parameters.name}-{once.started_by}",
    )
    if started.get("failures"):
        raise ReleaseError(f"{once.what} did not start: {started['failures'][0]['reason']}")
    task = started["tasks"][0]["taskArn"]
    say(f"{' '.join(once.command)} in {task}")
    try:
        ecs.get_waiter("tasks_stopped").wait(
            cluster=parameters.cluster, tasks=[task], WaiterConfig=dict(wait)
        )
    except WaiterError as error:
        raise ReleaseError(f"{once.what} did not end: {error}") from error
    ended = ecs.describe_tasks(cluster=parameters.cluster, tasks=[task])["tasks"][0]
    [market] = [one for one in ended["containers"] if one["name"] == MARKET]
    reason = market.get("reason") or ended.get("stoppedReason") or "see its log"
    return Ended(task, market.get("exitCode"), reason)


def run(
    ecs: Any,
    logs: Any,
    parameters: Parameters,
    role: str,
    command: Sequence[str],
    *,
    say: Say,
    tell: Say,
    wait: Mapping[str, int] = WAIT,
) -> int:
    """Do a command of the server's as a role that runs; tell its log, and return its exit code."""
    with asking("and how the command ended is not known"):
        definition = str(service_of(ecs, parameters, role)["taskDefinition"])
        once = Once("the command", definition, command, "run")
        ended = end_of(ecs, parameters, once, say, wait)
    with asking(f"but the command ended with {ended.code}"):
        for line in _log_of(logs, parameters, role, ended.task):
            tell(line)
    if ended.code is None:
        raise ReleaseError(f"{once.what} did not begin: {ended.reason}")
    return ended.code


def service_of(ecs: Any, parameters: Parameters, role: str) -> Any:
    """What ECS says of a role's service."""
    name = family(parameters, role)
    found = ecs.describe_services(cluster=parameters.cluster, services=[name])
    if not found["services"]:
        raise ReleaseError(f"there is no service {name} in {parameters.cluster}")
    return found["services"][0]


def _log_of(logs: Any, parameters: Parameters, role: str, task: str) -> Iterator[str]:
    """All lines; a page that leads to itself is the last one."""
    stream = f"{role}/{MARKET}/{task.rpartition('/')[2]}"
    place = {"logGroupName": log_group(parameters), "logStreamName": stream}
    token: dict[str, str] = {}
    while True:
        try:
            page = logs.get_log_events(**place, startFromHead=True, **token)
        except logs.exceptions.ResourceNotFoundException:  # it said nothing
            return
        yield from (event["message"] for event in page["events"])
        if token.get("nextToken") == page["nextForwardToken"]:
            return
        token = {"nextToken": page["nextForwardToken"]}
