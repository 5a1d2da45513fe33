"""The demo's market as the app sees it: started, told about, and gone when the app is."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from client_tui.demo.server import server_command

_KEEPER = Path(__file__).with_name("keeper.py")
_LISTENING = "listening on "
_END_WITHIN_S = 10
_LAST_LINES = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """So much of the market is there; ``label`` is what is being made."""

    done: int
    total: int
    label: str


@dataclass(frozen=True, slots=True)
class Filled:
    """Everything is there; how to sign in."""

    handle: str
    password: str


@dataclass(frozen=True, slots=True)
class Listening:
    """The server answers at ``url``."""

    url: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The server has ended before the app; its last words."""

    lines: tuple[str, ...]


News = Progress | Filled | Listening | Failed


class DemoMarket:
    """A server of one's own with made-up people, for as long as this object is not closed.

    It begins at once, in processes of its own. They and their folder also go when this process is
    killed.
    """

    def __init__(self, *, seed: int, scale: str) -> None:
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", _KEEPER, str(seed), scale, *server_command()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # ctrl-c and a closed terminal are for the app to answer
        )
        assert self._keeper.stdout is not None
        self._lines = self._keeper.stdout
        self._folder: Path | None = None

    def __enter__(self) -> "DemoMarket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Return when nothing of it is left."""
        self._keeper.stdin.close()  # type: ignore[union-attr]
        try:
            self._keeper.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()  # its server ends with it
            self._keeper.wait()
        self._lines.close()
        if self._folder is not None:  # still there only if the keeper itself was killed
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where everything of it is: the first thing that the keeper tells."""
        if self._folder is None:
            self._folder = Path(json.loads(self._lines.readline())["folder"])
        return self._folder

    async def news(self) -> AsyncGenerator[News, None]:
        """What happens; :class:`Failed` is the last of it."""
        log = self.folder / "server.log"
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[bytes | None] = asyncio.Queue()

        def hear() -> None:
            with contextlib.suppress(RuntimeError, ValueError):  # the app was left meanwhile
                for line in self._lines:
                    loop.call_soon_threadsafe(heard.put_nowait, line)
                loop.call_soon_threadsafe(heard.put_nowait, None)

        Thread(target=hear, name="demo-market", daemon=True).start()
        while (line := await heard.get()) is not None:
            yield _read(line.decode().strip())
        yield Failed(_last_lines(log))


def _read(line: str) -> News:
    if line.startswith(_LISTENING):
        return Listening(line.removeprefix(_LISTENING))
    news: dict[str, Any] = json.loads(line)
    if "handle" in news:
        return Filled(news["handle"], news["password"])
    return Progress(news["done"], news["total"], news["label"])


def _last_lines(log: Path) -> tuple[str, ...]:
    try:
        return tuple(log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:])
    except FileNotFoundError:
        return ()
