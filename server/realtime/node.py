"""The realtime side of one process: its hub, its gateway, and how it drains."""

import asyncio
import time
from collections.abc import Callable
from math import ceil

from server.platform.context import Context
from server.realtime.frames import encode
from server.realtime.gateway import Gateway
from server.realtime.hub import Hub
from server.realtime.settings import RealtimeSettings
from shared_models.realtime import Bye, CloseCode


class RealtimeNode:
    """Made by ``app`` and provided to the routes; takes sockets between start and drain."""

    def __init__(
        self,
        context: Context,
        settings: RealtimeSettings | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._settings = settings or RealtimeSettings()
        self.hub = Hub(context, self._settings, self._chance)
        self.gateway = Gateway(context, self._settings, self.hub, self._chance, monotonic)
        self._reconciling: asyncio.Task[None] | None = None

    def _chance(self) -> float:
        """A number from 0 up to 1, from the random bits of a new id."""
        return (self._context.make_id(self._context.clock.now()).int & 0xFFFFFFFF) / 2**32

    async def start(self) -> None:
        """Begin to compare heads."""
        self._reconciling = asyncio.create_task(self.hub.run(), name="reconcile")

    async def drain(self) -> None:
        """Take no new socket; say ``bye`` and close the others (4000) in slices."""
        self.gateway.draining = True
        settings = self._settings
        connections = list(self.hub.connections())
        slice_size = max(1, ceil(len(connections) / settings.drain_slices))
        for start in range(0, len(connections), slice_size):
            for connection in connections[start : start + slice_size]:
                wait_ms = int(self._chance() * settings.reconnect_within_ms)
                connection.writer.put(encode(Bye(reconnect_in_ms=wait_ms, reason="draining")))
                connection.close(CloseCode.DRAINING, "draining")
            await asyncio.sleep(settings.drain_s / settings.drain_slices)

    async def stop(self) -> None:
        """Stop comparing heads."""
        if self._reconciling is not None:
            self._reconciling.cancel()
            await asyncio.gather(self._reconciling, return_exceptions=True)
        await self.hub.stop()
