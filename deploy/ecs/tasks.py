"""Fargate task definitions: one for each role, and one that migrates and ends."""

from typing import Any

from deploy.ecs.parameters import Parameters

ROLES = ("api", "realtime", "worker")
MIGRATE = "migrate"
PORT = 8470
SCRATCH = "/var/picky"
METRICS = "Picky"
"""The namespace of the metrics that services are scaled by."""

DRAIN_S = 28
"""The most that a process takes from SIGTERM to its end: unready, sending sockets away, finishing
what runs."""
STOP_S = 40
"""When a process that has not ended is killed: a drain, and what closing connections takes."""

COLLECTOR = "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0"


def family(name: str) -> str:
    """What the task definition, the service and the target group of a role are called."""
    return f"picky-{name}"


def task_definition(parameters: Parameters, name: str) -> dict[str, Any]:
    """The request of RegisterTaskDefinition for a role, or for the migrations."""
    containers = [_market(parameters, name)]
    if name != MIGRATE:
        containers.append(_collector(parameters, name))
    return {
        "family": family(name),
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        # A process uses one core; a worker re-encodes photos in others beside it.
        "cpu": "2048" if name == "worker" else "1024",
        "memory": "4096" if name == "worker" else "2048",
        "executionRoleArn": parameters.execution_role,
        "taskRoleArn": parameters.task_role,
        "volumes": [{"name": "scratch"}],
        "containerDefinitions": containers,
    }


def _market(parameters: Parameters, name: str) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "picky",
        "image": parameters.image,
        "essential": True,
        "command": [MIGRATE if name == MIGRATE else "serve"],
        "environment": _environment(parameters, name),
        "secrets": _secrets(parameters),
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
            "command": ["CMD", "picky-server", "health"],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 60,
        }
    return container


def _environment(parameters: Parameters, name: str) -> list[dict[str, str]]:
    settings = {
        "PICKY_ENVIRONMENT": "production",
        "PICKY_OBJECT_STORE_URL": f"s3://{parameters.bucket}?region={parameters.region}",
        "PICKY_PUBLIC_URL": f"https://{parameters.site}",
        # Only the balancer reaches the tasks, from within the network: it tells who asks.
        "PICKY_TRUSTED_PROXIES": '["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]',
    }
    if name != MIGRATE:
        settings["PICKY_ROLE"] = name
    return _pairs(settings)


def _secrets(parameters: Parameters) -> list[dict[str, str]]:
    kept = parameters.secrets.model_dump()
    return [{"name": f"PICKY_{name}".upper(), "valueFrom": arn} for name, arn in kept.items()]


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _logs(parameters: Parameters, name: str) -> dict[str, Any]:
    """Logs that hold up nobody when CloudWatch is slow."""
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "/picky",
            "awslogs-region": parameters.region,
            "awslogs-stream-prefix": name,
            "mode": "non-blocking",
            "max-buffer-size": "8m",
        },
    }


def _collector(parameters: Parameters, role: str) -> dict[str, Any]:
    """AWS's collector of OpenTelemetry: brings /metrics to CloudWatch, for the scaling."""
    return {
        "name": "metrics",
        "image": COLLECTOR,
        "essential": False,
        "restartPolicy": {"enabled": True},
        "environment": _pairs({"AOT_CONFIG_CONTENT": _collected(role)}),
        "readonlyRootFilesystem": True,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "logConfiguration": _logs(parameters, f"{role}-metrics"),
    }


def _collected(role: str) -> str:
    return f"""\
receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: picky
          scrape_interval: 20s
          static_configs:
            - targets: ["127.0.0.1:{PORT}"]
              labels: {{Role: {role}}}
exporters:
  awsemf:
    namespace: {METRICS}
    log_group_name: /picky/metrics
    dimension_rollup_option: NoDimensionRollup
    metric_declarations:
      - dimensions: [[Role], [Role, state]]
        metric_name_selectors: ["^picky_"]
service:
  pipelines:
    metrics:
      receivers: [prometheus]
      exporters: [awsemf]
"""
