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

_INSTALLED: tuple[str, ...] = (sys.executable, "-m", "server")
_ONE_FILE = Path(__file__).parents[1] / "dist" / "picky-server"


def measure_server_start(*, rounds: int) -> list[Figures]:
    """With no settings at all: SQLite, made and migrated, and the embedded store. In turns."""
    name = "`picky-server serve` to its listening line, a fresh market"
    found = {_INSTALLED: Figures(name)}
    if _ONE_FILE.exists():
        found[str(_ONE_FILE),] = Figures("the same by the one file")
    for _ in range(rounds):
        for command, figures in found.items():
            with tempfile.TemporaryDirectory() as data_dir:
                figures.server_cpu_s += _start_once(command, data_dir, figures.samples.append)
    return list(found.values())


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
