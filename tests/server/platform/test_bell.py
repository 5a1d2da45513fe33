"""The bell wakes the worker, and never makes it deaf to being stopped."""

import asyncio

import pytest

from server.platform.jobs import Bell


@pytest.mark.parametrize("steps", range(5))
async def test_a_worker_stopped_as_the_bell_rings_is_stopped(steps: int) -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(30))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    bell.ring()
    for _ in range(steps):
        await asyncio.sleep(0)
    was_told = waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled() == was_told
