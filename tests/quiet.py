"""Waiting until all that was begun is done, however slow or busy this machine is."""

import asyncio
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import textual.app
import textual.pilot
from textual._wait import wait_for_idle

PATIENCE_S = 45.0
"""Only who waits in vain waits that long: whatever comes may take many times as long as usual."""

_run_in_executor: Callable[..., asyncio.Future[Any]] = BaseEventLoop.run_in_executor
_on_threads: set[asyncio.Future[Any]] = set()


@pytest.fixture(autouse=True)
def certain() -> Iterator[None]:
    """What a test has done to the app is done when it looks, also on a busy machine.

    Textual's pilot waits until the process takes no time of the processor. A process that gets
    none, because others have it, looks as if it had nothing to do.
    """
    with pytest.MonkeyPatch.context() as patch:
        _count_threads(patch)
        for module in (textual.app, textual.pilot):
            patch.setattr(module, "wait_for_idle", _until_settled)
        yield


async def _until_settled(*within_s: float) -> None:
    await wait_for_idle(*within_s)
    await settle()


async def settle() -> None:
    """Let everything run that can run without waiting for time or for the outside."""
    loop: Any = asyncio.get_running_loop()
    quiet_rounds = 0
    while quiet_rounds < 2:  # the first may yet find what has come by a socket
        if ours := {one for one in _on_threads if one.get_loop() is loop}:
            await asyncio.wait(ours)
        await asyncio.sleep(0)
        quiet_rounds = 0 if loop._ready or ours else quiet_rounds + 1


def _count_threads(patch: pytest.MonkeyPatch) -> None:
    """From now on what has gone to a thread is known here until it has come back."""
    _on_threads.clear()
    patch.setattr(BaseEventLoop, "run_in_executor", _counted)


def _counted(loop: BaseEventLoop, *work: Any) -> asyncio.Future[Any]:
    future = _run_in_executor(loop, *work)
    _on_threads.add(future)
    future.add_done_callback(_on_threads.discard)
    return future
