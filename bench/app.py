"""The terminal app: time to first paint, and the virtual list of the chat."""

import asyncio
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Sequence
from statistics import median

from bench.figures import Figures
from tests.client.virtual_list_app import ListApp, Note

_ROUNDS = 15


def measure_first_paint(*command: str, rounds: int) -> Figures:
    """From the start of `picky` on a terminal to its first full screen."""
    figures = Figures(f"time to first paint of `{' '.join(('picky', *command))}`")
    for _ in range(rounds):
        figures.samples.append(_paint_once(command) * 1000)
    return figures


def _paint_once(command: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as home:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        started = time.perf_counter()
        app = subprocess.Popen(
            [sys.executable, "-m", "client_tui", *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "PICKY_HOME": home, "PICKY_CREDENTIALS": "file", "TERM": "xterm"},
        )
        os.close(theirs)
        try:
            _read_until(ours, started)
            return time.perf_counter() - started
        finally:
            app.kill()
            app.wait()
            os.close(ours)


def _read_until(terminal: int, started: float) -> None:
    seen = b""
    while not _painted(seen):
        if time.perf_counter() - started > 20:
            raise TimeoutError("the app painted nothing in 20 s")
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 65536)


def _painted(seen: bytes) -> bool:
    return b"ctrl+q" in seen or (b"help" in seen and b"picky" in seen)


async def measure_list(rows: int) -> list[Figures]:
    """CPU of this process for append, prepend and scroll at 120x40, painted."""
    app = ListApp([_note(number) for number in range(rows)], from_bottom=True)
    operations: list[tuple[str, Callable[[int], None]]] = [
        ("append", lambda n: app.list.append([_note(10**9 + n)])),
        ("scroll 3 rows", lambda _: app.list.scroll_rows(-3)),
        (
            "prepend 50",
            lambda n: app.list.prepend([_note(-50 * (n + 1) + k) for k in range(50)]),
        ),
    ]
    found = []
    async with app.run_test(size=(120, 40)) as pilot:
        for name, operation in operations:
            samples = []
            for number in range(_ROUNDS):
                started = time.process_time()
                operation(number)
                await pilot.pause()
                samples.append((time.process_time() - started) * 1000)
            figures = Figures(f"virtual list, {rows:,} rows: {name}", samples)
            figures.note = f"CPU of the client, median {median(samples):.1f} ms"
            found.append(figures)
    return found


def _note(number: int) -> Note:
    return Note(
        number, f"{number}: 의자 아직 있나요? Both chairs are still here. " * (number % 4 + 1)
    )


def measure_app(*, paints: int) -> list[Figures]:
    """All of it; needs no server."""
    found = [measure_first_paint(rounds=paints), measure_first_paint("demo", rounds=paints)]
    for rows in (2_000, 100_000):
        found += asyncio.run(measure_list(rows))
    return found
