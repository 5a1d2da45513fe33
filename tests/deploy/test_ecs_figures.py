"""What is seen of a market on ECS: what is collected, what it is scaled by, what is watched."""

import re
from collections.abc import Iterator
from math import ceil
from typing import Any

import pytest
import yaml

from bench.capacity.fleet import Room, fleet
from bench.capacity.habits import Habits
from deploy.ecs import alarms, figures, scaling, tasks
from deploy.ecs.__main__ import requests
from deploy.ecs.parameters import MostTasks, Parameters
from tests.deploy.aws import example
from tests.deploy.test_observability import exported, rules

ALERTS = {
    "requests-fail": "PickyRequestsFail",
    "nobody-answers": "PickyProcessDown",
    "sends-unavailable": "PickySendsUnavailable",
    "jobs-late": "PickyJobsLate",
    "jobs-dead": "PickyJobsDead",
    "slow-consumers": "PickySlowConsumers",
}
"""Which alert each alarm is on ECS."""


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return example()


def test_there_may_be_as_many_tasks_as_many_people_need(parameters: Parameters) -> None:
    needed = fleet(100_000, Habits(), Room())
    most = {role: scaling.scalable_target(parameters, role)["MaxCapacity"] for role in tasks.ROLES}
    assert most == {role: ceil(1.5 * getattr(needed, role)) for role in tasks.ROLES}
    more = parameters.model_copy(update={"most_tasks": MostTasks(realtime=330)})
    assert scaling.scalable_target(more, "realtime")["MaxCapacity"] == 330


def policy(parameters: Parameters, role: str) -> dict[str, Any]:
    found: dict[str, Any] = scaling.scaling_policy(parameters, role)[
        "TargetTrackingScalingPolicyConfiguration"
    ]
    return found


