"""The dashboards and alerts name only what the program exports, and are written as they must be."""

import importlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from server.app.background import http_routers
from tests.house.sources import ROOT, python_files

PROMTOOLS = [found for found in [shutil.which("promtool")] if found]
"""None where Prometheus is not installed: Debian has it, no package index does."""
FOLDER = ROOT / "deploy" / "observability"
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}
OF_PROMETHEUS = {"up": {"instance", "job"}}
OF_TARGETS = {"instance", "job"}


def own_metrics() -> Iterator[MetricWrapperBase]:
    """Every metric that a file of the server defines."""
    for name in python_files("server/*/metrics.py"):
        module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
        yield from (one for one in vars(module).values() if isinstance(one, MetricWrapperBase))


def exported() -> dict[str, set[str]]:
    """The samples that can be asked for, each with its labels."""
    samples = dict(OF_PROMETHEUS)
    labels = {one._name: set(one._labelnames) for one in own_metrics()}
    for family in REGISTRY.collect():
        for suffix in SUFFIXES.get(family.type, ()):
            of_buckets = {"le"} if suffix == "_bucket" else set()
            samples[family.name + suffix] = labels.get(family.name, set()) | of_buckets | OF_TARGETS
    return samples


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions() -> dict[str, str]:
    """Every expression, by where it stands."""
    found = {rule["alert"]: rule["expr"] for rule in rules()}
    for panel in panels():
        for target in panel["targets"]:
            text = target["expr"].replace("$__rate_interval", "5m")
            found[f"{panel['title']} {target['refId']}"] = text
    return found


def nodes(text: str) -> list[Any]:
    """All parts of an expression."""
    found: list[Any] = []
    promql.walk(promql.parse(text), found.append)
    return found


def selectors(text: str) -> list[Any]:
    """Every metric that an expression names."""
    return [node for node in nodes(text) if isinstance(node, promql.VectorSelector)]


def grouped_by(text: str) -> set[str]:
    """Every label that an expression sums by."""
    sums = [node for node in nodes(text) if isinstance(node, promql.AggregateExpr)]
    return {label for node in sums if node.modifier for label in node.modifier.labels}


@pytest.mark.parametrize(("place", "text"), expressions().items())
def test_every_metric_and_label_that_is_asked_for_is_exported(place: str, text: str) -> None:
    known, named = exported(), selectors(text)
    assert named, f"{place} asks for nothing"
    for selector in named:
        assert selector.name in known, f"{place}: nothing exports {selector.name}"
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= known[selector.name], f"{place}: {selector.name} has no {asked}"
    labels = set().union(*(known[selector.name] for selector in named))
    assert grouped_by(text) <= labels, place


def test_a_metric_or_an_expression_that_is_wrong_is_found() -> None:
    [selector] = selectors("sum(rate(picky_nothing_total[5m]))")
    assert selector.name not in exported()
    with pytest.raises(ValueError, match="unclosed"):
        promql.parse("sum(rate(picky_sends_total[5m])")


def names_of(metric: MetricWrapperBase) -> set[str]:
    """What of a metric may be asked for."""
    return {metric._name + suffix for suffix in SUFFIXES[str(metric._type)]}


def test_every_own_metric_is_on_the_dashboard() -> None:
    shown = {selector.name for text in expressions().values() for selector in selectors(text)}
    assert not [one._name for one in own_metrics() if shown.isdisjoint(names_of(one))]


def test_every_own_metric_is_explained() -> None:
    page = set(re.findall(r"`(picky_\w+)`", (ROOT / "docs" / "observability.md").read_text()))
    names = {one._name + ("_total" if one._type == "counter" else "") for one in own_metrics()}
    assert page == names


def test_routes_that_are_asked_for_exist() -> None:
    paths = {getattr(route, "path", None) for router in http_routers() for route in router.routes}
    asked = {
        matcher.value
        for text in expressions().values()
        for selector in selectors(text)
        for matcher in selector.matchers.matchers
        if matcher.name == "route"
    }
    assert asked
    assert asked <= paths


def test_alerts_say_what_is_the_matter_and_how_to_mend_it() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["alert"].startswith("Picky")
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert {"summary", "mend"} == set(rule["annotations"])


@pytest.mark.parametrize("promtool", PROMTOOLS)
@pytest.mark.parametrize("arguments", [("check", "alerts.yaml"), ("test", "alerts.test.yaml")])
def test_prometheus_takes_the_alerts_and_they_come_when_they_should(
    promtool: str, arguments: tuple[str, str]
) -> None:
    verb, file = arguments
    run = subprocess.run(
        [promtool, verb, "rules", file], cwd=FOLDER, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_what_is_tried_of_the_alerts_is_there() -> None:
    tried = {
        one["alertname"]
        for test in yaml.safe_load((FOLDER / "alerts.test.yaml").read_text())["tests"]
        for one in test["alert_rule_test"]
    }
    needed = {"PickyNoWorker", "PickyJobsLate", "PickyJobsDead", "PickyRequestsFail"}
    assert needed | {"PickyPartAway"} <= tried
    assert tried <= {rule["alert"] for rule in rules()}


def test_panels_are_where_grafana_can_draw_them() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())
