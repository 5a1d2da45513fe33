"""How long servers live: a directory with a lock that the kernel releases when its owner ends."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from random import randrange
from typing import IO, Any, Self

import psutil

GUARD = Path(__file__).with_name("guard.py")
POLL_S = 0.02
START_S = 60.0
"""Only who hangs takes that long: a server that ends is noticed at once."""
PORTS = range(10_000, 32_000)
"""Below those that the kernel gives to who asks for any, and to who dials out: nobody is given a
server's port while it is killed and starts again there.
"""
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 1024**3


class ServerError(RuntimeError):
    """A server did not start; the message holds the end of its log."""


class Lifetime:
    """A directory for servers that all end when this owner closes it or dies.

    Other processes join the same directory with `Lifetime.join`: they may start servers in it,
    which still end with the owner.
    """

    def __init__(self, directory: Path, alive: IO[str] | None) -> None:
        self.directory = directory
        self._alive = alive

    @classmethod
    def begin(cls, place: Path | None = None) -> Self:
        """Create the directory, where temporary files are or in `place`, and own it."""
        directory = Path(tempfile.mkdtemp(prefix="picky-", dir=place))
        directory.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
        alive = (directory / "alive").open("w")
        fcntl.flock(alive, fcntl.LOCK_EX)
        return cls(directory, alive)

    @classmethod
    def join(cls, directory: Path) -> Self:
        """Use a directory that another process owns."""
        return cls(directory, None)

    def end(self) -> None:
        """Stop every server and remove the directory, when this process owns it."""
        if self._alive is None:
            return
        with (self.directory / "guards").open("w") as guards:
            self._alive.close()
            fcntl.flock(guards, fcntl.LOCK_EX)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        user: str | None = None,
        env: dict[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        forge: Path | None = None,
    ) -> int:
        """Start a server under a guard and return the server's pid. Its output goes to `log(name)`.

        `env` is added to the environment; `user` is whom to run as (needs root). A `forge` is where
        the server is ordered; `command` is then its arguments only.
        """
        options: list[str | Path] = ["--directory", self.directory, "--log", self.log(name)]
        if user is not None:
            options += ["--user", user]
        if forge is not None:
            options += ["--forge", forge]
        guard = subprocess.run(
            [sys.executable, "-I", GUARD, *options, f"--stop-signal={stop_signal}", "--", *command],
            check=True,
            stdout=subprocess.PIPE,
            cwd=self.directory,
            env=os.environ | (env or {}),
        )
        return int(guard.stdout)

    def log(self, name: str) -> Path:
        """Where the server of that name writes its output."""
        return self.directory / f"{name}.log"

    def once(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what `make` returned to the first process of this lifetime that asked."""
        made = self.directory / f"{name}.json"
        with locked(self.directory / f"{name}.lock"):
            if not made.exists():
                value = make()
                made.write_text(json.dumps(value))
            value = json.loads(made.read_text())
        assert isinstance(value, dict)
        return value

    def wait_until(self, name: str, ready: Callable[[], bool], *, pid: int) -> None:
        """Wait until `ready()`; raise `ServerError` with the log if the server ends or is late."""
        deadline = time.monotonic() + START_S
        while not ready():
            has_ended = not psutil.pid_exists(pid)
            if has_ended or time.monotonic() > deadline:
                log = self.log(name).read_text(errors="replace")[-4000:]
                how = "ended" if has_ended else f"did not start within {START_S:g} s"
                raise ServerError(f"{name} {how}:\n{log}")
            time.sleep(POLL_S)


def memory() -> Path | None:
    """Return the file system in memory, if there is one with room, and for programs too.

    Servers that need not outlive the machine need not wait for its disk.
    """
    try:
        there = os.statvfs(MEMORY)
    except OSError:
        return None
    fits = there.f_bavail * there.f_frsize >= ROOM_BYTES and os.access(MEMORY, os.W_OK)
    return MEMORY if fits and not there.f_flag & os.ST_NOEXEC else None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file among processes."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def kill(pid: int) -> None:
    """Kill a server and its children with SIGKILL, and return when they are gone."""
    server = psutil.Process(pid)
    processes = [server]
    with contextlib.suppress(psutil.NoSuchProcess):
        server.suspend()  # or one that it has while the others are listed would outlive it
        while server.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            time.sleep(POLL_S)
        processes += server.children(recursive=True)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes)


def own_ports() -> Iterator[int]:
    """Yield the ports that no other worker of this run is given, again and again."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = PORTS[worker :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
    first = randrange(len(own))  # another run may be under way
    return cycle((*own[first:], *own[:first]))


_ports = own_ports()


def free_port() -> int:
    """Return a loopback TCP port that is free, and that no other worker of this run is given."""
    return next(port for port in _ports if is_free(port))


def is_free(port: int) -> bool:
    """Tell whether somebody could listen on that loopback port."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Tell whether something listens on that loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True
