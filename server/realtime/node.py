"""The realtime side of one process: its hub, its gateway, and how it drains."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import ceil

from server.platform.bus import LocalBus
from server.platform.context import Context
from server.realtime.gateway import Gateway
from server.realtime.hub import Hub
from server.realtime.metrics import LONGEST_QUEUE, QUEUED_BYTES, QUEUED_FRAMES
from server.realtime.settings import RealtimeSettings
from server.realtime.writer import Writer


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
        self.hub = Hub(context, self._settings, self._chance, monotonic)
        self.gateway = Gateway(context, self._settings, self.hub, self._chance, monotonic)
        self._reconciling: asyncio.Task[None] | None = None

    def _chance(self) -> float:
        """A number from 0 up to 1, from the random bits of a new id."""
        return (self._context.make_id(self._context.clock.now()).int & 0xFFFFFFFF) / 2**32

    async def start(self) -> None:
        """Begin to compare heads."""
        self._reconciling = asyncio.create_task(self.hub.run(), name="reconcile")

    def measure(self) -> None:
        """Set the gauges of what waits in the sockets' queues."""
        queues = [writer.queued for writer in self.gateway.writers]
        QUEUED_FRAMES.set(sum(frames for frames, _ in queues))
        QUEUED_BYTES.set(sum(size for _, size in queues))
        LONGEST_QUEUE.set(max((frames for frames, _ in queues), default=0))

    async def drain(self) -> None:
        """Take no new socket; say ``bye`` and close the others (4000) in slices.

        Also those that are still shaking hands, and until the last one is gone: what is left then
        is cut with 1012 by the server under us, which tells a client nothing.

        Where there are other processes all work goes on for a while first: who is sent away, or
        asks for a page, must not be led here again by a balancer that has not noticed yet.
        """
        if not isinstance(self._context.bus, LocalBus):
            await asyncio.sleep(self._settings.drain_least_s)
        self.gateway.draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_most_s):
                while writers := list(self.gateway.writers):
                    await self._send_all_away(writers)

    async def _send_all_away(self, writers: Sequence[Writer]) -> None:
        settings = self._settings
        slice_size = ceil(len(writers) / settings.drain_slices)
        for start in range(0, len(writers), slice_size):
            for writer in writers[start : start + slice_size]:
                self.gateway.send_away(writer, "draining")
            await asyncio.sleep(settings.drain_s / settings.drain_slices)

    async def stop(self) -> None:
        """Stop comparing heads."""
        if self._reconciling is not None:
            self._reconciling.cancel()
            await asyncio.gather(self._reconciling, return_exceptions=True)
        await self.hub.stop()
