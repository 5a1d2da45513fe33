"""Change the password; every other device is signed out."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from client_tui.app_of import link_of
from client_tui.core.errors import ClientError, Forbidden
from client_tui.core.forms import fill
from client_tui.screens.dialog import SendingDialog
from client_tui.widgets.field import ErrorLine, Field
from shared_models.accounts import PasswordChange


class PasswordScreen(SendingDialog):
    """The old one and the new one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def compose(self) -> ComposeResult:
        """Two fields."""
        most = link_of(self).market.limits.password_max
        with Vertical(classes="dialog"):
            yield Static("Change password", classes="dialog-title")
            yield Static("All other devices are signed out.", classes="dim")
            present, new = (Input(password=True, max_length=most) for _ in range(2))
            yield Field("present password", present, id="current_password")
            yield Field("new password", new, id="new_password")
            yield ErrorLine()
            with Horizontal(classes="buttons"):
                yield Button("Change", id="change", variant="primary")
                yield Button("Cancel", id="cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Change or not."""
        if event.button.id == "change":
            self._answer()
        else:
            self.dismiss()

    def on_input_submitted(self) -> None:
        """Enter changes."""
        self._answer()

    def _answer(self) -> None:
        self.send(self._change, "The password is changed.")

    async def _change(self) -> None:
        change = fill(
            PasswordChange,
            current_password=self.query_one("#current_password Input", Input).value,
            new_password=self.query_one("#new_password Input", Input).value,
        )
        await link_of(self).api.change_password(change)

    def show_problem(self, problem: ClientError) -> None:
        """The server says of a password that is not the present one only that it is wrong."""
        if isinstance(problem, Forbidden) and problem.code == "wrong_password":
            self.say_wrong(str(problem), "current_password")
        else:
            super().show_problem(problem)
