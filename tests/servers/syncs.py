"""Every sync of a server's files, seen from outside while it waits for it.

The kernel asks the test to answer each `fsync` and `fdatasync` of the server (seccomp's user
notification: Linux, x86_64 and aarch64, no rights needed). The test syncs the file itself, keeps
a copy of what it synced, and only then lets the server go on. So the copies are what a power cut
leaves at the least, and nothing that was written but not synced is among them.

The server is an ordinary process: this file, run as a script with the standard library only, asks
for the notifications, hands them to the test through a socket and becomes the server.
"""

import ctypes
import errno
import fcntl
import os
import select
import shutil
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from platform import machine

MACHINES = {
    "x86_64": (0xC000003E, 317, (74, 75)),
    "aarch64": (0xC00000B7, 277, (82, 83)),
}
"""As audit calls the machine, and its numbers of `seccomp` and of `fsync` and `fdatasync`."""
NO_NEW_PRIVILEGES = 38
SET_FILTER, NEW_LISTENER = 1, 8
ALLOW, ASK = 0x7FFF0000, 0x7FC00000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
RECEIVE, ANSWER = 0xC0502100, 0xC0182101
QUESTION_BYTES = 80


class SyncWatch:
    """Keeps the copies of what a server has synced in a folder, by the names of the files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._address = folder / "socket"
        self._keeping = threading.Lock()
        self._free = threading.Event()
        self._free.set()
        self._arrived = threading.Event()
        self._over = os.eventfd(0)

    @property
    def command(self) -> list[str | Path]:
        """What to put before the server's own command."""
        return [sys.executable, "-I", Path(__file__), self._address]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Answer a server that is started now. Past the end its syncs fail."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self._address))
            listener.listen()
            thread = threading.Thread(target=self._answer_all, args=(listener,))
            thread.start()
            try:
                yield
            finally:
                self._free.set()
                os.eventfd_write(self._over, 1)
                thread.join()
                os.close(self._over)

    @contextmanager
    def held(self) -> Iterator[threading.Event]:
        """No sync is done until the end; the event says that the server waits for one."""
        self._arrived.clear()
        self._free.clear()
        try:
            yield self._arrived
        finally:
            self._free.set()

    def copy(self, *files: Path) -> None:
        """Copy what was synced of the files of these names in this moment, which may be nothing."""
        with self._keeping:
            for file in files:
                kept = self._folder / file.name
                file.write_bytes(kept.read_bytes() if kept.exists() else b"")

    def _answer_all(self, listener: socket.socket) -> None:
        """Answer the one server that calls until it is over."""
        if not self._comes(listener.fileno()):
            return
        caller, _ = listener.accept()
        with caller:
            _, [questions], *_ = socket.recv_fds(caller, 1, 1)
        try:
            while self._comes(questions):
                self._answer(questions)
        finally:
            os.close(questions)

    def _comes(self, descriptor: int) -> bool:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        waiting.register(self._over, select.POLLIN)
        return [(descriptor, select.POLLIN)] == waiting.poll()

    def _answer(self, questions: int) -> None:
        question = bytearray(QUESTION_BYTES)
        try:
            fcntl.ioctl(questions, RECEIVE, question)
        except FileNotFoundError:
            return  # who asked is gone
        number, thread = struct.unpack_from("=QI", question)
        (descriptor,) = struct.unpack_from("=Q", question, 32)
        self._arrived.set()
        self._free.wait()
        error = 0
        try:
            self._sync(Path(f"/proc/{thread}/fd/{descriptor & 0xFFFFFFFF}"))
        except OSError as failed:
            error = -(failed.errno or errno.EIO)
        answer = bytearray(struct.pack("=QqiI", number, 0, error, 0))
        try:
            fcntl.ioctl(questions, ANSWER, answer)
        except FileNotFoundError:
            return

    def _sync(self, path: Path) -> None:
        """Only what is there before the sync begins is sure to be on the disk after it."""
        name = path.readlink().name
        fresh = self._folder / f"{name}.fresh"
        if path.is_file():
            shutil.copyfile(path, fresh)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if fresh.exists():
            with self._keeping:
                fresh.replace(self._folder / name)


def ask_about_syncs() -> int:
    """Have the kernel ask about each sync of this process from now on; where it asks."""
    audit, seccomp, syncs = MACHINES[machine()]
    steps = [
        (LOAD, 0, 0, 4),  # the machine
        (EQUAL, 0, 4, audit),
        (LOAD, 0, 0, 0),  # the number of the call
        (EQUAL, 1, 0, syncs[0]),
        (EQUAL, 0, 1, syncs[1]),
        (RETURN, 0, 0, ASK),
        (RETURN, 0, 0, ALLOW),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    steps_at = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(
        struct.pack("@HP", len(steps), ctypes.addressof(steps_at))
    )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVILEGES, *map(ctypes.c_ulong, (1, 0, 0, 0))):
        raise OSError(ctypes.get_errno(), "prctl")
    numbers = map(ctypes.c_ulong, (seccomp, SET_FILTER, NEW_LISTENER))
    questions = libc.syscall(*numbers, program)
    if questions < 0:
        raise OSError(ctypes.get_errno(), "the kernel does not tell of syncs")
    return int(questions)


def main(address: str, *command: str) -> None:
    """Hand the questions to who listens at the address, and become the command."""
    with socket.socket(socket.AF_UNIX) as watch:
        watch.connect(address)
        socket.send_fds(watch, [b"."], [ask_about_syncs()])
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
