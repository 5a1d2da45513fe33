"""Services that keep their capacity while they change, and how the balancer reaches them."""

from typing import Any

from deploy.ecs.parameters import Parameters
from deploy.ecs.tasks import DRAIN_S, MARKET, PORT, START_S, family
from server.app.health_probe import STARTED

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
        "serviceName": family(parameters, role),
        "taskDefinition": family(parameters, role),
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
        made["healthCheckGracePeriodSeconds"] = START_S
        made["loadBalancers"] = [
            {
                "targetGroupArn": parameters.group_of(role),
                "containerName": MARKET,
                "containerPort": PORT,
            }
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
    """The request of CreateTargetGroup. Having been ready is asked: a task that never was takes
    nobody's place, and one whose database is away is not ended for it.
    """
    return {
        "Name": family(parameters, role),
        "TargetType": "ip",
        "Protocol": "HTTP",
        "Port": PORT,
        "VpcId": parameters.vpc,
        "HealthCheckPath": STARTED,
        "HealthCheckIntervalSeconds": 15,
        "HealthCheckTimeoutSeconds": 10,
        "HealthyThresholdCount": 2,
        # A process that lets thousands in answers late: it is not to be ended for it.
        "UnhealthyThresholdCount": 5,
        "Matcher": {"HttpCode": "200"},
    }


def target_group_attributes(parameters: Parameters, role: str) -> dict[str, Any]:
    """The request of ModifyTargetGroupAttributes."""
    attributes = {
        "deregistration_delay.timeout_seconds": str(DEREGISTRATION_S[role]),
        "load_balancing.algorithm.type": "least_outstanding_requests",
    }
    return {
        "TargetGroupArn": parameters.group_of(role),
        "Attributes": [{"Key": key, "Value": value} for key, value in attributes.items()],
    }


PUBLIC_PATHS = ("/v1/*", "/openapi.json", "/docs")
"""What leads to the api. Figures and health are for the operator, whatever way they are written."""


def rules(parameters: Parameters) -> dict[str, dict[str, Any]]:
    """The requests of CreateRule: the websocket and the API to their roles, the rest nowhere."""
    nowhere = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    return {
        "realtime": _rule(
            parameters, 10, ["/v1/realtime"], _forward(parameters.group_of("realtime"))
        ),
        "api": _rule(parameters, 20, [*PUBLIC_PATHS], _forward(parameters.group_of("api"))),
        "nowhere": _rule(parameters, 30, ["/*"], nowhere),
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
