"""A lock keeps other programs out, and ends with the program that has it."""

import errno
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from client_tui.core import locks
from client_tui.core.locks import Claims

COUNTER = """
import sys
from pathlib import Path
from client_tui.core.locks import alone

lock, counter = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(200):
    with alone(lock):
        counter.write_text(str(int(counter.read_text()) + 1))
"""

CLAIMER = """
import sys
from pathlib import Path
from client_tui.core.locks import Claims

claims = Claims(Path(sys.argv[1]))
assert claims.take(1)
print("taken", flush=True)
sys.stdin.read()
"""


def test_two_programs_are_never_in_there_together(tmp_path: Path) -> None:
    lock, counter = tmp_path / "a.lock", tmp_path / "counter"
    counter.write_text("0")
    programs = [
        subprocess.Popen([sys.executable, "-c", COUNTER, str(lock), str(counter)]) for _ in range(2)
    ]
    assert [program.wait(60) for program in programs] == [0, 0]
    assert counter.read_text() == "400"


@contextmanager
def claimed(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another program that has the first thing until it ends."""
    command = [sys.executable, "-c", CLAIMER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        yield other
        other.kill()


def test_what_another_program_has_is_to_be_had_when_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    mine = Claims(path)
    with claimed(path) as other:
        assert not mine.take(1)
        assert mine.take(2)
        other.kill()
        other.wait(60)
        assert mine.take(1)
    mine.close()


def test_where_the_system_waits_for_some_tries_only_it_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows gives up after ten; the last error here is another one, and is told."""
    answers = [errno.EDEADLK, errno.EDEADLK, None, errno.EACCES]

    def locking(*_: int) -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise OSError(answer, "not now")

    windows = SimpleNamespace(LK_LOCK=1, LK_NBLCK=2, locking=locking)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    monkeypatch.setattr(sys, "platform", "win32")
    alone = runpy.run_path(str(locks.__file__))["alone"]
    with alone(tmp_path / "a.lock"):
        assert len(answers) == 1
    with pytest.raises(PermissionError), alone(tmp_path / "a.lock"):
        pass
