"""Runs the demo's server in a folder of its own, and takes both away when the app is gone.

Started as a script, with the standard library only; its arguments are the market's seed and scale
and the server's command. The app holds the other end of this process's
standard input; the kernel closes that however the app ends, and then the server is killed and the
folder removed. The first line on standard output names the folder; what the server prints follows,
and the output ends with the server. Its complaints are in the folder, in ``server.log``.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

_CHUNK_BYTES = 4096
_STDIN, _STDOUT = 0, 1


class Keeper:
    """One demo market."""

    def __init__(self, folder: Path, server: Sequence[str]) -> None:
        self._folder = folder
        self._command = server
        self._log = folder / "server.log"
        self._lock = threading.Lock()
        self._over = False
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, seed: str, scale: str) -> None:
        """Fill the market, then serve it until the end."""
        filled = self._server("seed", "--seed", seed, "--scale", scale, "--progress", "json")
        if filled == 0:
            self._server("serve", "--port", "0")
        end_output()

    def end(self) -> None:
        """Kill what runs and remove the folder."""
        with self._lock:
            self._over = True
        if self._process is not None:
            kill_group(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _server(self, *arguments: str) -> int | None:
        """The exit code of a command of the server; None when it was not begun any more."""
        with self._lock:
            if self._over:
                return None
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*self._command, *arguments, *self._place()],
                    stdin=subprocess.PIPE,
                    stderr=log,
                    env=environment(self._folder),
                    start_new_session=True,
                )
        return self._process.wait()

    def _place(self) -> tuple[str, ...]:
        return ("--data-dir", str(self._folder / "data"), "--exit-with-parent")


def end_output() -> None:
    """Let go of standard output, which closing ``sys.stdout`` does not: the app hears the end."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, _STDOUT)


def environment(folder: Path) -> dict[str, str]:
    """Of the server: settings of another Picky on this machine are not for this one, and what it
    would leave in the temporary folder when it is killed goes with its own.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PICKY_")}
    return kept | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started; nothing it could still write is wanted."""
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main() -> None:
    """Keep a market until standard input ends."""
    folder = Path(tempfile.mkdtemp(prefix="picky-demo-"))
    seed, scale, *server = sys.argv[1:]
    keeper = Keeper(folder, server)
    try:
        print(json.dumps({"folder": str(folder)}), flush=True)
        threading.Thread(target=keeper.run, args=(seed, scale), daemon=True).start()
        while os.read(_STDIN, _CHUNK_BYTES):
            pass
    finally:
        keeper.end()


if __name__ == "__main__":
    main()
