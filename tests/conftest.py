"""What every test may use."""

import gc
import math
import os
import sys

import pytest
import structlog
from hypothesis import HealthCheck, settings
from structlog.dev import ConsoleRenderer, plain_traceback

pytest_plugins = ["tests.servers.plugin"]

# How long an example takes says how busy the machine is.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

CLOSES_S = 60.0
LEAVE_BEHIND = "server.platform.database", "server.app.container"
"""They leave to the end of the process what is not closed within a few seconds."""

# By itself structlog has rich draw each traceback with all variables, for a third of a second.
*_before, _drawn = structlog.get_config()["processors"]
structlog.configure([*_before, ConsoleRenderer(colors=False, exception_formatter=plain_traceback)])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what may take longest start first, so that no worker is left alone with it at the end.

    Each worker begins with an equal part of the list and takes from the ends of the others' parts.
    """
    long = [item for item in items if item.get_closest_marker("timeout") is not None]
    long.sort(key=may_take_s, reverse=True)
    rest = [item for item in items if item.get_closest_marker("timeout") is None]
    workers, number = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), len(items)
    items.clear()
    for worker in range(workers):
        items += long[worker::workers]
        share = max(0, number * (worker + 1) // workers - len(items))
        items += rest[:share]
        del rest[:share]
    assert len(items) == number, "every test has its place"


def may_take_s(item: pytest.Item) -> float:
    """The seconds that a test says it may take; nothing ends one that says 0."""
    marker = item.get_closest_marker("timeout")
    assert marker is not None
    return marker.args[0] or math.inf


def pytest_collection_finish() -> None:
    """Prepare what the tests have imported."""
    close_everything()
    pass_over_modules()


def close_everything() -> None:
    """Have a server wait for all that it closes: this process goes on, and the test that runs when
    a connection that was left behind is found open fails for it. A busy machine may take seconds.
    """
    for name in LEAVE_BEHIND:
        if name in sys.modules:
            vars(sys.modules[name])["_CLOSES_S"] = CLOSES_S


def pass_over_modules() -> None:
    """Let the collector pass over the modules: they live for the whole run, and there are many."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
