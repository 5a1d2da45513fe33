"""Waiting until all that was begun is done, however slow or busy this machine is."""

import asyncio
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable
from typing import Any

import pytest

_run_in_executor: Callable[..., asyncio.Future[Any]] = BaseEventLoop.run_in_executor
_on_threads: set[asyncio.Future[Any]] = set()


async def settle() -> None:
    """Let everything run that can run without waiting for time or for the outside."""
    loop: Any = asyncio.get_running_loop()
    quiet_rounds = 0
    while quiet_rounds < 2:  # the first may yet find what has come by a socket
        if _on_threads:
            await asyncio.wait(_on_threads)
        await asyncio.sleep(0)
        quiet_rounds = 0 if loop._ready or _on_threads else quiet_rounds + 1


def count_threads(patch: pytest.MonkeyPatch) -> None:
    """From now on what has gone to a thread is known here until it has come back."""
    _on_threads.clear()
    patch.setattr(BaseEventLoop, "run_in_executor", _counted)


def _counted(loop: BaseEventLoop, *work: Any) -> asyncio.Future[Any]:
    future = _run_in_executor(loop, *work)
    _on_threads.add(future)
    future.add_done_callback(_on_threads.discard)
    return future
