"""Fargate task definitions: one for each role, and one that migrates and ends."""

from typing import Any

from deploy.ecs.figures import collected
from deploy.ecs.parameters import Parameters
from deploy.ecs.settings import variables

ROLES = ("api", "realtime", "worker")
MIGRATE = "migrate"
MARKET = "picky"
"""The container of a task that is Picky itself."""
PORT = 8470
SCRATCH = "/var/picky"

DRAIN_S = 28
"""The most that a process takes from SIGTERM to its end: unready, sending sockets away, finishing
what runs."""
STOP_S = 40
"""When a process that has not ended is killed: a drain, and what closing connections takes."""

START_S = 60
"""How long a task may take until it has been ready; then its checks count."""
CHECKED_EVERY_S = 15
CHECK_S = 10
"""How long one may take: the server's answer, and the start of the program that asks for it."""
CHECKS_FAILED = 6
"""So many in a row end a task: longer than a storm of clients who all come back keeps it busy."""

COLLECTOR = "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0"


def family(parameters: Parameters, name: str) -> str:
    """What the task definition, the service and the target group of a role are called."""
    return f"{parameters.name}-{name}"


def log_group(parameters: Parameters) -> str:
    """Where the logs of all tasks are."""
    return f"/{parameters.name}"


def task_definition(parameters: Parameters, name: str) -> dict[str, Any]:
    """The request of RegisterTaskDefinition for a role, or for the migrations."""
    containers = [_market(parameters, name)]
    is_somebody = {}
    if name != MIGRATE:
        containers.append(_collector(parameters, name))
        is_somebody = {"taskRoleArn": getattr(parameters.task_roles, name)}
    return {
        "family": family(parameters, name),
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        # A process uses one core; a worker re-encodes photos in others beside it.
        "cpu": "2048" if name == "worker" else "1024",
        "memory": "4096" if name == "worker" else "2048",
        "executionRoleArn": parameters.execution_role,
        **is_somebody,
        "volumes": [{"name": "scratch"}],
        "containerDefinitions": containers,
    }


def _market(parameters: Parameters, name: str) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": MARKET,
        "image": parameters.image,
        "essential": True,
        "command": [MIGRATE if name == MIGRATE else "serve"],
        "environment": _environment(parameters, name),
        "secrets": _secrets(parameters, name),
        "user": "10001",
        "readonlyRootFilesystem": True,
        "mountPoints": [{"sourceVolume": "scratch", "containerPath": SCRATCH}],
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "stopTimeout": STOP_S,
        "logConfiguration": _logs(parameters, name),
    }
    if name != MIGRATE:
        container["portMappings"] = [{"containerPort": PORT, "protocol": "tcp"}]
        container["healthCheck"] = {
            "command": ["CMD", "picky-server", "health", "--started"],
            "interval": CHECKED_EVERY_S,
            "timeout": CHECK_S,
            "retries": CHECKS_FAILED,
            "startPeriod": START_S,
        }
    return container


def _environment(parameters: Parameters, name: str) -> list[dict[str, str]]:
    settings = {"PICKY_ENVIRONMENT": "production"}
    if name != MIGRATE:
        settings |= {
            "PICKY_ROLE": name,
            "PICKY_OBJECT_STORE_URL": f"s3://{parameters.bucket}?region={parameters.region}",
            "PICKY_PUBLIC_URL": f"https://{parameters.site}",
            # Only the balancer reaches the tasks, from within the network: it tells who asks.
            "PICKY_TRUSTED_PROXIES": '["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]',
        }
    return _pairs(settings | variables(parameters.settings))


def _secrets(parameters: Parameters, name: str) -> list[dict[str, str]]:
    """What the role has to know, by reference. Pages are read from a replica by the api alone."""
    kept = parameters.secrets
    if name == MIGRATE:
        given = {"PICKY_DATABASE_URL": kept.database_owner_url}
    else:
        given = {
            "PICKY_DATABASE_URL": kept.database_url,
            "PICKY_BUS_URL": kept.bus_url,
            "PICKY_SECRET_KEY": kept.secret_key,
        }
    if name == "api" and kept.database_replica_url:
        given["PICKY_DATABASE_REPLICA_URL"] = kept.database_replica_url
    return [{"name": variable, "valueFrom": arn} for variable, arn in given.items()]


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _logs(parameters: Parameters, name: str) -> dict[str, Any]:
    """Logs that hold up nobody when CloudWatch is slow."""
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": log_group(parameters),
            "awslogs-region": parameters.region,
            "awslogs-stream-prefix": name,
            "mode": "non-blocking",
            "max-buffer-size": "8m",
        },
    }


def _collector(parameters: Parameters, role: str) -> dict[str, Any]:
    """AWS's collector of OpenTelemetry: brings /metrics to CloudWatch, for scaling and alarms."""
    return {
        "name": "metrics",
        "image": COLLECTOR,
        "essential": False,
        "restartPolicy": {"enabled": True},
        "environment": _pairs({"AOT_CONFIG_CONTENT": collected(parameters, role, PORT)}),
        "readonlyRootFilesystem": True,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "logConfiguration": _logs(parameters, f"{role}-metrics"),
    }
