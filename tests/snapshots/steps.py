"""What is done to the app before its picture is taken."""

from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from client_tui.app import PickyApp

Steps = Callable[[Pilot[Any]], Awaitable[None]]


async def settled(pilot: Pilot[Any]) -> None:
    """Everything that was begun, and what that has begun, has been done and drawn."""
    app = pilot.app
    assert isinstance(app, PickyApp)
    await pilot.pause()
    while pending := [worker for worker in app.workers if worker.name != "link"]:
        await app.workers.wait_for_complete(pending)
        await pilot.pause()
    while app.link.pictures.busy or not app.screen.size:  # a screen just pushed has none yet
        await pilot.pause(0.01)
    await pilot.pause()


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
