"""What every test may use."""

import gc
import math
import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.servers.plugin"]

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")  # a busy one has 200 ms for nobody now and then


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
    """Let the collector pass over the modules: they live for the whole run, and there are many."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
