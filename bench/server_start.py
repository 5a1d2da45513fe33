"""The server: CPU from its start to the line that says it listens, over a fresh data dir."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from bench.figures import Figures, tree_cpu_s


def measure_server_start(*, rounds: int) -> list[Figures]:
    """With no settings at all: SQLite, made and migrated, and the embedded store."""
    figures = Figures("`picky-server serve` to its listening line, a fresh market")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as data_dir:
            figures.server_cpu_s += _start_once(data_dir, figures.samples.append)
    return [figures]


def _start_once(data_dir: str, took_ms: Callable[[float], None]) -> float:
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "server", "serve", "--port", "0", "--data-dir", data_dir],
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("PICKY_")},
    )
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        took_ms((time.perf_counter() - started) * 1000)
        if not line.startswith("listening on "):
            raise RuntimeError(f"the server said {line!r}")
        return tree_cpu_s(server.pid)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
