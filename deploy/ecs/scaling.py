"""How many tasks a role has: by CPU, by open sockets, or by the jobs that wait."""

from typing import Any

from deploy.ecs.parameters import Parameters
from deploy.ecs.services import LEAST_TASKS
from deploy.ecs.tasks import METRICS, family

MOST_TASKS = {"api": 10, "realtime": 20, "worker": 8}

CPU_PERCENT = 60
SOCKETS = 5_000
"""Sockets a process holds: as many as come back to another within the 20 seconds over which a drain
spreads them, at the 250 a second that docs/performance.md measured."""
JOBS = 100
"""Jobs that wait for each worker."""

SOCKETS_METRIC = "picky_sockets"
JOBS_METRIC = "picky_jobs_waiting"


def scalable_target(parameters: Parameters, role: str) -> dict[str, Any]:
    """The request of RegisterScalableTarget."""
    return {
        **_dimension(parameters, role),
        "MinCapacity": LEAST_TASKS[role],
        "MaxCapacity": MOST_TASKS[role],
    }


def scaling_policy(parameters: Parameters, role: str) -> dict[str, Any]:
    """The request of PutScalingPolicy."""
    tracked = {"api": _cpu, "realtime": _sockets, "worker": _jobs}[role]
    return {
        **_dimension(parameters, role),
        "PolicyName": family(role),
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            **tracked(parameters),
            # Out at once, in slowly: a task that goes sends its sockets to the others.
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 600,
        },
    }


def _dimension(parameters: Parameters, role: str) -> dict[str, Any]:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{parameters.cluster}/{family(role)}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def _cpu(_parameters: Parameters) -> dict[str, Any]:
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    return {"TargetValue": float(CPU_PERCENT), "PredefinedMetricSpecification": metric}


def _sockets(_parameters: Parameters) -> dict[str, Any]:
    """Each process tells its own sockets; the average is what a process holds."""
    return {
        "TargetValue": float(SOCKETS),
        "CustomizedMetricSpecification": {
            "Namespace": METRICS,
            "MetricName": SOCKETS_METRIC,
            "Dimensions": [{"Name": "Role", "Value": "realtime"}],
            "Statistic": "Average",
        },
    }


def _jobs(parameters: Parameters) -> dict[str, Any]:
    """Each worker tells the whole queue, so it is shared out among those that run."""
    due = _metric(METRICS, JOBS_METRIC, {"Role": "worker", "state": "due"}, "Maximum")
    service = {"ClusterName": parameters.cluster, "ServiceName": family("worker")}
    workers = _metric("ECS/ContainerInsights", "RunningTaskCount", service, "Average")
    return {
        "TargetValue": float(JOBS),
        "CustomizedMetricSpecification": {
            "Metrics": [
                {"Id": "due", "MetricStat": due, "ReturnData": False},
                {"Id": "workers", "MetricStat": workers, "ReturnData": False},
                {"Id": "share", "Expression": "due / workers", "ReturnData": True},
            ]
        },
    }


def _metric(
    namespace: str, name: str, dimensions: dict[str, str], statistic: str
) -> dict[str, Any]:
    return {
        "Metric": {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        },
        "Stat": statistic,
    }
