"""What is asked of ECS: valid for AWS, without a secret, and matched to what the code does."""

import json
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.ecs import services, tasks
from deploy.ecs.__main__ import app, requests
from deploy.ecs.parameters import Parameters, ParametersError
from deploy.ecs.settings import OWN, SECRET, ChosenSettings, variables
from server.app.roles import Role
from server.app.settings import FLEET_NEEDS, MIGRATIONS_NEED, Settings, load_settings
from tests.deploy.aws import EXAMPLE, example, filled_in, market, problems_of

SERVICES = {
    "register-task-definition": "ecs",
    "create-service": "ecs",
    "create-target-group": "elbv2",
    "modify-target-group-attributes": "elbv2",
    "create-rule": "elbv2",
    "register-scalable-target": "application-autoscaling",
    "put-scaling-policy": "application-autoscaling",
    "put-metric-alarm": "cloudwatch",
}
KEPT = {
    "database-url": "postgresql://database/picky",
    "database-owner-url": "postgresql://owner@database/picky",
    "database-replica-url": "postgresql://replica/picky",
    "bus-url": "rediss://bus",
    "secret-key": "k" * 32,
}
"""What is kept under the example's names."""
FARGATE = {"1024": range(2048, 8193, 1024), "2048": range(4096, 16385, 1024)}
"""The memory in MiB that there may be with so much CPU."""


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return example()


@pytest.mark.parametrize("name", list(requests(example())))
def test_every_request_is_one_that_aws_takes(parameters: Parameters, name: str) -> None:
    operation = name.partition(".")[2]
    request = requests(parameters)[name]
    assert problems_of(SERVICES[operation], title_of(operation), request) == []


def title_of(operation: str) -> str:
    """What AWS's description calls a command of AWS's client."""
    return "".join(part.title() for part in operation.split("-"))


