"""What is done to the app before its picture is taken."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from client_tui.app import PickyApp

Steps = Callable[[Pilot[Any]], Awaitable[None]]


async def settled(pilot: Pilot[Any]) -> None:
    """Everything that was begun, and what that has begun, has been done and drawn."""
    app = pilot.app
    assert isinstance(app, PickyApp)
    await pilot.pause()
    while await _goes_on(app):
        await pilot.pause()


async def _goes_on(app: PickyApp) -> bool:
    """Whether something was still to be done; what has an end is waited for."""
    workers = [worker for worker in app.workers if worker.name != "link"]
    for worker in workers:
        with suppress(WorkerCancelled):  # by the next one of its group
            await worker.wait()
    small_work = bool(app.link._small_work)
    await app.link.finish_small_work()
    is_drawn = app.screen.size and not app.link.pictures.busy  # one just pushed has no size yet
    return bool(workers or small_work or not is_drawn)


def pressing(*keys: str) -> Steps:
    """Press these keys, each once the one before has settled."""

    async def steps(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return steps


def doing(act: Callable[[PickyApp], object]) -> Steps:
    """Do something to the app."""

    async def steps(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, PickyApp)
        act(app)
        await settled(pilot)

    return steps
