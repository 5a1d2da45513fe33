"""The market could not be opened: why, and what can be done about it."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.containers import Middle, Vertical
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import (
    ClientError,
    StorageTooNew,
    StorageUnreadable,
    Unauthenticated,
)
from client_tui.format import wrap_path
from client_tui.screens.base import PickyScreen
from client_tui.screens.welcome import WelcomeScreen
from client_tui.work import start

AGAIN_S = 5.0
"""How long the server is left alone before it is asked again."""
_COLUMNS = 60
_WAY_OUT = """
Move it away, and an empty outbox is begun. What was not sent yet and what you had begun to write \
is only in that file, and not in the new one."""
_WAY_OUT_TOO_NEW = """
Start the newer Picky again: nothing is lost. This one cannot send what waits in that file."""


class ClosedScreen(PickyScreen):
    """Somebody is signed in, but there is neither an answer nor a copy of the market's lists.

    The server is asked again by itself; the way in stays a key away, for another server.
    """

    context: ClassVar[str] = "closed"

    def __init__(self, error: ClientError) -> None:
        super().__init__()
        self._error = error
        self._asking = False

    def heading(self) -> str:
        """The name of the thing."""
        return "picky"

    def status_cell(self) -> Text:
        """There is no line before the market is open."""
        return Text("○ not open", style=self.app.theme_variables["warning"])

    def content(self) -> Iterable[Widget]:
        """Why, and what is done about it."""
        with Middle(), Vertical(id="closed"):
            yield Static("The market did not open.", classes="dialog-title")
            yield Static(self._reason(), id="closed-reason", markup=False)
            yield Static(self._what_now(), id="closed-now", classes="dim", markup=False)

    def _reason(self) -> str:
        """Of a file of this machine also where it is and what can be done about it.

        Of these only the outbox closes the market: copies are made anew by themselves.
        """
        if not isinstance(self._error, StorageUnreadable):
            return str(self._error)
        path = str(self.link.paths.outbox_file(self.link.account_id))
        told = str(self._error).replace(path, "The outbox")
        lines = wrap_path(path, min(_COLUMNS, self.app.size.width - 4))
        too_new = isinstance(self._error, StorageTooNew)
        way_out = _WAY_OUT_TOO_NEW if too_new else _WAY_OUT
        return "\n".join((told, "It is this file:", "", *lines, way_out))

    def _what_now(self) -> str:
        if self._asking:
            return "Trying again…"
        return f"It is tried again every {AGAIN_S:.0f} seconds. You stay signed in." + self.hint(
            "again tries now", "sign_in signs in elsewhere"
        )

    def on_mount(self) -> None:
        """Ask again now and then."""
        super().on_mount()
        self.set_interval(AGAIN_S, self.do_again)

    def on_resize(self) -> None:
        """The path is broken anew."""
        super().on_resize()
        self._redraw()

    def do_refresh(self) -> None:
        """Ask the server again."""
        self.do_again()

    def do_again(self) -> None:
        """Ask the server again, now."""
        if not self._asking and self.app.screen is self:
            start(self, self._again, group="again")

    async def _again(self) -> None:
        self._asking = True
        self._redraw()
        try:
            await self.link.start()
        except Unauthenticated as error:
            self.app.switch_screen(WelcomeScreen(str(error)))
        except ClientError as error:
            self._error = error
        else:
            self.picky.enter()
        finally:
            self._asking = False
            self._redraw()

    def _redraw(self) -> None:
        if self.is_there:
            self.query_one("#closed-reason", Static).update(self._reason())
            self.query_one("#closed-now", Static).update(self._what_now())

    def do_sign_in(self) -> None:
        """To the way in."""
        if not self._asking:
            self.app.switch_screen(WelcomeScreen())
