"""Runs one server process and ends it when its lifetime is over.

Started as a script, with the standard library only. It detaches itself, prints the server's pid,
and then waits for the exclusive lock on the file `alive`, which the owner of the lifetime holds.
The kernel lets go of that lock when the owner ends in whatever way, so no server outlives a run.
"""

import argparse
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_WITHIN_S = 5.0
ANSWER_BYTES = 64


def main() -> None:
    """Start the server of the command line and stay until it or its lifetime has ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--user")
    parser.add_argument("--forge")
    parser.add_argument("--stop-signal", type=int, default=signal.SIGTERM)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    with (options.directory / "guards").open("w") as guards:
        fcntl.flock(guards, fcntl.LOCK_SH)
        if os.fork() > 0:
            return
        os.setsid()
        run(options)
        remove_if_last(guards.fileno(), options.directory)


def run(options: argparse.Namespace) -> None:
    """Run the server until it ends or is stopped with its lifetime; end what it left running."""
    server = started(options) if options.forge is None else ordered(options)
    print(server.pid, flush=True)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    stopper = threading.Thread(
        target=stop_at_the_end, args=(server, options.directory, options.stop_signal), daemon=True
    )
    stopper.start()
    server.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)


def started(options: argparse.Namespace) -> "subprocess.Popen[bytes]":
    """Start the server as a child."""
    with options.log.open("ab") as log:
        switch = {"user": options.user, "extra_groups": []} if options.user else {}
        return subprocess.Popen(
            options.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
            **switch,
        )


class Ordered:
    """A process that somebody else is the parent of."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._end: int | None = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended by now
            self._end = None

    def wait(self, timeout: float | None = None) -> None:
        """Wait for its end; :class:`subprocess.TimeoutExpired` after so many seconds."""
        if self._end is None:
            return
        end = select.poll()
        end.register(self._end, select.POLLIN)
        if not end.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)

    def send_signal(self, number: int) -> None:
        """Send a signal, if it is still there."""
        if self._end is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._end, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def ordered(options: argparse.Namespace) -> Ordered:
    """Order the server from a forge."""
    with options.log.open("ab") as log, Path(os.devnull).open() as nothing:
        streams = [one.fileno() for one in (nothing, log, log)]
        with order(options.forge, options.command, dict(os.environ), streams) as line:
            return Ordered(answer(line))


def order(
    forge: str | Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    streams: Sequence[int],
    *,
    exit_code: bool = False,
) -> socket.socket:
    """Order a process from a forge: a line that tells its pid, then its exit code if wanted."""
    told = {
        "arguments": arguments,
        "environment": environment,
        "directory": str(Path.cwd()),
        "exit_code": exit_code,
    }
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        line.connect(str(forge))
        socket.send_fds(line, [json.dumps(told).encode()], streams)
    except BaseException:
        line.close()
        raise
    return line


def answer(line: socket.socket) -> int:
    """The next number that a forge tells."""
    told = line.recv(ANSWER_BYTES)
    if not told:
        raise RuntimeError("the forge did not take an order: forge.log of the run says why")
    return int(told)


def stop_at_the_end(
    server: "subprocess.Popen[bytes] | Ordered", directory: Path, stop_signal: int
) -> None:
    """Wait for the lifetime's owner to let go, then end the server."""
    with (directory / "alive").open() as alive:
        fcntl.flock(alive, fcntl.LOCK_SH)
    server.send_signal(stop_signal)
    try:
        server.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        server.kill()


def remove_if_last(guards: int, directory: Path) -> None:
    """Remove the directory when the lifetime is over and no other server of it runs."""
    with contextlib.suppress(OSError), (directory / "alive").open() as alive:
        fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(guards, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
