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
    pid = start(options) if options.forge is None else ordered(options)
    print(pid, flush=True)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    with contextlib.suppress(ProcessLookupError):
        server = os.pidfd_open(pid)
        stopper = threading.Thread(
            target=stop_at_the_end,
            args=(server, options.directory, options.stop_signal),
            daemon=True,
        )
        stopper.start()
        has_ended(server, within_s=None)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def start(options: argparse.Namespace) -> int:
    """Start the server as a child, and return its pid."""
    with options.log.open("ab") as log:
        switch = {"user": options.user, "extra_groups": []} if options.user else {}
        return subprocess.Popen(
            options.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
            **switch,
        ).pid


def ordered(options: argparse.Namespace) -> int:
    """Order the server from a forge, and return its pid."""
    with options.log.open("ab") as log, Path(os.devnull).open() as nothing:
        streams = [one.fileno() for one in (nothing, log, log)]
        with order(options.forge, options.command, dict(os.environ), streams) as line:
            return int(line.recv(ANSWER_BYTES))


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
    line.connect(str(forge))
    socket.send_fds(line, [json.dumps(told).encode()], streams)
    return line


def has_ended(server: int, *, within_s: float | None) -> bool:
    """Wait for the process behind a pidfd to end."""
    end = select.poll()
    end.register(server, select.POLLIN)
    return bool(end.poll(None if within_s is None else within_s * 1000))


def stop_at_the_end(server: int, directory: Path, stop_signal: int) -> None:
    """Wait for the lifetime's owner to let go, then end the server."""
    with (directory / "alive").open() as alive:
        fcntl.flock(alive, fcntl.LOCK_SH)
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(server, stop_signal)
        if not has_ended(server, within_s=STOP_WITHIN_S):
            signal.pidfd_send_signal(server, signal.SIGKILL)


def remove_if_last(guards: int, directory: Path) -> None:
    """Remove the directory when the lifetime is over and no other server of it runs."""
    with contextlib.suppress(OSError), (directory / "alive").open() as alive:
        fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(guards, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
