"""Services that keep their capacity while they change, and how the balancer reaches them."""

from typing import Any

from deploy.ecs.parameters import Parameters
from deploy.ecs.tasks import DRAIN_S, PORT, family

BALANCED = ("api", "realtime")
LEAST_TASKS = {"api": 2, "realtime": 2, "worker": 2}
REQUESTS_S = 10
"""How long a request under way is given to finish."""

DEREGISTRATION_S = {"api": REQUESTS_S, "realtime": DRAIN_S}
"""How long the balancer takes to let go of a task. ECS sends SIGTERM only after that, so what is
still open is cut by the balancer; a socket gets as long as a drain would give it."""

_MOST_PERCENT = {"api": 200, "realtime": 150, "worker": 200}
"""Sockets move by halves: all at once would have to be let in again at once."""


def service(parameters: Parameters, role: str) -> dict[str, Any]:
    """The request of CreateService. A rollout that fails goes back by itself."""
    made: dict[str, Any] = {
        "cluster": parameters.cluster,
        "serviceName": family(role),
        "taskDefinition": family(role),
        "desiredCount": LEAST_TASKS[role],
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "deploymentController": {"type": "ECS"},
        "deploymentConfiguration": {
            "minimumHealthyPercent": 100,
            "maximumPercent": _MOST_PERCENT[role],
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        "availabilityZoneRebalancing": "ENABLED",
        "networkConfiguration": network(parameters),
        "propagateTags": "SERVICE",
        "enableECSManagedTags": True,
    }
    if role in BALANCED:
        group = {"api": parameters.api_target_group, "realtime": parameters.realtime_target_group}
        made["healthCheckGracePeriodSeconds"] = 60
        made["loadBalancers"] = [
            {"targetGroupArn": group[role], "containerName": "picky", "containerPort": PORT}
        ]
    return made


def network(parameters: Parameters) -> dict[str, Any]:
    """Where tasks are: in private subnets, without a public address."""
    return {
        "awsvpcConfiguration": {
            "subnets": parameters.subnets,
            "securityGroups": parameters.security_groups,
            "assignPublicIp": "DISABLED",
        }
    }


def target_group(parameters: Parameters, role: str) -> dict[str, Any]:
    """The request of CreateTargetGroup. Ready is asked here: who is not gets no requests."""
    return {
        "Name": family(role),
        "TargetType": "ip",
        "Protocol": "HTTP",
        "Port": PORT,
        "VpcId": parameters.vpc,
        "HealthCheckPath": "/healthz",
        "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 3,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
    }


def target_group_attributes(parameters: Parameters, role: str) -> dict[str, Any]:
    """The request of ModifyTargetGroupAttributes."""
    group = {"api": parameters.api_target_group, "realtime": parameters.realtime_target_group}
    attributes = {
        "deregistration_delay.timeout_seconds": str(DEREGISTRATION_S[role]),
        "load_balancing.algorithm.type": "least_outstanding_requests",
    }
    return {
        "TargetGroupArn": group[role],
        "Attributes": [{"Key": key, "Value": value} for key, value in attributes.items()],
    }


def rules(parameters: Parameters) -> dict[str, dict[str, Any]]:
    """The requests of CreateRule: the websocket to its role, nothing of the operator's outside, the
    rest to the api.
    """
    hidden = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    return {
        "realtime": _rule(
            parameters, 10, ["/v1/realtime"], _forward(parameters.realtime_target_group)
        ),
        "inside": _rule(parameters, 20, ["/metrics", "/healthz", "/readyz"], hidden),
        "api": _rule(parameters, 30, ["/*"], _forward(parameters.api_target_group)),
    }


def _rule(
    parameters: Parameters, priority: int, paths: list[str], action: dict[str, Any]
) -> dict[str, Any]:
    return {
        "ListenerArn": parameters.listener,
        "Priority": priority,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": paths}}],
        "Actions": [action],
    }


def _forward(group: str) -> dict[str, Any]:
    return {"Type": "forward", "TargetGroupArn": group}
