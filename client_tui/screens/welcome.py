"""The first screen: a demo market on this machine, or a server to sign up or in at."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from client_tui.core.address import server_address
from client_tui.core.errors import BadServerAddress, ClientError
from client_tui.core.forms import fill
from client_tui.screens.base import PickyScreen
from client_tui.widgets.field import ErrorLine, Field, clear_errors, show_refusal
from client_tui.widgets.ticks import Tick
from client_tui.work import start
from shared_models import bounds
from shared_models.accounts import SignUp

_FIRST = "Picky is a second-hand market that lives in the terminal."
LOCAL_SERVER = "http://127.0.0.1:8470"


class WelcomeScreen(PickyScreen):
    """Sign up or in; every field says what is wrong with it."""

    context = "welcome"
    AUTO_FOCUS: ClassVar[str] = "#handle Input"

    def __init__(self, note: str = "") -> None:
        super().__init__()
        self._note = note
        self._busy = False

    def heading(self) -> str:
        """The name of the thing."""
        return "picky"

    def content(self) -> Iterable[Widget]:
        """A form with a switch between in and up."""
        server = self.link.config.server or LOCAL_SERVER
        with VerticalScroll(id="welcome"):
            yield Static(self._note or _FIRST, id="welcome-note", markup=False)
            yield Field("server", Input(server, id="server-input"), id="server")
            yield Field(
                "handle", Input(placeholder="a-z 0-9 _", max_length=bounds.HANDLE_MAX), id="handle"
            )
            yield Field(
                "password", Input(password=True, max_length=bounds.PASSWORD_MAX), id="password"
            )
            yield Tick("I am new here", id="new", compact=True)
            yield Field(
                "display name", Input(max_length=bounds.DISPLAY_NAME_MAX), id="display_name"
            )
            yield ErrorLine(id="form-error")
            with Horizontal(classes="buttons"):
                yield Button("Sign in", id="go", variant="primary")
                yield Button("Demo market on this machine", id="demo")

    def on_mount(self) -> None:
        """Start with signing in."""
        super().on_mount()
        self._show_kind()

    @property
    def _new(self) -> bool:
        return self.query_one("#new", Tick).value

    def on_checkbox_changed(self) -> None:
        """Up or in."""
        self._show_kind()

    def _show_kind(self) -> None:
        self.query_one("#display_name").display = self._new
        self.query_one("#go", Button).label = "Sign up" if self._new else "Sign in"

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Go, or the demo."""
        if event.button.id == "demo":
            self.do_demo()
        else:
            self._submit()

    def on_input_submitted(self) -> None:
        """Enter goes."""
        self._submit()

    def do_demo(self) -> None:
        """Leave this app for the demo, which starts its own server."""
        self.picky.exit(result="demo")

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field} Input", Input).value.strip()

    def _submit(self) -> None:
        if self._busy:
            return
        clear_errors(self)
        try:
            server = server_address(self._value("server"))
        except BadServerAddress as problem:
            self.query_one("#server", Field).show_error(str(problem))
            return
        self._busy = True
        self.query_one("#go", Button).loading = True
        start(self, partial(self._go, server), group="sign-in")

    async def _go(self, server: str) -> None:
        password = self.query_one("#password Input", Input).value
        try:
            if self._new:
                form = fill(
                    SignUp,
                    handle=self._value("handle"),
                    password=password,
                    display_name=self._value("display_name") or self._value("handle"),
                )
                await self.link.sign_up(server, form)
            else:
                await self.link.sign_in(server, self._value("handle"), password)
            await self.link.close()  # of whoever was signed out just now
            await self.link.start()
        except ClientError as error:
            self.query_one("#form-error", ErrorLine).say(show_refusal(self, error))
        else:
            self.picky.enter()
        finally:
            self._busy = False
            if self.is_there:
                self.query_one("#go", Button).loading = False
