"""Starts servers of these sources by forking a process that has imported them.

Importing is three fourths of a start, and a run of the tests starts some two hundred. Started as a
script with the path of its door, where guards order servers; see :func:`order`.
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
    """Take orders until the lifetime ends; in a fork, become the server that was ordered."""
    serve = imported()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets who has ended
    order = taken(Path(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ |= order["environment"]
    os.chdir(order["directory"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv[:] = ["picky-server", *order["arguments"]]
    serve()


def imported() -> Callable[[], None]:
    """The server's main function, with all imported that it would import later on."""
    from server.__main__ import hide_rich
    from server.__main__ import main as serve

    hide_rich()
    for name in LATE_IMPORTS:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # forks share what none of them looks at
    return serve


def taken(path: Path) -> dict[str, Any]:
    """Fork for each order; returns in the forks alone."""
    with socket.socket(socket.AF_UNIX) as listener:
        waiting = path.with_suffix(".new")
        listener.bind(str(waiting))
        listener.listen(64)
        waiting.rename(path)
        while True:
            line, _ = listener.accept()
            with line, line.makefile() as text:
                order: dict[str, Any] = json.loads(text.readline())
                pid = os.fork()
                if pid == 0:
                    return order
                os.setpgid(pid, pid)
                line.sendall(b"%d\n" % pid)


if __name__ == "__main__":
    main()
