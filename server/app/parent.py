"""A process that another one runs for itself alone ends with it, in whatever way that one ends."""

import os
import signal
import threading

_STDIN = 0
_CHUNK_BYTES = 4096


def end_with_parent() -> None:
    """From now on, the end of standard input ends this process as ctrl-c does.

    Whoever started it keeps the other end of a pipe; the kernel closes that when they are gone.
    Call it from the main thread, before a loop runs.
    """
    # A program started in the background may have been told to ignore ctrl-c.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_wait_for_the_end, name="parent", daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(_STDIN, _CHUNK_BYTES):
        pass
    os.kill(os.getpid(), signal.SIGINT)
