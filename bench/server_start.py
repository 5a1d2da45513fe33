"""The server: from its start to the line that says it listens, over a fresh data dir.

The one file is measured too when `make binary` has built it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.figures import Figures, tree_cpu_s

_INSTALLED = (sys.executable, "-m", "server")
_ONE_FILE = Path(__file__).parents[1] / "dist" / "picky-server"


def measure_server_start(*, rounds: int) -> list[Figures]:
    """With no settings at all: SQLite, made and migrated, and the embedded store."""
    found = [
        _measure("`picky-server serve` to its listening line, a fresh market", _INSTALLED, rounds)
    ]
    if _ONE_FILE.exists():
        found.append(_measure("the same by the one file", (str(_ONE_FILE),), rounds))
    return found


def _measure(name: str, command: Sequence[str], rounds: int) -> Figures:
    figures = Figures(name)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as data_dir:
            figures.server_cpu_s += _start_once(command, data_dir, figures.samples.append)
    return figures


def _start_once(command: Sequence[str], data_dir: str, took_ms: Callable[[float], None]) -> float:
    started = time.perf_counter()
    server = subprocess.Popen(
        [*command, "serve", "--port", "0", "--data-dir", data_dir],
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
        server.terminate()  # killed, the one file would leave behind what it has unpacked
        server.wait()
        server.stdout.close()
