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
import traceback
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
    """Have this process, and those that it starts, take servers from that lifetime's forge.

    There is none where the system is not Linux.
    """
    if sys.platform == "linux":
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
        path_first = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        pid = lifetime.start("forge", command, env={"PYTHONPATH": path_first})
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
            streams: list[int] = []
            try:
                with line:
                    told, streams, *_ = socket.recv_fds(line, ORDER_BYTES, 3)
                    order = json.loads(told)
                    if is_in_a_fork(line, exit_code=order["exit_code"]):
                        return order, streams
            except (OSError, ValueError):  # who ordered is gone, or there is no room for a fork
                traceback.print_exc()
            for stream in streams:
                os.close(stream)


def is_in_a_fork(line: socket.socket, *, exit_code: bool) -> bool:
    """Fork and tell the pid: True in the new process, and False in the forge.

    If its ``exit_code`` is wanted, somebody in between tells both, and the forge goes on at once.
    """
    pid = os.fork()
    if exit_code and pid == 0:
        fork_and_wait(line)
    elif pid and not exit_code:
        line.sendall(b"%d" % pid)
    return pid == 0


def fork_and_wait(line: socket.socket) -> None:
    """Fork, and tell the pid and the exit code; returns in the new process alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        pid = os.fork()
    except OSError:
        os._exit(1)
    if pid == 0:
        return
    try:
        line.sendall(b"%d" % pid)
        _, status = os.waitpid(pid, 0)
        line.sendall(b"%d" % os.waitstatus_to_exitcode(status))
    finally:
        os._exit(0)


def become(order: dict[str, Any], streams: list[int]) -> None:
    """Take on what a process of its own would have been given."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    os.environ.clear()
    os.environ |= order["environment"]
    os.chdir(order["directory"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.argv[:] = [str(ROOT / "server" / "__main__.py"), *order["arguments"]]


if __name__ == "__main__":
    main()
