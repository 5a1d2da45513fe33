"""A program in a terminal of its own, as a person would run it."""

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

_CONTROLS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_][^\x1b]*\x1b\\"
    r"|\x1b[^\[\]P_]"
)

# Makes the terminal the controlling one, so that closing it is felt, and becomes the command.
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Writing:
    """The text in what a program writes to a terminal, wherever that is cut into pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unread = ""

    def read(self, piece: bytes) -> str:
        """The text that is whole by now; half a letter or half a command waits for its end."""
        text = _CONTROLS.sub("", self._unread + self._decoder.decode(piece))
        whole, command, begun = text.partition("\x1b")
        self._unread = command + begun
        return whole


class Terminal:
    """Runs a command on a pseudo-terminal of 80 by 24 cells; kills it when it is left."""

    def __init__(self, command: Iterable[str | Path], environment: Mapping[str, str]) -> None:
        self._screen, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", _TAKE_TERMINAL, *map(str, command)],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment},
            start_new_session=True,
        )
        os.close(inside)
        self._open = True
        self._writing = Writing()
        self.shown = ""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.close()

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._screen, keys.encode())

    def wait_for(self, text: str, within_s: float) -> float:
        """Return the seconds until a text is shown; fail with what was shown instead."""
        begun = time.monotonic()
        while text not in self.shown:
            left = begun + within_s - time.monotonic()
            assert left > 0, f"{text!r} was not shown within {within_s:g} s: {self.shown[-3000:]}"
            if select.select([self._screen], [], [], left)[0]:
                self._read()
        return time.monotonic() - begun

    def wait_for_end(self, within_s: float) -> int:
        """Return the exit code, reading on meanwhile as a terminal does."""
        end = time.monotonic() + within_s
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still running: {self.shown[-3000:]}"
            if select.select([self._screen], [], [], 0.05)[0]:
                self._read()
        return self.process.returncode

    def family(self) -> list[psutil.Process]:
        """All processes that the program has started, and those that they have."""
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def close(self) -> None:
        """Close the terminal's window."""
        if self._open:
            self._open = False
            os.close(self._screen)

    def _read(self) -> None:
        try:
            self.shown += self._writing.read(os.read(self._screen, 65536))
        except OSError:  # nobody has the terminal open any more
            self.process.wait()
