"""Picky's own commands for operators, run the way its users run them."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.servers.forge import door
from tests.servers.guard import answer, order

AT_MOST_S = 120.0


def run_command(
    *arguments: str | Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `picky-server` to its end, with ``environment`` added to this process's.

    In a run of the tests it comes from the run's forge.
    """
    told, surroundings = [*map(str, arguments)], os.environ | (environment or {})
    if (forge := door()) is None:
        command = [sys.executable, "-m", "server", *told]
        return subprocess.run(
            command, env=surroundings, capture_output=True, text=True, timeout=AT_MOST_S
        )
    with (
        Path(os.devnull).open() as nothing,
        tempfile.TemporaryFile("w+") as output,
        tempfile.TemporaryFile("w+") as errors,
    ):
        streams = [one.fileno() for one in (nothing, output, errors)]
        with order(forge, told, surroundings, streams, exit_code=True) as line:
            pid = answer(line)
            line.settimeout(AT_MOST_S)
            try:
                code = answer(line)
            except BaseException:
                os.killpg(pid, signal.SIGKILL)
                raise
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(told, code, output.read(), errors.read())
