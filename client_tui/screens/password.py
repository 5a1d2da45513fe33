"""Change the password; every other device is signed out."""

from typing import ClassVar

from pydantic import ValidationError
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from client_tui.core.errors import ClientError
from client_tui.widgets.field import Field
from client_tui.work import start
from shared_models.accounts import PasswordChange


class PasswordScreen(ModalScreen[None]):
    """The old one and the new one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def compose(self) -> ComposeResult:
        """Two fields."""
        with Vertical(classes="dialog"):
            yield Static("Change password", classes="dialog-title")
            yield Static("All other devices are signed out.", classes="dim")
            yield Field("present password", Input(password=True, max_length=128), id="old")
            yield Field("new password", Input(password=True, max_length=128), id="new-password")
            with Horizontal(classes="buttons"):
                yield Button("Change", id="change", variant="primary")
                yield Button("Cancel", id="cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Change or not."""
        if event.button.id == "change":
            self._submit()
        else:
            self.dismiss()

    def on_input_submitted(self) -> None:
        """Enter changes."""
        self._submit()

    def _submit(self) -> None:
        start(self, self._change, exclusive=True)

    async def _change(self) -> None:
        for field in self.query(Field):
            field.clear_error()
        try:
            change = PasswordChange(
                current_password=self.query_one("#old Input", Input).value,
                new_password=self.query_one("#new-password Input", Input).value,
            )
            await self.app.link.api.change_password(change)  # type: ignore[attr-defined]
        except ValidationError:
            self.query_one("#new-password", Field).show_error("8 to 128 characters.")
        except ClientError as error:
            self.query_one("#old", Field).show_error(str(error))
        else:
            self.app.notify("The password is changed.", markup=False)
            self.dismiss()
