"""How many tasks a role has: by CPU, by open sockets, or by the jobs that wait."""

from typing import Any

from deploy.ecs import figures
from deploy.ecs.parameters import Parameters
from deploy.ecs.services import LEAST_TASKS
from deploy.ecs.tasks import family

CPU_PERCENT = 60
SOCKETS = 5_000
"""Sockets a process holds, as docs/capacity.md reckons: as many as can all come back at once."""
JOBS = 100
"""Jobs that wait for each worker."""


def scalable_target(parameters: Parameters, role: str) -> dict[str, Any]:
    """The request of RegisterScalableTarget."""
    return {
        **_dimension(parameters, role),
        "MinCapacity": LEAST_TASKS[role],
        "MaxCapacity": getattr(parameters.most_tasks, role),
    }


def scaling_policy(parameters: Parameters, role: str) -> dict[str, Any]:
    """The request of PutScalingPolicy."""
    tracked = {"api": _cpu, "realtime": _sockets, "worker": _jobs}[role]
    return {
        **_dimension(parameters, role),
        "PolicyName": family(parameters, role),
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
        "ResourceId": f"service/{parameters.cluster}/{family(parameters, role)}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def _cpu(_parameters: Parameters) -> dict[str, Any]:
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    return {"TargetValue": float(CPU_PERCENT), "PredefinedMetricSpecification": metric}


def _sockets(parameters: Parameters) -> dict[str, Any]:
    """Each process tells its own sockets; the average is what a process holds."""
    return {
        "TargetValue": float(SOCKETS),
        "CustomizedMetricSpecification": {
            **figures.metric(parameters, figures.SOCKETS, Role="realtime"),
            "Statistic": "Average",
        },
    }


def _jobs(parameters: Parameters) -> dict[str, Any]:
    """Each worker tells the whole queue, so it is shared out among those that run."""
    due = figures.metric(parameters, figures.JOBS_WAITING, Role="worker", state="due")
    service = {"ClusterName": parameters.cluster, "ServiceName": family(parameters, "worker")}
    workers = figures.metric_of("ECS/ContainerInsights", "RunningTaskCount", service)
    return {
        "TargetValue": float(JOBS),
        "CustomizedMetricSpecification": {
            "Metrics": [
                _input("due", due, "Maximum"),
                _input("workers", workers, "Average"),
                {"Id": "share", "Expression": "due / workers", "ReturnData": True},
            ]
        },
    }


def _input(name: str, metric: dict[str, Any], statistic: str) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {"Metric": metric, "Stat": statistic},
        "ReturnData": False,
    }
