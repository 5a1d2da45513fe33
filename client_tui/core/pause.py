"""A wait before the next try, which a person may cut short."""

import asyncio
from collections.abc import Coroutine

from client_tui.core.clock import Clock


class Pause:
    """Several may wait at once; cutting short ends all of these waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._over = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Return after so long, or sooner."""
        self._over.clear()
        either: list[Coroutine[object, object, object]] = [
            self._clock.sleep(seconds),
            self._over.wait(),
        ]
        tasks = [asyncio.create_task(part) for part in either]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    def cut_short(self) -> None:
        """Do not wait any longer."""
        self._over.set()