def loaded(container: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a container's process, as the process reads them."""
    for one in container["environment"]:
        monkeypatch.setenv(one["name"], one["value"])
    for one in container["secrets"]:
        monkeypatch.setenv(one["name"], KEPT[one["valueFrom"].split("/")[-1].rpartition("-")[0]])
    migrates = container["command"] == ["migrate"]
    return load_settings(needs=MIGRATIONS_NEED if migrates else FLEET_NEEDS)


@pytest.mark.parametrize("name", [tasks.MIGRATE, *tasks.ROLES])
def test_every_task_starts_with_the_settings_it_is_given(
    parameters: Parameters, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = market(parameters, name)
    settings = loaded(container, monkeypatch)
    assert settings.role == (Role.ALL if name == tasks.MIGRATE else name)
    assert container["command"] == ["migrate" if name == tasks.MIGRATE else "serve"]


def test_each_role_is_given_what_it_needs_and_no_more(parameters: Parameters) -> None:
    secrets = {
        name: {one["name"]: one["valueFrom"] for one in market(parameters, name)["secrets"]}
        for name in (tasks.MIGRATE, *tasks.ROLES)
    }
    kept = parameters.secrets
    assert secrets[tasks.MIGRATE] == {"PICKY_DATABASE_URL": kept.database_owner_url}
    for role in tasks.ROLES:
        assert secrets[role] == {
            "PICKY_DATABASE_URL": kept.database_url,
            "PICKY_BUS_URL": kept.bus_url,
            "PICKY_SECRET_KEY": kept.secret_key,
        }
    are = {
        name: tasks.task_definition(parameters, name).get("taskRoleArn")
        for name in (tasks.MIGRATE, *tasks.ROLES)
    }
    assert are == {tasks.MIGRATE: None, **parameters.task_roles.model_dump()}
    assert len(set(are.values())) == 4


def chosen(tmp_path: Path, settings: str, secrets: str = "") -> Parameters:
    """The example with these lines in the place of its settings, and more secrets."""
    file = tmp_path / "parameters.toml"
    text = filled_in().replace("[secrets]", f"[secrets]\n{secrets}")
    file.write_text(f"{text[: text.index('[settings]')]}[settings]\n{settings}")
    return Parameters.load(file)


def test_any_other_setting_may_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = "arn:aws:secretsmanager:eu-west-1:1:secret:picky/database-replica-url-AbCdEf"
    parameters = chosen(
        tmp_path,
        """\
currency = "EUR"
currency_exponent = 2
database_pooler = "transaction"
object_store_public_url = "https://photos.market.example"
allowed_origins = ["https://market.example"]
rate_limits = true
trusted_proxies = ["100.64.0.0/10"]
limits.title_min = 3
""",
        f'database_replica_url = "{replica}"',
    )
    for name in (tasks.MIGRATE, *tasks.ROLES):
        with monkeypatch.context() as patch:
            settings = loaded(market(parameters, name), patch)
        assert (settings.currency, settings.currency_exponent) == ("EUR", 2)
        assert settings.database_pooler == "transaction"
        assert settings.object_store_public_url == "https://photos.market.example"
        assert settings.allowed_origins == ["https://market.example"]
        assert [str(one) for one in settings.trusted_proxies] == ["100.64.0.0/10"]
        assert settings.limits.title_min == 3
        assert bool(settings.database_replica_url) == (name == "api")


@pytest.mark.parametrize("name", sorted(SECRET | OWN | {"no_such_setting"}))
def test_what_is_secret_or_said_elsewhere_or_no_setting_cannot_be_chosen(
    tmp_path: Path, name: str
) -> None:
    assert name in Settings.model_fields or name.startswith("no_")
    with pytest.raises(ParametersError, match=f"settings.{name}: Extra inputs"):
        chosen(tmp_path, f'{name} = "x"')


def test_whatever_holds_a_password_is_a_secret() -> None:
    urls = {name for name in Settings.model_fields if name.endswith(("_url", "_key"))}
    without = {"object_store_url", "object_store_public_url", "public_url"}
    assert urls - without == SECRET
    assert SECRET & set(variables(ChosenSettings())) == set()


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
    api = dict.fromkeys(services.PUBLIC_PATHS, parameters.api_target_group)
    assert led == {"/v1/realtime": parameters.realtime_target_group, **api, "/*": "nowhere"}
    # The balancer compares what was written, and the server reads what it means.
    for path in ("/metrics", "/%6detrics", "//readyz", "/startedz", "/healthz"):
        assert next(to for told, to in led.items() if fnmatch(path, told)) == "nowhere"


WRITTEN = {
    "register-task-definition": {"migrate", "api", "realtime", "worker"},
    "create-service": {"api", "realtime", "worker"},
    "create-target-group": {"api", "realtime"},
    "modify-target-group-attributes": {"api", "realtime"},
    "create-rule": {"api", "realtime", "nowhere"},
    "register-scalable-target": {"api", "realtime", "worker"},
    "put-scaling-policy": {"api", "realtime", "worker"},
    "put-metric-alarm": {
        *("requests-fail", "nobody-answers", "sends-unavailable"),
        *("jobs-late", "jobs-dead", "slow-consumers"),
    },
}
"""Of each command of AWS's client the files that it is given."""


def test_they_are_written_as_awss_client_takes_them(tmp_path: Path) -> None:
    file = tmp_path / "parameters.toml"
    file.write_text(filled_in())
    written = rendered(file)
    operations: dict[str, set[str]] = {}
    for name, request in written.items():
        what, _, operation = name.partition(".")
        operations.setdefault(operation, set()).add(what)
        assert problems_of(SERVICES[operation], title_of(operation), request) == []
    assert operations == WRITTEN
    told = tomllib.loads(filled_in())
    for role in ("api", "realtime"):
        [balanced] = written[f"{role}.create-service"]["loadBalancers"]
        group = told[f"{role}_target_group"]
        assert balanced == {
            "targetGroupArn": group,
            "containerName": "picky",
            "containerPort": 8470,
        }
        assert written[f"{role}.modify-target-group-attributes"]["TargetGroupArn"] == group
        assert written[f"{role}.create-target-group"]["Name"] == f"picky-{role}"
    for role in ("migrate", "api", "realtime", "worker"):
        [picky, *_] = written[f"{role}.register-task-definition"]["containerDefinitions"]
        assert picky["image"] == told["image"]
        assert picky["logConfiguration"]["options"]["awslogs-group"] == "/picky"
    assert written["nowhere.create-rule"] == {
        "ListenerArn": told["listener"],
        "Priority": 30,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    }


NAMES = {
    *("family", "serviceName", "taskDefinition", "awslogs-group"),
    *("PolicyName", "ResourceId", "AlarmName"),
}
"""The members of requests by which AWS knows things of an account or of a cluster."""


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """All of a request, and of what is in it."""
    if isinstance(value, dict):
        yield from value.items()
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for one in inside:
            yield from members(one)


def known_by(name: str) -> tuple[set[tuple[str, str]], list[dict[str, Any]]]:
    """The names in all requests of a market, and the figures of its own that they ask for."""
    asked = requests(example().model_copy(update={"name": name}))
    named = {(key, str(value)) for key, value in members(asked) if key in NAMES}
    groups = {("Name", asked[f"{role}.create-target-group"]["Name"]) for role in services.BALANCED}
    specified = [value for _, value in members(asked) if isinstance(value, dict)]
    return named | groups, [one for one in specified if one.get("Namespace") == "Picky"]


def test_two_markets_of_an_account_have_no_name_in_common() -> None:
    names, figures = known_by("first")
    assert {key for key, _ in names} == NAMES | {"Name"}
    assert names.isdisjoint(known_by("second")[0])
    assert len(figures) == 8
    for figure in figures:
        assert {"Name": "Market", "Value": "first"} in figure["Dimensions"]


@pytest.mark.parametrize("name", ["Picky", "1st", "first-", "a" * 24, "a_b", "a--b"])
def test_a_name_is_one_that_all_of_aws_takes(tmp_path: Path, name: str) -> None:
    file = tmp_path / "parameters.toml"
    file.write_text(filled_in().replace('name = "picky"', f'name = "{name}"'))
    with pytest.raises(ParametersError, match="name: "):
        Parameters.load(file)


def rendered(file: Path) -> dict[str, Any]:
    """What is written of these parameters."""
    into = file.parent / "rendered"
    run = CliRunner().invoke(app, ["render", str(file), "--into", str(into)])
    assert run.exit_code == 0, run.output
    assert ("render again" in run.stderr) == (len(list(into.iterdir())) == len(services.BALANCED))
    return {path.stem: json.loads(path.read_text()) for path in into.iterdir()}


def test_the_target_groups_come_first_and_nothing_leads_to_what_is_not_there(
    tmp_path: Path,
) -> None:
    file = tmp_path / "parameters.toml"
    file.write_text(EXAMPLE.read_text())
    groups = {f"{role}.create-target-group" for role in services.BALANCED}
    assert set(rendered(file)) == groups
    with pytest.raises(ParametersError, match="api_target_group: make it first"):
        services.service(Parameters.load(file), "api")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("@sha256:", ":latest", "image: "),
        ('bucket = "picky-photos"\n', "", "bucket: Field required"),
        ("[secrets]", '[secrets]\npassword = "x"', "secrets.password: Extra inputs"),
        ("arn:aws:secretsmanager", "hunter2", "secrets.database_url: "),
        ("region =", "region", "parameters.toml: "),
        ('currency = "KRW"', 'currency = "euro"', "settings.currency: "),
        ("# [settings.limits]", "[settings.limits]\nfoo = 1", "settings.limits: .* no limit foo"),
    ],
)
def test_what_is_wrong_with_the_parameters_is_named(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    file = tmp_path / "parameters.toml"
    file.write_text(filled_in().replace(old, new))
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
