"""An event loop whose time moves only when it is told to, and a database without threads."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

from aiosqlite import core

_LOOK_S = 0.002
"""How long a look for what threads have done may take; no virtual time passes by it."""


class _Looks(selectors.DefaultSelector):
    """Never sleeps until a timer: nobody would wake it."""

    def select(self, timeout: float | None = None) -> Any:
        """What is ready now or very soon."""
        return super().select(_LOOK_S if timeout is None or timeout > _LOOK_S else timeout)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs callbacks and sockets as ever, and timers when their moment is set."""

    def __init__(self) -> None:
        super().__init__(_Looks())
        self._moment = 0.0

    def time(self) -> float:
        """The moment it was last moved to."""
        return self._moment

    @property
    def busy(self) -> bool:
        """Whether anything but the asker has a turn to come."""
        return bool(self._ready)  # type: ignore[attr-defined]

    def next_timer(self) -> float | None:
        """When the next timer is due."""
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        due = [timer.when() for timer in timers if not timer.cancelled()]
        return min(due, default=None)

    def move_to(self, moment: float) -> None:
        """Let this much time have passed."""
        self._moment = max(self._moment, moment)


async def run_here(_connection: object, run: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """In place of what hands a call to SQLite's thread: others have their turn all the same, but
    always the same one.
    """
    await asyncio.sleep(0)
    done = run(*args, **options)
    await asyncio.sleep(0)
    return done


class HereQueue:
    """In place of the queue to that thread: what is put is done at once. The thread only ends."""

    def __init__(self, thread: Any) -> None:
        self._thread = thread

    def put_nowait(self, asked: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        """Do it."""
        future, run = asked
        done = run()
        if future is not None:
            future.set_result(done)
        if done is core._STOP_RUNNING_SENTINEL:
            self._thread.put_nowait((None, lambda: done))


async def connect_here(connection: Any) -> Any:
    """In place of what lets that thread open the connection."""
    if connection._connection is None:
        connection._tx = HereQueue(connection._tx)
        connection._connection = connection._connector()
    return connection
