"""What every test may use."""

import gc

pytest_plugins = ["tests.servers.plugin"]


def pytest_collection_finish() -> None:
    """Let the collector pass over the modules: they live for the whole run, and there are many."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
