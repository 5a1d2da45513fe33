"""What AWS's collector brings from /metrics to CloudWatch, and how it is asked for there."""

import json
from typing import Any

from deploy.ecs.parameters import Parameters

NAMESPACE = "Picky"
"""Of all markets of an account; each figure says of which one it is."""
SCRAPED_EVERY_S = 20

SOCKETS = "picky_sockets"
JOBS_WAITING = "picky_jobs_waiting"
OLDEST_JOB = "picky_jobs_oldest_due_seconds"
JOBS = "picky_jobs_total"
SENDS = "picky_sends_total"
SOCKETS_CLOSED = "picky_sockets_closed_total"

DECLARED: tuple[tuple[tuple[tuple[str, ...], ...], tuple[str, ...]], ...] = (
    ((("Market", "Role"), ("Market", "Role", "state")), ("^picky_",)),
    ((("Market",), ("Market", "outcome")), (f"^{SENDS}$", f"^{JOBS}$")),
    ((("Market",), ("Market", "reason")), (f"^{SOCKETS}$", f"^{SOCKETS_CLOSED}$")),
)
"""By what figures are told apart: each more is paid for. Counters come as what they grew by; a
histogram comes with its counts since the process began, so nothing is reckoned with one.
"""


def metric(parameters: Parameters, name: str, **labels: str) -> dict[str, Any]:
    """One figure of this market; with labels it must be declared to be told apart by them."""
    return metric_of(NAMESPACE, name, {"Market": parameters.name, **labels})


def metric_of(namespace: str, name: str, dimensions: dict[str, str]) -> dict[str, Any]:
    """One figure of CloudWatch."""
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }


def collected(parameters: Parameters, role: str, port: int) -> str:
    """The collector's own settings, beside a process of that role."""
    declared = "".join(
        f"      - dimensions: {json.dumps(dimensions)}\n"
        f"        metric_name_selectors: {json.dumps(names)}\n"
        for dimensions, names in DECLARED
    )
    return f"""\
receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: picky
          scrape_interval: {SCRAPED_EVERY_S}s
          static_configs:
            - targets: ["127.0.0.1:{port}"]
              labels: {{Market: "{parameters.name}", Role: {role}}}
exporters:
  awsemf:
    namespace: {NAMESPACE}
    log_group_name: /{parameters.name}/metrics
    dimension_rollup_option: NoDimensionRollup
    metric_declarations:
{declared}\
service:
  pipelines:
    metrics:
      receivers: [prometheus]
      exporters: [awsemf]
"""
