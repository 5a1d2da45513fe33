"""What a balancer does besides: it asks every server whether it is ready, and believes it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import httpx

from tests.faults.front import Road
from tests.faults.waiting import came

LOOK_EVERY_S = 0.5
ANSWER_S = 2.0
"""Who has not answered by then is not ready; with the above it is less than a draining server's
time.
"""


class Balancer:
    """Opens and closes roads by what `/readyz?serving` says at their ends."""

    def __init__(self, roads: Sequence[Road]) -> None:
        self._roads = roads
        self._looked = asyncio.Condition()
        self._looked_at = dict.fromkeys(roads, float("-inf"))
        """When the last look that is over began."""

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Look at all of them again and again."""
        async with httpx.AsyncClient(timeout=ANSWER_S) as client:
            tasks = [asyncio.create_task(self._look_at(road, client)) for road in self._roads]
            for road in self._roads:
                road.looked_at = partial(self._has_looked_at, road)
            try:
                yield
            finally:
                for road in self._roads:
                    road.looked_at = None
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                async with self._looked:
                    self._looked.notify_all()

    async def sees_ready(self, road: Road) -> None:
        """Wait until it sends people there."""
        async with self._looked:
            await self._looked.wait_for(lambda: road.is_open)

    async def _has_looked_at(self, road: Road) -> None:
        """Wait for another look where the last is too old: then this process has stood still, and
        the server had all of its time to go.
        """
        loop = asyncio.get_running_loop()
        async with self._looked:
            while road.looked_at and loop.time() - self._looked_at[road] > LOOK_EVERY_S + ANSWER_S:
                await self._looked.wait()

    async def _look_at(self, road: Road, client: httpx.AsyncClient) -> None:
        never, loop = asyncio.Event(), asyncio.get_running_loop()
        while not await came(never, LOOK_EVERY_S):
            began = loop.time()
            try:
                answer = await client.get(f"http://127.0.0.1:{road.port}/readyz?serving")
                road.is_open = answer.status_code == httpx.codes.OK
            except httpx.TransportError:
                road.is_open = False
            self._looked_at[road] = began
            async with self._looked:
                self._looked.notify_all()
