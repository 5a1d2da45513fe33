"""PostgreSQL's own programs, ``pg_dump`` and ``pg_restore``, run for a database of ours."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.postgres_address import for_programs

_TOLD_CHARS = 600


class ProgramFailed(Exception):
    """A program is missing, too old, or failed; the message says what to do."""


class ProgramMissing(ProgramFailed):
    """There is no such program, or an old one only."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(f"{problem}: {mend}")
        self.problem = problem
        self.mend = mend


async def server_version(connection: AsyncConnection) -> int:
    """The major version of the server."""
    number = await connection.scalar(text("SELECT current_setting('server_version_num')"))
    return int(str(number)) // 10_000


async def dump(url: str, version: int, target: Path, *, snapshot: str, but: str) -> None:
    """Write a database, as it is in a snapshot, to a file of the custom format.

    ``version`` is the server's; ``but`` is a table that is left out.
    """
    program = await find("pg_dump", version)
    options = ("--format=custom", f"--snapshot={snapshot}", f"--exclude-table={but}")
    await _run(url, [program, *options, "--no-owner", "--no-privileges", f"--file={target}"])


async def restore(url: str, version: int, source: Path) -> None:
    """Fill a database from such a file, in one transaction."""
    program = await find("pg_restore", version)
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    await _run(url, [program, *options, f"--dbname={make_url(url).database}", str(source)])


async def find(name: str, version: int) -> str:
    """The first such program that is not older than the server: on the PATH, or beside ours.

    Raises :class:`ProgramMissing`.
    """
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    too_old = None
    for place in [*places, str(Path(sys.argv[0]).parent), str(Path(sys.executable).parent)]:
        found = shutil.which(name, path=place)
        if found is None:
            continue
        output = await _output([found, "--version"], {})
        major = re.search(r"\d+", output.decode(errors="replace"))
        if major and int(major[0]) >= version:
            return found
        too_old = too_old or f"{found} is older than the server, which is PostgreSQL {version}"
    problem = too_old or f"there is no {name} on the PATH"
    raise ProgramMissing(
        problem,
        f"install PostgreSQL's client programs of version {version} or newer, and put their folder "
        "on the PATH",
    )


async def _run(url: str, command: Sequence[str]) -> None:
    await _output([*command[:1], "--no-password", *command[1:]], _environment(make_url(url)))


def _environment(url: URL) -> Mapping[str, str]:
    parts = url.translate_connect_args(username="user")
    return for_programs({**{name: str(part) for name, part in parts.items()}, **url.query})


async def _output(command: Sequence[str], environment: Mapping[str, str]) -> bytes:
    """What a program prints. It ends when this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        told = errors.decode(errors="replace").strip()[:_TOLD_CHARS]
        raise ProgramFailed(f"{Path(command[0]).name} failed: {told}")
    return output
