"""When ECS and the proxies lose patience with a process: never in a storm, always after a drain."""

import re
from collections.abc import Iterator
from math import ceil

import pytest
from typer.testing import CliRunner

from bench.capacity.fleet import Room, fleet
from bench.capacity.habits import Habits
from bench.capacity.returning import returns
from deploy.ecs import services, tasks
from deploy.ecs.once import WAIT
from deploy.ecs.parameters import MostTasks, Parameters
from server.app.cli import app as server
from server.app.health_probe import PATIENCE_S
from server.app.serve import _GRACE_S
from server.realtime.settings import RealtimeSettings
from tests.deploy.aws import example, market
from tests.deploy.composed import DEPLOY

REALTIME = RealtimeSettings()
DRAIN_S = REALTIME.drain_least_s + REALTIME.drain_most_s + _GRACE_S
STORMS = [
    one.outcome
    for users in (1_000, 10_000, 100_000, 1_000_000)
    for one in returns(fleet(users, Habits(), Room()), seed=1)
]
LONGEST_STORM_S = max(one.all_back_s for one in STORMS)


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return example()


def test_a_task_has_the_time_to_drain(parameters: Parameters) -> None:
    assert tasks.DRAIN_S == DRAIN_S
    for role in tasks.ROLES:
        container = market(parameters, role)
        assert DRAIN_S + 5 <= container["stopTimeout"] <= 120


def test_the_balancer_lets_go_as_the_server_would(parameters: Parameters) -> None:
    delays = {
        role: {
            one["Key"]: one["Value"]
            for one in services.target_group_attributes(parameters, role)["Attributes"]
        }["deregistration_delay.timeout_seconds"]
        for role in services.BALANCED
    }
    assert delays == {"api": f"{_GRACE_S}", "realtime": f"{DRAIN_S:.0f}"}


def test_a_task_counts_when_it_has_been_ready_and_is_not_ended_for_an_outage(
    parameters: Parameters,
) -> None:
    for role in tasks.ROLES:
        check = market(parameters, role)["healthCheck"]
        assert check["command"] == ["CMD", "picky-server", "health", "--started"]
        assert CliRunner().invoke(server, [*check["command"][2:], "--help"]).exit_code == 0
    for role in services.BALANCED:
        assert services.target_group(parameters, role)["HealthCheckPath"] == "/startedz"
        grace_s = services.service(parameters, role)["healthCheckGracePeriodSeconds"]
        assert grace_s == market(parameters, role)["healthCheck"]["startPeriod"]


def test_no_task_is_ended_because_everybody_comes_back_at_once(parameters: Parameters) -> None:
    """All checks of the longest storm may fail, and the process is still there after it."""
    assert all(one.is_over for one in STORMS)
    for role in services.BALANCED:
        group = services.target_group(parameters, role)
        all_but_one = group["UnhealthyThresholdCount"] - 1
        assert all_but_one * group["HealthCheckIntervalSeconds"] > LONGEST_STORM_S
        assert group["HealthCheckTimeoutSeconds"] < group["HealthCheckIntervalSeconds"]
    for role in tasks.ROLES:
        check = market(parameters, role)["healthCheck"]
        assert (check["retries"] - 1) * check["interval"] > LONGEST_STORM_S
        assert PATIENCE_S < check["timeout"] <= check["interval"], "it starts a program, too"


def seconds(directive: str) -> float:
    """What the Caddyfile says of its health checks."""
    [told] = re.findall(rf"\t{directive} (\d+)s\n", (DEPLOY / "Caddyfile").read_text())
    return float(told)


def test_caddy_waits_for_who_lets_thousands_in_and_leaves_who_drains() -> None:
    """It asks anew every interval whether or not it was answered, and one failure does."""
    assert seconds("health_timeout") > LONGEST_STORM_S
    assert "health_fails" not in (DEPLOY / "Caddyfile").read_text()
    assert seconds("health_interval") + 1 <= REALTIME.drain_least_s


FOR_A_MILLION = MostTasks(api=138, realtime=330, worker=51)


def rollouts(parameters: Parameters, role: str) -> Iterator[tuple[int, int]]:
    """So many failures until ECS gives up, and so many tasks that it tries at once; for any number
    of tasks. It gives up when half as many as are wanted have failed, between 3 and 200.
    """
    how = services.service(parameters, role)["deploymentConfiguration"]
    for wanted in range(services.LEAST_TASKS[role], getattr(parameters.most_tasks, role) + 1):
        beside = wanted * how["maximumPercent"] // 100 - wanted
        yield min(200, max(3, ceil(wanted / 2))), beside


def ended_s(parameters: Parameters, role: str) -> int:
    """When a task that never gets ready is ended: by its own check, or sooner by the balancer's."""
    check = market(parameters, role)["healthCheck"]
    own_s = int(check["startPeriod"] + check["retries"] * check["interval"])
    if role not in services.BALANCED:
        return own_s
    group = services.target_group(parameters, role)
    grace_s = services.service(parameters, role)["healthCheckGracePeriodSeconds"]
    unhealthy_s = group["UnhealthyThresholdCount"] * group["HealthCheckIntervalSeconds"]
    return int(min(own_s, max(grace_s, unhealthy_s)))


@pytest.mark.parametrize("most", [MostTasks(), FOR_A_MILLION])
@pytest.mark.parametrize("role", tasks.ROLES)
def test_a_version_that_never_gets_ready_is_given_up_while_the_release_waits(
    parameters: Parameters, role: str, most: MostTasks
) -> None:
    """However many tasks there are, and with as much time again to stop what was begun."""
    placing_s = 60
    of_many = parameters.model_copy(update={"most_tasks": most})
    rounds = max(ceil(failures / beside) for failures, beside in rollouts(of_many, role))
    given_up_s = rounds * (ended_s(of_many, role) + placing_s)
    assert 2 * given_up_s < WAIT["Delay"] * WAIT["MaxAttempts"]
