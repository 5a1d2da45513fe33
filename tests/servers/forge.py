"""Runs `picky-server` of these sources in forks of a process that has imported it.

Importing is three fourths of a start, and nearly all of a command; a run of the tests has some
three hundred. Started as a script with the path of its door, where :func:`guard.order` orders.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers.lifetime import Lifetime

ROOT = Path(__file__).parents[2]
ORDER_BYTES = 200_000
RUN = "TESTS_FORGE_OF"
"""Where the lifetime is whose forge is used; without it every server imports for itself."""
LATE_IMPORTS = (
    "server.app.cli",
    "server.app.serve",
    "server.platform.postgresql",
    "server.platform.valkey_bus",
    "server.platform.object_store.embedded_app",
    "aiosqlite",
    "alembic.command",
    "alembic.context",
    "botocore.auth",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
)


def use_forge(lifetime: Lifetime) -> None:
    """Have this process, and those that it starts, take servers from that lifetime's forge."""
    os.environ[RUN] = str(lifetime.directory)


def door() -> Path | None:
    """Where servers are ordered, if they are; who asks first starts the forge."""
    run = os.environ.get(RUN)
    if run is None:
        return None
    lifetime = Lifetime.join(Path(run))
    path = lifetime.directory / "forge.door"

    def start() -> dict[str, str]:
        command: list[str | Path] = [sys.executable, "-m", "tests.servers.forge", path]
        pid = lifetime.start("forge", command, env={"PYTHONPATH": str(ROOT)})
        lifetime.wait_until("forge", path.exists, pid=pid)
        return {"door": str(path)}

    return Path(lifetime.once("forge", start)["door"])


def main() -> None:
    """Take orders until the lifetime ends; in a fork, become what was ordered."""
    run = imported()
    become(*taken(Path(sys.argv[1])))
    run()


def imported() -> Callable[[], None]:
    """The server's main function, with all imported that it would import later on."""
    from server.__main__ import hide_rich
    from server.__main__ import main as run

    hide_rich()
    for name in LATE_IMPORTS:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # forks share what none of them looks at
    return run


def taken(path: Path) -> tuple[dict[str, Any], list[int]]:
    """Fork for each order; returns, with the order and its three streams, in the forks alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets who has ended
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        waiting = path.with_suffix(".new")
        listener.bind(str(waiting))
        listener.listen(64)
        waiting.rename(path)
        while True:
            line, _ = listener.accept()
            told, streams, *_ = socket.recv_fds(line, ORDER_BYTES, 3)
            order = json.loads(told)
            with line:
                if is_taken_by_a_fork(line, exit_code=order["exit_code"]):
                    return order, streams
            for stream in streams:
                os.close(stream)


def is_taken_by_a_fork(line: socket.socket, *, exit_code: bool) -> bool:
    """True in the new process; in the forge, once its pid is told.

    Somebody in between waits for its ``exit_code``, if that is wanted.
    """
    if exit_code and os.fork():
        return False
    if exit_code:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        return True
    os.setpgid(pid, pid)
    line.sendall(b"%d" % pid)
    if exit_code:
        _, status = os.waitpid(pid, 0)
        line.sendall(b"%d" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    return False


def become(order: dict[str, Any], streams: list[int]) -> None:
    """Take on what a process of its own would have been given."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ |= order["environment"]
    os.chdir(order["directory"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.argv[:] = ["picky-server", *order["arguments"]]


if __name__ == "__main__":
    main()
