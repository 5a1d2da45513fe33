"""Picky's own server as a process of its own."""

import contextlib
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.servers.forge import door as forge_door
from tests.servers.lifetime import Lifetime, free_port, kill

READY = re.compile(r"^listening on (http://\S+)$", re.MULTILINE)
TEST_ENVIRONMENT = {"PICKY_ENVIRONMENT": "test", "PICKY_RATE_LIMITS": "off"}
DRAIN_S = 60.0
"""By itself it takes up to 28 s."""
FROM_SOURCE = (sys.executable, "-m", "server")
ALONE = ("env",)
"""What a server runs under that does not come from the forge."""


@dataclass(frozen=True)
class PickyServer:
    """A running `picky-server serve`."""

    url: str
    pid: int
    data_dir: Path
    log: Path

    @property
    def port(self) -> int:
        """The port it listens on, to start it again there."""
        return int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        """Ask it to drain and return when it has ended."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            process.terminate()
            process.wait(DRAIN_S)

    def kill(self) -> None:
        """Kill it and its children at once, as a crash would."""
        kill(self.pid)


def start_picky(
    lifetime: Lifetime,
    name: str = "picky",
    credentials: Mapping[str, str] | None = None,
    /,
    *,
    port: int = 0,
    role: str = "all",
    database_url: str | None = None,
    under: Sequence[str | Path] = (),
    command: Sequence[str | Path] = FROM_SOURCE,
    **settings: str,
) -> PickyServer:
    """Start a server on loopback and return when it answers.

    The same name starts again on the data that is there. `settings` are names of settings without
    `PICKY_`, such as `bus_url`; without a `database_url` it uses SQLite in its data dir. Rate
    limits are off unless `rate_limits="on"`. `under` is a command that becomes the server's,
    `credentials` are variables as they are, and `command` is the server itself, when it is not the
    one of these sources. In a run of the tests that one comes from the run's forge, unless it is
    `under` something.
    """
    data_dir = lifetime.directory / f"{name}-data"
    environment = TEST_ENVIRONMENT | {
        f"PICKY_{key.upper()}": text for key, text in settings.items()
    }
    environment |= credentials or {}
    if database_url is not None:
        environment["PICKY_DATABASE_URL"] = database_url
    log = lifetime.log(name)
    log.unlink(missing_ok=True)
    forge = forge_door() if command == FROM_SOURCE and not under else None
    pid = lifetime.start(
        name,
        [
            *(() if forge else (*under, *command)),
            "serve",
            *("--port", str(port or free_port()), "--role", role, "--data-dir", data_dir),
        ],
        env=environment,
        stop_signal=signal.SIGINT,
        forge=forge,
    )
    lifetime.wait_until(name, lambda: READY.search(log.read_text()) is not None, pid=pid)
    ready = READY.search(log.read_text())
    assert ready is not None
    return PickyServer(ready[1], pid, data_dir, log)
