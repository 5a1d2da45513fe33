"""People who use the real app, each on a machine of their own; they see only what is drawn."""

import asyncio
import contextvars
import re
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from client_tui.app import PickyApp
from client_tui.core.paths import Paths
from client_tui.core.status import LineState
from client_tui.link import Link
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.welcome import WelcomeScreen

PASSWORD = "correct horse 9 staple"
_PATIENCE_S = 45.0
_LOOK_EVERY_S = 0.02
P = ParamSpec("P")


def in_own_context(
    method: Callable[Concatenate["AppPerson", P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate["AppPerson", P], Coroutine[Any, Any, None]]:
    """Textual knows the running app by a context variable, and here there are two of them."""

    @wraps(method)
    async def run(person: "AppPerson", /, *args: P.args, **options: P.kwargs) -> None:
        await asyncio.create_task(method(person, *args, **options), context=person.context)

    return run


class AppPerson:
    """Somebody in front of the app."""

    def __init__(
        self,
        app: PickyApp,
        pilot: Pilot[str],
        context: contextvars.Context,
        handle: str,
        name: str,
    ) -> None:
        self.app = app
        self.pilot = pilot
        self.context = context
        self.handle = handle
        self.name = name

    def seen(self) -> str:
        """The screen as text."""
        screen = self.app.screen
        return "\n".join(strip.text for strip in screen._compositor.render_strips(screen.size))

    def sees(self, *texts: str) -> bool:
        """Whether all of this is on the screen."""
        screen = re.sub(r"\s+", " ", self.seen())
        return all(text in screen for text in texts)

    @in_own_context
    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something to be so, and for what the screen in front had still to do: who has
        the focus is decided just after it has come.
        """
        clock = self.app.link.clock
        end = clock.monotonic() + _PATIENCE_S
        while not condition():
            assert clock.monotonic() < end, f"{self.name} waited for {what}:\n{self.seen()}"
            await self.pilot.pause(_LOOK_EVERY_S)
        await self.pilot.pause()

    async def until_seen(self, *texts: str) -> None:
        """Wait for all of this to be on the screen."""
        await self.until(lambda: self.sees(*texts), " and ".join(texts))

    async def until_gone(self, text: str) -> None:
        """Wait for this to be on the screen no more."""
        await self.until(lambda: not self.sees(text), f"{text} to be gone")

    async def until_on(self, screen: type) -> None:
        """Wait for a screen to be in front."""
        await self.until(
            lambda: isinstance(self.app.screen, screen) and self.app.screen.is_mounted,
            screen.__name__,
        )

    async def until_online(self) -> None:
        """Wait for the line to the server."""
        link = self.app.link
        await self.until(lambda: link.status.state is LineState.ONLINE, "the line")

    async def reconnect(self) -> None:
        """Ask for the line at once instead of waiting for the next try."""
        await self.press("ctrl+r")
        await self.until_online()

    async def until_offline(self) -> None:
        """Wait for the app to notice that the line is broken."""
        link = self.app.link
        await self.until(lambda: link.status.state is not LineState.ONLINE, "the broken line")

    @in_own_context
    async def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        await self.pilot.press(*keys)

    @in_own_context
    async def write(self, text: str) -> None:
        """Type a text faster than the app draws, as a terminal hands over what was typed ahead."""
        driver = self.app._driver
        assert driver is not None
        for char in text:
            driver.send_message(events.Key(_character_to_key(char), char))
        await self.pilot.pause()

    @in_own_context
    async def paste(self, text: str) -> None:
        """Paste a text; a file dropped on a terminal comes as its path."""
        self.app.post_message(events.Paste(text))
        await self.pilot.pause()

    @in_own_context
    async def fill(self, field: str, text: str) -> None:
        """Go to a field and type."""
        self.app.screen.query_one(field).focus()
        await self.pilot.pause()
        await self.write(text)

    @in_own_context
    async def choose(self, field: str, text: str) -> None:
        """Open a list, type the beginning of an entry and take it."""
        self.app.screen.query_one(field).focus()
        await self.pilot.pause()
        await self.press("enter")
        await self.write(text)
        await self.press("enter")

    async def sign_up(self, server: str) -> None:
        """Make the account on the first screen and come to the market."""
        await self.until_on(WelcomeScreen)
        await self.press("shift+tab", "ctrl+u")
        await self.write(server)
        await self.fill("#handle Input", self.handle)
        await self.fill("#password Input", PASSWORD)
        await self.press("tab", "space", "tab")
        await self.write(self.name)
        await self.press("enter")
        await self.until_on(BrowseScreen)
        await self.until_online()

    async def go(self, mode: str) -> None:
        """Jump to a part of the market by its letter."""
        await self.press("g", mode)


@asynccontextmanager
async def at_the_app(home: Path, handle: str, name: str) -> AsyncIterator[AppPerson]:
    """Somebody starts the app on a machine where nobody was signed in."""
    context = contextvars.Context()
    link = Link(Paths(home / "config", home / "data", home / "cache"))
    app = context.run(PickyApp, link)
    running = app.run_test(size=(80, 24))
    pilot = await asyncio.create_task(running.__aenter__(), context=context)
    try:
        yield AppPerson(app, pilot, context, handle, name)
    finally:
        await asyncio.create_task(running.__aexit__(*sys.exc_info()), context=context)