def test_each_role_grows_by_what_it_has_too_much_of(parameters: Parameters) -> None:
    cpu = policy(parameters, "api")["PredefinedMetricSpecification"]
    assert cpu == {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    sockets = policy(parameters, "realtime")
    metric = sockets["CustomizedMetricSpecification"]
    assert metric["MetricName"] == "picky_sockets"
    assert metric["Statistic"] == "Average"
    assert sockets["TargetValue"] == Room().sockets
    jobs = policy(parameters, "worker")["CustomizedMetricSpecification"]["Metrics"]
    [returned] = [one for one in jobs if one["ReturnData"]]
    assert returned["Expression"] == "due / workers"
    [due] = [one["MetricStat"]["Metric"] for one in jobs if one["Id"] == "due"]
    assert due["MetricName"] == "picky_jobs_waiting"
    for role in tasks.ROLES:
        target = scaling.scalable_target(parameters, role)
        assert 2 <= target["MinCapacity"] < target["MaxCapacity"]
        assert target["ResourceId"] == f"service/{parameters.cluster}/picky-{role}"


def collector(parameters: Parameters, role: str) -> dict[str, Any]:
    """The settings of the collector beside a process."""
    container = tasks.task_definition(parameters, role)["containerDefinitions"][1]
    assert container["essential"] is False
    found: dict[str, Any] = yaml.safe_load(container["environment"][0]["value"])
    return found


@pytest.mark.parametrize("role", tasks.ROLES)
def test_each_process_is_asked_for_its_figures(role: str) -> None:
    told = collector(example().model_copy(update={"name": "on"}), role)  # which YAML takes for true
    [scraped] = told["receivers"]["prometheus"]["config"]["scrape_configs"]
    assert scraped["static_configs"] == [
        {"targets": [f"127.0.0.1:{tasks.PORT}"], "labels": {"Market": "on", "Role": role}}
    ]
    assert scraped["scrape_interval"] == f"{figures.SCRAPED_EVERY_S}s"
    exporter = told["exporters"]["awsemf"]
    assert exporter["log_group_name"] == "/on/metrics"
    assert exporter["namespace"] == figures.NAMESPACE


def asked_for(parameters: Parameters) -> Iterator[tuple[str, dict[str, str]]]:
    """Every figure of the market itself that a request names, with its dimensions."""

    def inside(value: Any) -> Iterator[tuple[str, dict[str, str]]]:
        if isinstance(value, dict) and value.get("Namespace") == figures.NAMESPACE:
            told = {one["Name"]: one["Value"] for one in value["Dimensions"]}
            yield value["MetricName"], told
        elif isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                yield from inside(one)

    yield from inside(requests(parameters))


@pytest.mark.parametrize(("name", "dimensions"), list(asked_for(example())))
def test_what_is_asked_of_cloudwatch_is_brought_there(
    parameters: Parameters, name: str, dimensions: dict[str, str]
) -> None:
    """The figure is one that a process exports with these labels, and declared to have them."""
    labels = set(dimensions) - {"Market", "Role"}
    assert labels <= exported()[name]
    declared = [
        set(told)
        for one in collector(parameters, "api")["exporters"]["awsemf"]["metric_declarations"]
        if any(re.search(pattern, name) for pattern in one["metric_name_selectors"])
        for told in one["dimensions"]
    ]
    assert set(dimensions) in declared
    assert dimensions["Market"] == parameters.name
    assert dimensions.get("Role", "api") in tasks.ROLES


def test_counts_of_histograms_are_not_reckoned_with(parameters: Parameters) -> None:
    """The collector brings them as they are since the process began, and not what they grew by."""
    assert not [name for name, _ in asked_for(parameters) if f"{name}_bucket" in exported()]


def test_what_matters_most_is_watched_with_the_bounds_of_the_alerts(
    parameters: Parameters,
) -> None:
    made = alarms.alarms(parameters)
    assert set(made) == set(ALERTS)
    rule = {one["alert"]: one for one in rules()}
    for name in ("requests-fail", "sends-unavailable"):
        assert rule[ALERTS[name]]["expr"].rstrip().endswith(f"> {made[name]['Threshold'] / 100}")
    assert rule["PickyJobsLate"]["expr"].endswith(f"> {made['jobs-late']['Threshold']:.0f}")
    assert rule["PickyJobsDead"]["expr"].endswith(f"> {made['jobs-dead']['Threshold']:.0f}")
    share = made["slow-consumers"]["Threshold"] / 100
    assert f"[10m])) > {share} * sum(picky_sockets)" in rule["PickySlowConsumers"]["expr"]
    for name in ("requests-fail", "sends-unavailable", "jobs-late"):
        assert made[name]["EvaluationPeriods"] == 5
        assert rule[ALERTS[name]]["for"] == "5m"


def inputs(alarm: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["Id"]: one["MetricStat"] for one in alarm["Metrics"] if "MetricStat" in one}


def test_an_alarm_reckons_with_what_it_names_and_with_one_period(parameters: Parameters) -> None:
    for name, alarm in alarms.alarms(parameters).items():
        assert alarm["AlarmName"] == f"picky-{name}"
        assert len({one["Period"] for one in inputs(alarm).values()}) == 1
        [watched] = [one for one in alarm["Metrics"] if one["ReturnData"]]
        words = set(re.findall(r"[a-z]+", watched.get("Expression", watched["Id"])))
        assert words == set(inputs(alarm))


def test_failing_requests_are_counted_by_the_balancer_in_front(parameters: Parameters) -> None:
    made = alarms.alarms(parameters)
    balancer = {"Name": "LoadBalancer", "Value": "app/picky/50dc6c495c0c9188"}
    group = {"Name": "TargetGroup", "Value": "targetgroup/picky-api/73e2d6bc24d8a067"}
    for name, where in (("requests-fail", [balancer, group]), ("nobody-answers", [balancer])):
        for one in inputs(made[name]).values():
            assert one["Metric"]["Namespace"] == "AWS/ApplicationELB"
            assert one["Metric"]["Dimensions"] == where


def test_slow_consumers_are_a_share_of_all_sockets(parameters: Parameters) -> None:
    """Each process tells its sockets at each scrape, and all of that is one sum."""
    alarm = alarms.alarms(parameters)["slow-consumers"]
    asked = inputs(alarm)
    assert {one["Stat"] for one in asked.values()} == {"Sum"}
    told = asked["told"]["Period"] // figures.SCRAPED_EVERY_S
    assert alarm["Metrics"][-1]["Expression"] == f"100 * closed / (told / {told})"


def test_that_nobody_tells_of_jobs_is_an_alarm_and_that_nobody_asks_is_none(
    parameters: Parameters,
) -> None:
    missing = {name: one["TreatMissingData"] for name, one in alarms.alarms(parameters).items()}
    assert missing.pop("jobs-late") == "breaching"
    assert set(missing.values()) == {"notBreaching"}


def test_alarms_are_told_where_the_parameters_say(parameters: Parameters) -> None:
    topic = "arn:aws:sns:ap-northeast-2:123456789012:picky-alarms"
    told = parameters.model_copy(update={"alarm_topic": topic})
    assert {one["AlarmActions"][0] for one in alarms.alarms(told).values()} == {topic}
    assert not any(one["AlarmActions"] for one in alarms.alarms(parameters).values())
