"""Alarms of CloudWatch: what of the alerts in deploy/observability is watched on ECS."""

from dataclasses import dataclass
from typing import Any

from deploy.ecs import figures
from deploy.ecs.parameters import Parameters

PERCENT = 1
"""Of requests, messages or sockets: more of them that fail are too many."""
LATE_S = 120
"""So long no job that is due may wait."""

SLOW_WINDOW_S = 600
_TOLD = SLOW_WINDOW_S // figures.SCRAPED_EVERY_S
"""How often each process tells its sockets meanwhile."""

_BALANCER = "AWS/ApplicationELB"


@dataclass(frozen=True)
class Alarm:
    """Figures by name, each with how it is taken together; the last part says what is watched."""

    what: str
    figures: dict[str, tuple[dict[str, Any], str]]
    most: float
    expression: str | None = None
    every_s: int = 60
    times: int = 5
    missing: str = "notBreaching"


def alarms(parameters: Parameters) -> dict[str, dict[str, Any]]:
    """The requests of PutMetricAlarm, by the alarm's name without the market's."""
    found = {**_of_the_balancer(parameters), **_of_the_jobs(parameters), **_of_the_talk(parameters)}
    return {name: _request(parameters, name, alarm) for name, alarm in found.items()}


def _of_the_balancer(parameters: Parameters) -> dict[str, Alarm]:
    """It counts by itself, and goes on when no process tells anything."""
    everywhere = {"LoadBalancer": parameters.balancer}
    group = parameters.group_of("api").rpartition(":")[2]
    api = everywhere | {"TargetGroup": group}

    def counted(name: str, dimensions: dict[str, str]) -> tuple[dict[str, Any], str]:
        return figures.metric_of(_BALANCER, name, dimensions), "Sum"

    return {
        "requests-fail": Alarm(
            "Requests fail. The log says database_unavailable where the database is away; else "
            "there is a traceback.",
            {
                "failed": counted("HTTPCode_Target_5XX_Count", api),
                "asked": counted("RequestCount", api),
            },
            PERCENT,
            "100 * failed / asked",
        ),
        "nobody-answers": Alarm(
            "The balancer answers for processes that are not there or do not: see the events of "
            "the services.",
            {
                "unanswered": counted("HTTPCode_ELB_5XX_Count", everywhere),
                "answered": counted("RequestCount", everywhere),
            },
            PERCENT,
            "100 * unanswered / (unanswered + FILL(answered, 0))",
        ),
    }


def _of_the_jobs(parameters: Parameters) -> dict[str, Alarm]:
    oldest = figures.metric(parameters, figures.OLDEST_JOB, Role="worker")
    dead = figures.metric(parameters, figures.JOBS, outcome="dead")
    return {
        "jobs-late": Alarm(
            "A job waits for more than two minutes, or no worker tells of its queue. More workers "
            "take it apart; or the database is slow.",
            {"oldest": (oldest, "Maximum")},
            LATE_S,
            missing="breaching",
        ),
        "jobs-dead": Alarm(
            "Jobs were given up: `jobs --dead` lists them, and the log has job_failed with the "
            "traceback of each try.",
            {"dead": (dead, "Sum")},
            0,
            every_s=300,
            times=1,
        ),
    }


def _of_the_talk(parameters: Parameters) -> dict[str, Alarm]:
    def counted(name: str, **labels: str) -> tuple[dict[str, Any], str]:
        return figures.metric(parameters, name, **labels), "Sum"

    return {
        "sends-unavailable": Alarm(
            "Messages cannot be stored now. Nothing is lost, clients send again; the database is "
            "away or overrun.",
            {
                "unavailable": counted(figures.SENDS, outcome="unavailable"),
                "sent": counted(figures.SENDS),
            },
            PERCENT,
            "100 * unavailable / sent",
        ),
        "slow-consumers": Alarm(
            "Sockets are closed because they do not read. Where it is one process, its event loop "
            "is late: look at its CPU. Else it is the network.",
            {
                "closed": counted(figures.SOCKETS_CLOSED, reason="slow_consumer"),
                "told": counted(figures.SOCKETS),
            },
            PERCENT,
            f"100 * closed / (told / {_TOLD})",
            every_s=SLOW_WINDOW_S,
            times=2,
        ),
    }


def _request(parameters: Parameters, name: str, alarm: Alarm) -> dict[str, Any]:
    queries: list[dict[str, Any]] = [
        {
            "Id": figure,
            "MetricStat": {"Metric": metric, "Period": alarm.every_s, "Stat": statistic},
            "ReturnData": alarm.expression is None,
        }
        for figure, (metric, statistic) in alarm.figures.items()
    ]
    if alarm.expression is not None:
        queries.append({"Id": "watched", "Expression": alarm.expression, "ReturnData": True})
    return {
        "AlarmName": f"{parameters.name}-{name}",
        "AlarmDescription": alarm.what,
        "Metrics": queries,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": float(alarm.most),
        "EvaluationPeriods": alarm.times,
        "TreatMissingData": alarm.missing,
        "AlarmActions": [parameters.alarm_topic] if parameters.alarm_topic else [],
    }
