"""A few converting subprocesses, started when needed, killed when they misbehave."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import asdict
from pathlib import Path

from server.media.conversion import Converted, PhotoRefused, Request
from shared_models.photo_failures import PhotoFailure

COMMAND = (sys.executable, "-m", "server.media.convert")
PROCESSES = min(2, os.cpu_count() or 1)
TIMEOUT_S = 60.0
_ENDS_WITHIN_S = 5.0
_ROOT = Path(__file__).parents[2]
_WHERE_UNPACKED = (
    "LD_LIBRARY_PATH",
    "_PYI_APPLICATION_HOME_DIR",
    "_PYI_ARCHIVE_FILE",
    "_PYI_PARENT_PROCESS_LEVEL",
)
"""By these a subprocess of the one file uses what was unpacked for its parent."""


class ConvertPool:
    """Converts pictures in subprocesses; safe to use from many tasks of one loop.

    ``timeout_s`` is the longest that one picture may take on the wall clock.
    """

    def __init__(
        self,
        *,
        processes: int = PROCESSES,
        timeout_s: float = TIMEOUT_S,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self._slots = asyncio.Semaphore(processes)
        self._timeout_s = timeout_s
        self._command = command
        self._idle: list[Process] = []

    async def convert(self, request: Request) -> Converted:
        """Check one file and write its copies.

        Raises :class:`PhotoRefused`. A subprocess that dies gets a second try with a new one,
        since somebody else may have ended it.
        """
        async with self._slots:
            answer = await self._ask(request) or await self._ask(request)
        if answer is None:
            raise PhotoRefused(PhotoFailure.DECODER_CRASHED)
        if "failure" in answer:
            raise PhotoRefused(PhotoFailure(str(answer["failure"])))
        return Converted(
            int(str(answer["width"])), int(str(answer["height"])), str(answer["placeholder"])
        )

    async def close(self) -> None:
        """End the idle subprocesses; one at work ends when its task is cancelled."""
        while self._idle:
            await _end(self._idle.pop())

    async def _ask(self, request: Request) -> dict[str, object] | None:
        """The subprocess's answer, or None when it died without one."""
        process = await self._take()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._timeout_s):
                process.stdin.write(json.dumps(asdict(request)).encode() + b"\n")
                line = await process.stdout.readline()
        except TimeoutError:
            await _end(process)
            return {"failure": PhotoFailure.TOO_SLOW}
        except BaseException:
            await _end(process)
            raise
        if not line.endswith(b"\n"):
            await _let_end(process)
            is_out_of_time = process.returncode == -signal.SIGXCPU
            return {"failure": PhotoFailure.TOO_SLOW} if is_out_of_time else None
        self._idle.append(process)
        answer: dict[str, object] = json.loads(line)
        return answer

    async def _take(self) -> Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
        return await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd=_ROOT,
            env=_environment(),
        )


def _environment() -> dict[str, str]:
    """Without the server's settings and secrets."""
    environment = {"PYTHONPATH": str(_ROOT), "LC_ALL": "C.UTF-8"}
    if getattr(sys, "frozen", False):
        environment |= {name: os.environ[name] for name in _WHERE_UNPACKED}
    return environment


async def _let_end(process: Process) -> None:
    """Wait for one that has closed its output. Who kills it at that moment may take away from
    asyncio how it has ended.
    """
    try:
        async with asyncio.timeout(_ENDS_WITHIN_S):
            await process.wait()
    except TimeoutError:
        await _end(process)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
