"""What is asked of ECS: valid for AWS, without a secret, and matched to what the code does."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from deploy.ecs import scaling, services, tasks
from deploy.ecs.__main__ import app, requests
from deploy.ecs.parameters import Parameters, ParametersError
from server.app.roles import Role
from server.app.serve import _GRACE_S
from server.app.settings import load_settings
from server.platform.metrics import JOBS_WAITING
from server.realtime.metrics import SOCKETS
from server.realtime.settings import RealtimeSettings
from tests.deploy.aws import problems_of
from tests.deploy.composed import DEPLOY

EXAMPLE = DEPLOY / "ecs" / "parameters.example.toml"
REALTIME = RealtimeSettings()
DRAIN_S = REALTIME.drain_least_s + REALTIME.drain_most_s + _GRACE_S
SERVICES = {
    "register-task-definition": "ecs",
    "create-service": "ecs",
    "create-target-group": "elbv2",
    "modify-target-group-attributes": "elbv2",
    "create-rule": "elbv2",
    "register-scalable-target": "application-autoscaling",
    "put-scaling-policy": "application-autoscaling",
}
FARGATE = {"1024": range(2048, 8193, 1024), "2048": range(4096, 16385, 1024)}
"""The memory in MiB that there may be with so much CPU."""


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return Parameters.load(EXAMPLE)


def market(parameters: Parameters, name: str) -> dict[str, Any]:
    found: dict[str, Any] = tasks.task_definition(parameters, name)["containerDefinitions"][0]
    return found


@pytest.mark.parametrize("name", list(requests(Parameters.load(EXAMPLE))))
def test_every_request_is_one_that_aws_takes(parameters: Parameters, name: str) -> None:
    operation = name.partition(".")[2]
    title = "".join(part.title() for part in operation.split("-"))
    assert problems_of(SERVICES[operation], title, requests(parameters)[name]) == []


@pytest.mark.parametrize("name", [tasks.MIGRATE, *tasks.ROLES])
def test_every_task_starts_with_the_settings_it_is_given(
    parameters: Parameters, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = market(parameters, name)
    for one in container["environment"]:
        monkeypatch.setenv(one["name"], one["value"])
    secrets = {
        "PICKY_DATABASE_URL": "postgresql://database/picky",
        "PICKY_BUS_URL": "rediss://bus",
        "PICKY_SECRET_KEY": "k" * 32,
    }
    assert {one["name"] for one in container["secrets"]} == set(secrets)
    for variable, value in secrets.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.role == (Role.ALL if name == tasks.MIGRATE else name)
    assert container["command"] == ["migrate" if name == tasks.MIGRATE else "serve"]


@pytest.mark.parametrize("name", [tasks.MIGRATE, *tasks.ROLES])
def test_secrets_are_references_and_rights_are_few(parameters: Parameters, name: str) -> None:
    definition = tasks.task_definition(parameters, name)
    assert int(definition["memory"]) in FARGATE[definition["cpu"]]
    for container in definition["containerDefinitions"]:
        assert container["readonlyRootFilesystem"] is True
        assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
    container = definition["containerDefinitions"][0]
    assert all(one["valueFrom"].startswith("arn:aws:") for one in container["secrets"])
    assert not {one["name"] for one in container["secrets"]} & {
        one["name"] for one in container["environment"]
    }
    assert container["user"] != "0"
    assert container["linuxParameters"]["initProcessEnabled"] is True


def test_a_task_has_the_time_to_drain(parameters: Parameters) -> None:
    assert tasks.DRAIN_S == DRAIN_S
    for role in tasks.ROLES:
        container = market(parameters, role)
        assert DRAIN_S + 5 <= container["stopTimeout"] <= 120
        assert container["healthCheck"]["command"] == ["CMD", "picky-server", "health"]


def test_the_balancer_lets_go_as_the_server_would(parameters: Parameters) -> None:
    delays = {
        role: {
            one["Key"]: one["Value"]
            for one in services.target_group_attributes(parameters, role)["Attributes"]
        }["deregistration_delay.timeout_seconds"]
        for role in services.BALANCED
    }
    assert delays == {"api": f"{_GRACE_S}", "realtime": f"{DRAIN_S:.0f}"}
    for role in services.BALANCED:
        group = services.target_group(parameters, role)
        # ECS ends a task that fails this: a database that is away must not end them all.
        assert group["HealthCheckPath"] == "/healthz"
        assert group["HealthCheckTimeoutSeconds"] < group["HealthCheckIntervalSeconds"]


@pytest.mark.parametrize("role", tasks.ROLES)
def test_a_rollout_keeps_its_capacity_and_goes_back_when_it_fails(
    parameters: Parameters, role: str
) -> None:
    service = services.service(parameters, role)
    how = service["deploymentConfiguration"]
    assert how["minimumHealthyPercent"] == 100
    assert how["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    one_more = service["desiredCount"] * how["maximumPercent"] // 100
    assert one_more > service["desiredCount"] >= 2
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    assert network["assignPublicIp"] == "DISABLED"
    assert ("loadBalancers" in service) == (role in services.BALANCED)


def test_paths_lead_to_their_roles_and_none_to_what_is_inside(parameters: Parameters) -> None:
    rules = sorted(services.rules(parameters).values(), key=lambda rule: int(rule["Priority"]))
    led = {
        path: rule["Actions"][0].get("TargetGroupArn", "nowhere")
        for rule in rules
        for path in rule["Conditions"][0]["PathPatternConfig"]["Values"]
    }
    assert list(led) == ["/v1/realtime", "/metrics", "/healthz", "/readyz", "/*"]
    assert led["/v1/realtime"] == parameters.realtime_target_group
    assert led["/*"] == parameters.api_target_group
    assert {led[path] for path in ("/metrics", "/healthz", "/readyz")} == {"nowhere"}


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
    assert metric["MetricName"] == scaling.SOCKETS_METRIC == next(iter(SOCKETS.describe())).name
    assert metric["Statistic"] == "Average"
    come_back_s = REALTIME.reconnect_within_ms / 1000
    measured_a_second = 250
    assert sockets["TargetValue"] <= come_back_s * measured_a_second
    jobs = policy(parameters, "worker")["CustomizedMetricSpecification"]["Metrics"]
    [returned] = [one for one in jobs if one["ReturnData"]]
    assert returned["Expression"] == "due / workers"
    [due] = [one["MetricStat"]["Metric"] for one in jobs if one["Id"] == "due"]
    assert due["MetricName"] == next(iter(JOBS_WAITING.describe())).name
    for role in tasks.ROLES:
        target = scaling.scalable_target(parameters, role)
        assert 2 <= target["MinCapacity"] < target["MaxCapacity"]
        assert target["ResourceId"] == f"service/{parameters.cluster}/picky-{role}"


@pytest.mark.parametrize("role", tasks.ROLES)
def test_the_metrics_that_count_are_collected(parameters: Parameters, role: str) -> None:
    collector = tasks.task_definition(parameters, role)["containerDefinitions"][1]
    told = yaml.safe_load(collector["environment"][0]["value"])
    [scraped] = told["receivers"]["prometheus"]["config"]["scrape_configs"]
    assert scraped["static_configs"][0]["labels"] == {"Role": role}
    assert scraped["static_configs"][0]["targets"] == [f"127.0.0.1:{tasks.PORT}"]
    exporter = told["exporters"]["awsemf"]
    assert exporter["namespace"] == tasks.METRICS
    assert exporter["metric_declarations"][0]["dimensions"] == [["Role"], ["Role", "state"]]
    assert collector["essential"] is False


def test_they_are_written_as_awss_client_takes_them(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["render", str(EXAMPLE), "--into", str(tmp_path)])
    assert run.exit_code == 0, run.output
    written = {path.stem: json.loads(path.read_text()) for path in tmp_path.iterdir()}
    assert written == requests(Parameters.load(EXAMPLE))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("@sha256:", ":latest", "image: "),
        ('bucket = "picky-photos"\n', "", "bucket: Field required"),
        ("[secrets]", '[secrets]\npassword = "x"', "secrets.password: Extra inputs"),
        ("arn:aws:secretsmanager", "hunter2", "secrets.database_url: "),
        ("region =", "region", "parameters.toml: "),
    ],
)
def test_what_is_wrong_with_the_parameters_is_named(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    file = tmp_path / "parameters.toml"
    file.write_text(EXAMPLE.read_text().replace(old, new))
    with pytest.raises(ParametersError, match=told):
        Parameters.load(file)


def test_a_command_says_what_is_wrong_with_its_file(tmp_path: Path) -> None:
    missing = tmp_path / "parameters.toml"
    run = CliRunner().invoke(app, ["roll", str(missing)])
    assert run.exit_code == 2
    assert run.stderr.startswith(f"deploy.ecs: {missing}: ")


def test_a_request_that_aws_would_refuse_is_seen(parameters: Parameters) -> None:
    service = services.service(parameters, "api")
    assert problems_of("ecs", "CreateService", service | {"launchType": "FARGET"})
    assert problems_of("ecs", "CreateService", service | {"desiredCount": "2"})
    assert problems_of("ecs", "CreateService", service | {"count": 2})
    assert problems_of("ecs", "CreateService", {})
